#include <spawned/runtime/task.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/runtime.hpp>

using spawned::run;
using spawned::Task;

namespace {

Task<int> number(int value) { co_return value; }

Task<> fail(char const* text) {
  throw std::runtime_error(text);
  co_return;
}

Task<int> depth(int levels) {
  if (levels == 0) co_return 0;
  int const below = co_await depth(levels - 1);
  co_return below + 1;
}

struct Counted {
  explicit Counted(int& count) noexcept : alive(&count) { ++*alive; }
  Counted(Counted&& other) noexcept : alive(other.alive) { ++*alive; }
  Counted(Counted const&) = delete;
  Counted& operator=(Counted const&) = delete;
  ~Counted() { --*alive; }
  int* alive;
};

struct ThrowsAtScopeEnd {
  ThrowsAtScopeEnd() noexcept {}
  ~ThrowsAtScopeEnd() noexcept(false) { throw std::runtime_error("from a destructor"); }
};

Task<Counted> return_then_throw(int& alive) {
  ThrowsAtScopeEnd const bomb;
  co_return Counted(alive);
}

}  // namespace

TEST_SUITE("runtime/task") {
  TEST_CASE("run gives back the value of the task") {
    auto body = []() -> Task<std::string> { co_return "done"; };
    CHECK(run(body()) == "done");
  }

  TEST_CASE("a task does nothing until it is awaited or spawned") {
    bool started = false;
    auto body = [](bool& flag) -> Task<> {
      flag = true;
      co_return;
    };
    {
      Task<> const never = body(started);
      CHECK(static_cast<bool>(never));
    }
    CHECK_FALSE(started);
  }

  TEST_CASE("a task that is never run destroys its parameters") {
    auto const shared = std::make_shared<int>(1);
    auto body = [](std::shared_ptr<int>) -> Task<> { co_return; };
    {
      Task<> const never = body(shared);
      CHECK(shared.use_count() == 2);
    }
    CHECK(shared.use_count() == 1);
  }

  TEST_CASE("moving a task moves the right to run it") {
    Task<int> first = number(7);
    Task<int> second = std::move(first);
    CHECK_FALSE(static_cast<bool>(first));  // NOLINT(bugprone-use-after-move)
    CHECK(static_cast<bool>(second));
    first = std::move(second);
    CHECK(run(std::move(first)) == 7);
    static_assert(!std::is_copy_constructible_v<Task<int>>);
  }

  TEST_CASE("an exception that leaves the body is rethrown where the task is awaited") {
    auto body = []() -> Task<std::string> {
      try {
        co_await fail("broken");
      } catch (std::runtime_error const& error) {
        co_return error.what();
      }
      co_return "nothing thrown";
    };
    CHECK(run(body()) == "broken");
  }

  TEST_CASE("an exception that nobody catches leaves run") {
    CHECK_THROWS_WITH_AS(run(fail("top")), "top", std::runtime_error);
  }

  TEST_CASE("anything may be thrown, an int included") {
    auto body = []() -> Task<> {
      throw 1;
      co_return;
    };
    CHECK_THROWS_AS(run(body()), int);
  }

  TEST_CASE("a value that can only be moved gets through") {
    auto inner = [](int value) -> Task<std::unique_ptr<int>> {
      co_return std::make_unique<int>(value);
    };
    auto body = [](auto make) -> Task<int> {
      auto const pointer = co_await make(5);
      co_return *pointer;
    };
    CHECK(run(body(inner)) == 5);
  }

  TEST_CASE("locals and the frame of an awaited task are gone when its value arrives") {
    auto const shared = std::make_shared<int>(3);
    auto inner = [](std::shared_ptr<int> value) -> Task<int> {
      auto const local = value;
      co_return *local;
    };
    auto body = [](auto make, std::shared_ptr<int> const& value) -> Task<long> {
      co_await make(value);
      co_return value.use_count();
    };
    CHECK(run(body(inner, shared)) == 1);
  }

  TEST_CASE("a value is destroyed when an exception overtakes it") {
    int alive = 0;
    CHECK_THROWS_WITH_AS((void)run(return_then_throw(alive)), "from a destructor",
                         std::runtime_error);
    CHECK(alive == 0);
  }

  TEST_CASE("a chain of ten thousand awaits needs no stack of that depth on the way down") {
    CHECK(run(depth(10'000)) == 10'000);
  }

  TEST_CASE("a million awaits in a loop use no more stack than one") {
    auto body = []() -> Task<long> {
      long sum = 0;
      for (int i = 0; i < 1'000'000; ++i) {
        int const one = co_await number(1);
        sum += one;
      }
      co_return sum;
    };
    CHECK(run(body()) == 1'000'000);
  }

  TEST_CASE("awaited tasks run in the order they are awaited") {
    std::vector<int> order;
    auto step = [](std::vector<int>& out, int value) -> Task<> {
      out.push_back(value);
      co_return;
    };
    auto body = [](auto make, std::vector<int>& out) -> Task<> {
      Task<> later = make(out, 2);
      co_await make(out, 1);
      co_await std::move(later);
      out.push_back(3);
    };
    run(body(step, order));
    CHECK(order == std::vector<int>{1, 2, 3});
  }
}
