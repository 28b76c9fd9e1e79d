#include <spawned/runtime/clock.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/oneshot.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/time.hpp>

#include "support/runtime.hpp"

using namespace std::chrono_literals;
using spawned::ManualClock;
using spawned::Runtime;
using spawned::RuntimeOptions;
using spawned::Task;

namespace {

RuntimeOptions with_clock(std::shared_ptr<spawned::Clock> clock, unsigned workers = 1) {
  RuntimeOptions options = test::with_workers(workers);
  options.clock = std::move(clock);
  return options;
}

Task<> sleep_for(std::chrono::nanoseconds duration, std::atomic<int>& woken) {
  co_await spawned::sleep(duration);
  woken.fetch_add(1);
}

Task<> nothing() { co_return; }

}  // namespace

TEST_SUITE("runtime/clock") {
  TEST_CASE("the machine's clock is monotonic, real, and knows the year") {
    auto const clock = spawned::real_clock();
    auto const first = clock->now();
    CHECK(clock->now() >= first);
    CHECK_FALSE(clock->is_virtual());
    CHECK(clock->utc_now() > std::chrono::hours(24 * 365 * 50));
    CHECK_FALSE(clock->on_idle(1h));
  }

  TEST_CASE("a manual clock stands still until it is moved") {
    ManualClock clock;
    CHECK(clock.is_virtual());
    CHECK(clock.now() == 0ns);
    clock.advance(5s);
    CHECK(clock.now() == 5s);
    CHECK(clock.utc_now() == 5s);
    clock.advance(0s);
    CHECK(clock.now() == 5s);
  }

  TEST_CASE("a manual clock refuses to go back") {
    ManualClock clock;
    clock.advance(1s);
    CHECK_THROWS_AS(clock.advance(-1ns), std::invalid_argument);
    CHECK(clock.now() == 1s);
  }

  TEST_CASE("a manual clock does not jump by itself and an auto-advancing one does") {
    ManualClock manual;
    CHECK_FALSE(manual.on_idle(3s));
    CHECK(manual.now() == 0s);
    ManualClock jumping(ManualClock::Mode::auto_advance);
    CHECK(jumping.on_idle(3s));
    CHECK(jumping.now() == 3s);
    CHECK(jumping.on_idle(2s));
    CHECK(jumping.now() == 3s);
  }

  TEST_CASE("timers fire when the manual clock passes them and not before") {
    auto const clock = std::make_shared<ManualClock>();
    Runtime runtime(with_clock(clock));
    std::atomic<int> woken{0};
    auto first = runtime.spawn(sleep_for(10s, woken));
    auto second = runtime.spawn(sleep_for(20s, woken));
    runtime.block_on(nothing());  // the one worker ran the sleepers' turns before
    clock->advance(9s);
    clock->advance(1s - 1ns);
    CHECK_FALSE(first.is_finished());
    clock->advance(1ns);
    CHECK(first.join_blocking().has_value());
    CHECK_FALSE(second.is_finished());
    CHECK(woken.load() == 1);
    clock->advance(1h);
    CHECK(second.join_blocking().has_value());
  }

  TEST_CASE("one advance of its duration ends every sleep that has begun") {
    // The clock moves while the worker may be about to park: no timer is overlooked.
    auto const clock = std::make_shared<ManualClock>();
    Runtime runtime(with_clock(clock));
    for (int round = 0; round < 5'000; ++round) {
      std::atomic<int> woken{0};
      auto handle = runtime.spawn(sleep_for(1ms, woken));
      runtime.block_on(nothing());  // the one worker ran the sleeper's turn before
      clock->advance(1ms);
      (void)handle.join_blocking();
    }
    CHECK(clock->now() == 5'000ms);
  }

  TEST_CASE("time does not jump while a blocking job runs") {
    auto const clock = std::make_shared<ManualClock>(ManualClock::Mode::auto_advance);
    Runtime runtime(with_clock(clock, 2));
    std::atomic<bool> open{false};
    std::atomic<bool> entered{false};
    auto body = [](std::atomic<bool>& door, std::atomic<bool>& inside) -> Task<> {
      auto const job = [&door, &inside] {
        inside = true;
        door.wait(false);
      };
      auto handle = spawned::spawn_blocking(job);
      auto waiter = [](spawned::JoinHandle<void> target) -> Task<> { (void)co_await target; };
      auto const before = spawned::now();
      auto const result = co_await spawned::timeout(10s, waiter(std::move(handle)));
      CHECK(result.has_value());
      CHECK(spawned::now() == before);
    };
    auto handle = runtime.spawn(body(open, entered));
    test::wait_until([&] { return entered.load(); });
    for (int i = 0; i < 100; ++i) {
      runtime.block_on(nothing());  // wakes workers, which try to advance when they park again
      CHECK(clock->now() == 0s);
    }
    open = true;
    open.notify_all();
    CHECK(handle.join_blocking().has_value());
  }

  TEST_CASE("an auto-advancing clock drives timers of all workers in order") {
    auto body = []() -> Task<> {
      std::vector<spawned::JoinHandle<bool>> handles;
      auto sleeper = [](std::chrono::milliseconds time) -> Task<bool> {
        auto const before = spawned::now();
        co_await spawned::sleep(time);
        co_return spawned::now() - before >= time;
      };
      for (int i = 0; i < 500; ++i) handles.push_back(spawned::spawn(sleeper(i % 50 * 1s)));
      for (auto& handle : handles) {
        auto const result = co_await handle;
        CHECK(result.value());
      }
    };
    spawned::run(body(), test::virtual_time(4));
  }

  TEST_CASE("two runtimes may share a manual clock") {
    auto const clock = std::make_shared<ManualClock>();
    Runtime first(with_clock(clock));
    Runtime second(with_clock(clock));
    std::atomic<int> woken{0};
    auto one = first.spawn(sleep_for(1s, woken));
    auto two = second.spawn(sleep_for(1s, woken));
    first.block_on(nothing());
    second.block_on(nothing());
    clock->advance(1s);
    CHECK(one.join_blocking().has_value());
    CHECK(two.join_blocking().has_value());
  }

  TEST_CASE("a seventeenth runtime on one manual clock is refused, and a place is freed again") {
    auto const clock = std::make_shared<ManualClock>();
    std::vector<std::unique_ptr<Runtime>> runtimes;
    for (int i = 0; i < 16; ++i) runtimes.push_back(std::make_unique<Runtime>(with_clock(clock)));
    CHECK_THROWS_AS(Runtime(with_clock(clock)), std::length_error);
    runtimes.pop_back();
    CHECK_NOTHROW(Runtime(with_clock(clock)));
  }
}
