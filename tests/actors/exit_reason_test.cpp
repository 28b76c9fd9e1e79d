#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
using Kind = sp::ExitReason::Kind;

namespace {

sp::ExitReason reason_of(auto thrown) {
  try {
    throw thrown;
  } catch (...) {
    return sp::ExitReason(std::current_exception());
  }
}

}  // namespace

TEST_SUITE("actors/exit_reason") {
  TEST_CASE("a reason is a kind, with a text or not") {
    CHECK(sp::ExitReason().kind() == Kind::normal);
    CHECK(sp::ExitReason::normal().to_string() == "normal");
    CHECK(sp::ExitReason::shutdown().to_string() == "shutdown");
    CHECK(sp::ExitReason::error("bad").to_string() == "error: bad");
    CHECK(sp::ExitReason::custom("mine").to_string() == "custom: mine");
    CHECK(sp::ExitReason(Kind::shutdown, "at noon").to_string() == "shutdown: at noon");
    CHECK(sp::ExitReason(Kind::killed).text().empty());
    CHECK(sp::ExitReason::error("bad").exception() == nullptr);
  }

  TEST_CASE("a reason made of an exception describes it, whatever its type") {
    CHECK(reason_of(std::runtime_error("out")).to_string() == "error: std::runtime_error: out");
    CHECK(reason_of(42).to_string() == "error: int 42");
    CHECK(!reason_of(std::make_shared<int>(1)).text().empty());
    CHECK_THROWS_AS(std::rethrow_exception(reason_of(42).exception()), int);
  }

  TEST_CASE("all but normal and shutdown are abnormal") {
    for (Kind const kind : {Kind::normal, Kind::shutdown}) {
      CHECK(!sp::ExitReason(kind).is_abnormal());
    }
    for (Kind const kind : {Kind::killed, Kind::kill, Kind::error, Kind::custom, Kind::no_actor,
                            Kind::no_connection}) {
      CHECK(sp::ExitReason(kind).is_abnormal());
    }
  }

  TEST_CASE("reasons compare by kind and text") {
    CHECK(sp::ExitReason::error("a") == sp::ExitReason::error("a"));
    CHECK(!(sp::ExitReason::error("a") == sp::ExitReason::error("b")));
    CHECK(!(sp::ExitReason::error("a") == sp::ExitReason::custom("a")));
    CHECK(reason_of(1) == reason_of(1));
  }

  TEST_CASE("copies share the text and outlive the original") {
    auto original = std::make_unique<sp::ExitReason>(sp::ExitReason::custom("kept"));
    sp::ExitReason copy = *original;
    sp::ExitReason assigned;
    assigned = copy;
    original.reset();
    CHECK(copy.text() == "kept");
    sp::ExitReason const moved = std::move(copy);
    CHECK(moved.text() == "kept");
    CHECK(assigned == moved);
    assigned = sp::ExitReason(assigned);
    CHECK(assigned.text() == "kept");
  }

  TEST_CASE("every kind has a name") {
    CHECK(std::string(to_string(Kind::normal)) == "normal");
    CHECK(std::string(to_string(Kind::shutdown)) == "shutdown");
    CHECK(std::string(to_string(Kind::killed)) == "killed");
    CHECK(std::string(to_string(Kind::kill)) == "kill");
    CHECK(std::string(to_string(Kind::error)) == "error");
    CHECK(std::string(to_string(Kind::custom)) == "custom");
    CHECK(std::string(to_string(Kind::no_actor)) == "no_actor");
    CHECK(std::string(to_string(Kind::no_connection)) == "no_connection");
  }
}
