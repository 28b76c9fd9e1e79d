#include <spawned/runtime/result.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/runtime/errors.hpp>

using spawned::JoinError;
using spawned::Result;
using spawned::Unexpected;
using spawned::WaitError;

namespace {

using Text = Result<std::string, int>;
using Nothing = Result<void, std::string>;

Text parse(bool good) {
  if (good) return "good";
  return Unexpected(4);
}

}  // namespace

TEST_SUITE("runtime/result") {
  TEST_CASE("a result holds the value or the error it was made of") {
    CHECK(parse(true).has_value());
    CHECK(static_cast<bool>(parse(true)));
    CHECK(*parse(true) == "good");
    CHECK(parse(true)->size() == 4);
    CHECK_FALSE(parse(false).has_value());
    CHECK(parse(false).error() == 4);
  }

  TEST_CASE("value of an error throws std::logic_error, or what the error itself raises") {
    CHECK_THROWS_AS((void)parse(false).value(), std::logic_error);
    Result<int, JoinError> const cancelled = Unexpected(JoinError());
    CHECK_THROWS_AS((void)cancelled.value(), spawned::Cancelled);
    Result<void, JoinError> const thrown =
        Unexpected(JoinError(std::make_exception_ptr(std::out_of_range("far"))));
    CHECK_THROWS_WITH_AS(thrown.value(), "far", std::out_of_range);
  }

  TEST_CASE("value_or gives the fallback for an error") {
    CHECK(parse(true).value_or("other") == "good");
    CHECK(parse(false).value_or("other") == "other");
    Text const named = parse(false);
    CHECK(named.value_or("other") == "other");
  }

  TEST_CASE("copies and moves keep what is held") {
    Text const value = parse(true);
    Text const error = parse(false);
    Text copy = value;
    CHECK(copy == value);
    copy = error;
    CHECK(copy == error);
    copy = std::move(copy);
    CHECK(copy == error);
    copy = "again";
    CHECK(copy == Text("again"));
    CHECK_FALSE(value == error);
    Text const moved = std::move(copy);
    CHECK(*moved == "again");
  }

  TEST_CASE("assigning over a value destroys it once") {
    auto const shared = std::make_shared<int>(1);
    Result<std::shared_ptr<int>, int> result = shared;
    CHECK(shared.use_count() == 2);
    result = Unexpected(1);
    CHECK(shared.use_count() == 1);
    result = shared;
    result = Result<std::shared_ptr<int>, int>(shared);
    CHECK(shared.use_count() == 2);
  }

  TEST_CASE("a value that can only be moved is moved out") {
    Result<std::unique_ptr<int>, int> result = std::make_unique<int>(3);
    std::unique_ptr<int> const taken = std::move(result).value();
    CHECK(*taken == 3);
    static_assert(!std::is_copy_constructible_v<Result<std::unique_ptr<int>, int>>);
    static_assert(std::is_nothrow_move_constructible_v<Text>);
  }

  TEST_CASE("a result without a value tells only whether there is an error") {
    Nothing const fine;
    CHECK(fine.has_value());
    CHECK_NOTHROW(fine.value());
    *fine;
    Nothing broken = Unexpected(std::string("broken"));
    CHECK_FALSE(static_cast<bool>(broken));
    CHECK(broken.error() == "broken");
    CHECK_THROWS_AS(broken.value(), std::logic_error);
    CHECK_FALSE(broken == fine);
    Nothing const copy = broken;
    CHECK(copy == broken);
    broken = Nothing();
    CHECK(broken == fine);
    Nothing const moved = std::move(broken);
    CHECK(moved.has_value());
  }

  TEST_CASE("value and error may have the same type") {
    Result<int, int> const value = 1;
    Result<int, int> const error = Unexpected(1);
    CHECK(value.has_value());
    CHECK_FALSE(error.has_value());
    CHECK_FALSE(value == error);
  }

  TEST_CASE("results nest and nothing is flattened") {
    Result<Text, WaitError> const inner_error = parse(false);
    CHECK(inner_error.has_value());
    CHECK_FALSE(inner_error->has_value());
    Result<Text, WaitError> const outer_error = Unexpected(WaitError::timeout);
    CHECK_FALSE(outer_error.has_value());
  }
}
