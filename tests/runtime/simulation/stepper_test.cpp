#include <spawned/runtime/simulation/stepper.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/runtime/oneshot.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/simulation/checks.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

namespace sim = spawned::simulation;
using namespace std::chrono_literals;
using spawned::Task;

namespace {

Task<void> append(std::string& text, char letter) {
  text += letter;
  co_await spawned::yield_now();
  text += letter;
}

Task<void> ring(int& rings, std::chrono::seconds period) {
  for (;;) {
    co_await spawned::sleep(period);
    ++rings;
  }
}

Task<int> later(int value) {
  co_await spawned::sleep(1h);
  co_return value;
}

}  // namespace

TEST_SUITE("runtime/simulation/stepper") {
  TEST_CASE("nothing runs but step by step, in the order that the test says") {
    std::string text;
    sim::Stepper stepper;
    auto a = spawned::spawn(append(text, 'a'));
    auto b = spawned::spawn(append(text, 'b'));
    CHECK(text.empty());
    REQUIRE(stepper.ready_count() == 2);
    CHECK(stepper.ready()[0].find("stepper_test.cpp:") != std::string::npos);
    CHECK(stepper.deliver_next(1));  // what was spawned last is the first
    CHECK(text == "a");
    CHECK(stepper.deliver_next(1));
    CHECK(text == "aa");
    CHECK(stepper.run_until_idle() == 2);
    CHECK(text == "aabb");
    CHECK(stepper.is_idle());
    CHECK_FALSE(stepper.deliver_next());
    CHECK_FALSE(stepper.deliver_next(5));
    CHECK(a.is_finished());
    CHECK(b.is_finished());
  }

  TEST_CASE("time stands still until it is moved, and then passes each timer") {
    int rings = 0;
    sim::Stepper stepper;
    auto bell = spawned::spawn(ring(rings, 10s));
    stepper.run_until_idle();
    CHECK(stepper.time() == 0s);
    stepper.advance(9s);
    CHECK(stepper.is_idle());
    stepper.advance(1s);
    CHECK(stepper.time() == 10s);
    CHECK(rings == 0);  // due, and nothing has run
    stepper.run_until_idle();
    CHECK(rings == 1);
    stepper.run_for(100s);
    CHECK(rings == 11);
    CHECK(stepper.time() == 110s);
    CHECK(stepper.advance_to_next_timer());
    CHECK(stepper.time() == 120s);
    CHECK_THROWS_AS(stepper.advance(-1s), sim::CannotStep);
  }

  TEST_CASE("block_on runs whatever the task needs, and returns its value") {
    sim::Stepper stepper;
    CHECK(stepper.block_on(later(42)) == 42);
    CHECK(stepper.time() == 1h);
    auto const failing = []() -> Task<void> {
      co_await spawned::yield_now();
      throw std::runtime_error("no luck");
    };
    CHECK_THROWS_WITH(stepper.block_on(failing()), "no luck");
  }

  TEST_CASE("block_on names who waits when nothing can run any more") {
    sim::Stepper stepper;
    auto const never = []() -> Task<void> {
      auto [sender, receiver] = spawned::oneshot<int>();
      auto nothing = co_await receiver;
      (void)nothing;
      (void)sender;
    };
    CHECK_THROWS_WITH_AS(stepper.block_on(never()), doctest::Contains("task spawned at"),
                         sim::CannotStep);
  }

  TEST_CASE("what does not come to an end is refused after a number of steps") {
    sim::Stepper stepper;
    auto const spin = []() -> Task<void> {
      for (;;) co_await spawned::yield_now();
    };
    auto const task = spawned::spawn(spin());
    CHECK_THROWS_AS(stepper.run_until_idle(1000), sim::CannotStep);
  }

  TEST_CASE("what lives at its end is cancelled, and the thread is free again") {
    bool cancelled = false;
    auto const sleeper = [](bool& flag) -> Task<void> {
      try {
        co_await spawned::sleep(1h);
      } catch (spawned::Cancelled const&) {
        flag = true;
        throw;
      }
    };
    {
      sim::Stepper stepper;
      auto task = spawned::spawn(sleeper(cancelled));
      stepper.run_until_idle();
      (void)task;
    }
    CHECK(cancelled);
    CHECK_FALSE(sim::active());
    CHECK_THROWS_AS((void)spawned::spawn(later(1)), spawned::NoRuntime);
  }

  TEST_CASE("a check that does not hold after a step throws") {
    sim::Stepper stepper;
    std::string text;
    auto const check = sim::never("b", [&text] { return text.find('b') != std::string::npos; });
    auto a = spawned::spawn(append(text, 'a'));
    stepper.run_until_idle();
    auto b = spawned::spawn(append(text, 'b'));
    CHECK_THROWS_WITH_AS(stepper.run_until_idle(), "never \"b\" holds", sim::Violated);
  }

  TEST_CASE("its thread cannot have two, nor block") {
    sim::Stepper stepper;
    CHECK_THROWS_AS(sim::Stepper(), spawned::BlockingInWorker);
    spawned::Runtime runtime;
    CHECK_THROWS_AS(runtime.block_on(later(1)), spawned::BlockingInWorker);
  }
}
