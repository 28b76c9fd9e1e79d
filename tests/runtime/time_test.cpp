#include <spawned/runtime/time.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/cancellation.hpp>
#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/oneshot.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/spawn.hpp>

#include "support/runtime.hpp"

using namespace std::chrono_literals;
using spawned::MissedTicks;
using spawned::run;
using spawned::Runtime;
using spawned::Task;
using spawned::TimePoint;
using spawned::WaitError;

namespace {

constexpr auto day = std::chrono::hours(24);

template <typename Duration>
Task<std::chrono::nanoseconds> time_of_sleep(Duration duration) {
  TimePoint const before = spawned::now();
  co_await spawned::sleep(duration);
  co_return spawned::now() - before;
}

Task<> wait_for_cancel() {
  spawned::CancellationToken const never;
  co_await never.cancelled();
}

}  // namespace

TEST_SUITE("runtime/time") {
  TEST_CASE("a sleep of whole milliseconds ends exactly then in virtual time") {
    for (auto const duration : {1ms, 2ms, 63ms, 64ms, 65ms, 4095ms, 4096ms, 262'144ms}) {
      CAPTURE(duration.count());
      CHECK(run(time_of_sleep(duration), test::virtual_time()) == duration);
    }
    CHECK(run(time_of_sleep(1000 * day), test::virtual_time()) == 1000 * day);
  }

  TEST_CASE("a sleep is never early and at most one millisecond late in virtual time") {
    for (auto const duration : {1ns, 999'999ns, 1'000'001ns, 1'500'000ns, 63'999'999ns}) {
      CAPTURE(duration.count());
      auto const slept = run(time_of_sleep(duration), test::virtual_time());
      CHECK(slept >= duration);
      CHECK(slept < duration + 1ms);
    }
  }

  TEST_CASE("a sleep is never early on the machine's clock") {
    auto body = []() -> Task<> {
      for (int i = 0; i < 20; ++i) {
        auto const slept = co_await time_of_sleep(1'234us);
        CHECK(slept >= 1'234us);
      }
    };
    run(body(), test::with_workers(2));
  }

  TEST_CASE("a sleep of zero or less does not suspend") {
    auto body = []() -> Task<> {
      bool other_ran = false;
      auto other = [](bool& ran) -> Task<> {
        ran = true;
        co_return;
      };
      auto handle = spawned::spawn(other(other_ran));
      co_await spawned::sleep(0s);
      co_await spawned::sleep(-1s);
      co_await spawned::sleep(std::chrono::hours::min());
      CHECK_FALSE(other_ran);
      (void)co_await handle;
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("a sleep of zero in a cancelled task throws Cancelled") {
    auto body = []() -> Task<> {
      bool passed = false;
      auto child = [](bool& reached) -> Task<> {
        co_await spawned::sleep(0s);
        reached = true;
      };
      auto handle = spawned::spawn(child(passed));
      handle.cancel();
      auto const result = co_await handle;
      CHECK(result.error().is_cancelled());
      CHECK_FALSE(passed);
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("the longest durations and moments are waited for, not wrapped round") {
    auto body = []() -> Task<> {
      auto sleeper = [](int how) -> Task<> {
        if (how == 0) co_await spawned::sleep(std::chrono::hours::max());
        if (how == 1) co_await spawned::sleep(std::chrono::nanoseconds::max());
        if (how == 2) co_await spawned::sleep(std::chrono::duration<double>(1e300));
        if (how == 3) co_await spawned::sleep_until(TimePoint::max());
      };
      std::vector<spawned::JoinHandle<void>> handles;
      for (int how = 0; how < 4; ++how) handles.push_back(spawned::spawn(sleeper(how)));
      co_await spawned::sleep(10s);
      for (auto& handle : handles) CHECK_FALSE(handle.is_finished());
      for (auto& handle : handles) handle.cancel();
      for (auto& handle : handles) {
        auto const result = co_await handle;
        CHECK(result.error().is_cancelled());
      }
    };
    run(body(), test::virtual_time());
  }

  TEST_CASE("an endless sleep does not delay one of a month") {
    auto body = []() -> Task<std::chrono::nanoseconds> {
      auto endless = []() -> Task<> { co_await spawned::sleep(std::chrono::hours::max()); };
      co_await spawned::sleep(5ms);
      auto handle = spawned::spawn(endless());
      auto const slept = co_await time_of_sleep(30 * day);
      handle.cancel();
      co_return slept;
    };
    CHECK(run(body(), test::virtual_time(1)) == 30 * day);
  }

  TEST_CASE("sleeps end in the order of their moments, equal ones in the order they began") {
    auto body = []() -> Task<std::string> {
      std::string order;
      auto sleeper = [](std::string& out, char name, std::chrono::milliseconds time) -> Task<> {
        co_await spawned::sleep(time);
        out += name;
      };
      std::vector<spawned::JoinHandle<void>> handles;
      handles.push_back(spawned::spawn(sleeper(order, 'd', 5000ms)));
      co_await spawned::yield_now();
      handles.push_back(spawned::spawn(sleeper(order, 'b', 70ms)));
      co_await spawned::yield_now();
      handles.push_back(spawned::spawn(sleeper(order, 'c', 70ms)));
      co_await spawned::yield_now();
      handles.push_back(spawned::spawn(sleeper(order, 'a', 3ms)));
      for (auto& handle : handles) (void)co_await handle;
      co_return order;
    };
    CHECK(run(body(), test::virtual_time(1)) == "abcd");
  }

  TEST_CASE("sleep_until ends when the clock shows the moment") {
    auto body = []() -> Task<> {
      TimePoint const start = spawned::now();
      co_await spawned::sleep_until(start + 90ms);
      CHECK(spawned::now() - start == 90ms);
      co_await spawned::sleep_until(start);
      CHECK(spawned::now() - start == 90ms);
      co_await spawned::sleep_until(TimePoint::min());
      CHECK(spawned::now() - start == 90ms);
    };
    run(body(), test::virtual_time());
  }

  TEST_CASE("cancelling a sleeping task ends the sleep at once with Cancelled") {
    auto body = []() -> Task<> {
      bool thrown = false;
      auto sleeper = [](bool& caught) -> Task<> {
        try {
          co_await spawned::sleep(1000h);
        } catch (spawned::Cancelled const&) {
          caught = true;
        }
      };
      auto handle = spawned::spawn(sleeper(thrown));
      co_await spawned::yield_now();
      handle.cancel();
      auto const result = co_await handle;
      CHECK(result.has_value());
      CHECK(thrown);
    };
    run(body(), test::with_workers(2));
  }

  TEST_CASE("now outside a runtime throws NoRuntime") {
    CHECK_THROWS_AS((void)spawned::now(), spawned::NoRuntime);
  }

  TEST_CASE("timeout gives the value of a task that is in time") {
    auto body = []() -> Task<> {
      auto quick = []() -> Task<int> {
        co_await spawned::sleep(999ms);
        co_return 4;
      };
      auto const result = co_await spawned::timeout(1s, quick());
      CHECK(result.value() == 4);
      auto nothing = []() -> Task<> { co_return; };
      auto const done = co_await spawned::timeout(1s, nothing());
      CHECK(done.has_value());
    };
    run(body(), test::virtual_time());
  }

  TEST_CASE("timeout cancels a late task and waits until its locals are destroyed") {
    auto body = []() -> Task<> {
      auto const shared = std::make_shared<int>(0);
      auto slow = [](std::shared_ptr<int> held) -> Task<int> {
        auto const local = held;
        co_await spawned::sleep(1h);
        co_return 1;
      };
      TimePoint const before = spawned::now();
      auto const result = co_await spawned::timeout(250ms, slow(shared));
      CHECK_FALSE(result.has_value());
      CHECK(result.error() == WaitError::timeout);
      CHECK(spawned::now() - before == 250ms);
      CHECK(shared.use_count() == 1);
    };
    run(body(), test::virtual_time());
  }

  TEST_CASE("timeout lets an exception of the task through") {
    auto body = []() -> Task<> {
      auto fail = []() -> Task<int> {
        throw 1;
        co_return 0;
      };
      bool caught = false;
      try {
        auto const result = co_await spawned::timeout(1s, fail());
        (void)result;
      } catch (int number) {
        caught = number == 1;
      }
      CHECK(caught);
    };
    run(body(), test::virtual_time());
  }

  TEST_CASE("a time limit of zero or less ends a task that suspends") {
    auto body = []() -> Task<> {
      auto const zero = co_await spawned::timeout(0s, wait_for_cancel());
      CHECK(zero.error() == WaitError::timeout);
      auto const negative = co_await spawned::timeout(-5s, wait_for_cancel());
      CHECK(negative.error() == WaitError::timeout);
    };
    run(body(), test::virtual_time());
  }

  TEST_CASE("an endless time limit never ends the task") {
    auto body = []() -> Task<> {
      auto const result = co_await spawned::timeout(std::chrono::hours::max(), time_of_sleep(1h));
      CHECK(result.value() == 1h);
    };
    run(body(), test::virtual_time());
  }

  TEST_CASE("timeout in a cancelled task yields cancelled once and then throws") {
    auto body = []() -> Task<> {
      int rounds = 0;
      auto retry = [](int& count) -> Task<> {
        while (count < 100) {
          auto const result = co_await spawned::timeout(1h, wait_for_cancel());
          CHECK_FALSE(result.has_value());
          CHECK(result.error() == WaitError::cancelled);
          ++count;
        }
      };
      auto handle = spawned::spawn(retry(rounds));
      co_await spawned::yield_now();
      handle.cancel();
      auto const result = co_await handle;
      CHECK_FALSE(result.has_value());
      CHECK(rounds == 1);
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("timeouts nest, and the shorter one wins") {
    auto body = []() -> Task<> {
      auto inner = []() -> Task<int> {
        auto const result = co_await spawned::timeout(10s, wait_for_cancel());
        co_return result.has_value() ? 1 : static_cast<int>(result.error());
      };
      TimePoint const before = spawned::now();
      auto const outer_wins = co_await spawned::timeout(1s, inner());
      CHECK(outer_wins.error() == WaitError::timeout);
      CHECK(spawned::now() - before == 1s);
      auto const inner_wins = co_await spawned::timeout(20s, inner());
      CHECK(inner_wins.value() == static_cast<int>(WaitError::timeout));
      CHECK(spawned::now() - before == 11s);
    };
    run(body(), test::virtual_time());
  }

  TEST_CASE("an interval ticks at once and then every period, without drift") {
    auto body = []() -> Task<> {
      TimePoint const start = spawned::now();
      auto ticks = spawned::interval(10ms);
      for (int i = 0; i < 20; ++i) {
        co_await ticks.tick();
        CHECK(spawned::now() - start == i * 10ms);
        co_await spawned::sleep(3ms);
      }
    };
    run(body(), test::virtual_time());
  }

  TEST_CASE("an interval that skips drops missed ticks and keeps to the multiples") {
    auto body = []() -> Task<> {
      TimePoint const start = spawned::now();
      auto ticks = spawned::interval(10ms, MissedTicks::skip);
      co_await ticks.tick();
      co_await spawned::sleep(35ms);
      co_await ticks.tick();
      CHECK(spawned::now() - start == 35ms);
      co_await ticks.tick();
      CHECK(spawned::now() - start == 40ms);
      co_await ticks.tick();
      CHECK(spawned::now() - start == 50ms);
    };
    run(body(), test::virtual_time());
  }

  TEST_CASE("an interval that bursts delivers missed ticks at once until it caught up") {
    auto body = []() -> Task<> {
      TimePoint const start = spawned::now();
      auto ticks = spawned::interval(10ms, MissedTicks::burst);
      co_await ticks.tick();
      co_await spawned::sleep(35ms);
      for (int i = 0; i < 3; ++i) {
        co_await ticks.tick();
        CHECK(spawned::now() - start == 35ms);
      }
      co_await ticks.tick();
      CHECK(spawned::now() - start == 40ms);
    };
    run(body(), test::virtual_time());
  }

  TEST_CASE("an interval of zero or less is rejected, and one outside a runtime too") {
    auto body = []() -> Task<> {
      CHECK_THROWS_AS((void)spawned::interval(0ms), std::invalid_argument);
      CHECK_THROWS_AS((void)spawned::interval(-1ms), std::invalid_argument);
      co_return;
    };
    run(body());
    CHECK_THROWS_AS((void)spawned::interval(1ms), spawned::NoRuntime);
  }

  TEST_CASE("an interval of the longest period ticks once and then waits") {
    auto body = []() -> Task<> {
      co_await spawned::sleep(10ms);
      for (auto const missed : {MissedTicks::skip, MissedTicks::burst}) {
        auto ticks = spawned::interval(std::chrono::hours::max(), missed);
        co_await ticks.tick();
        auto wait = [](spawned::Interval& timer) -> Task<> { co_await timer.tick(); };
        auto const second = co_await spawned::timeout(1h, wait(ticks));
        CHECK_FALSE(second.has_value());
      }
    };
    run(body(), test::virtual_time());
  }

  TEST_CASE("ten thousand sleepers of an hour of virtual time end at their moments") {
    auto body = [](int sleepers) -> Task<int> {
      int late = 0;
      auto sleeper = [](int& wrong, std::chrono::milliseconds time) -> Task<> {
        auto const slept = co_await time_of_sleep(time);
        if (slept != time) ++wrong;
      };
      std::vector<spawned::JoinHandle<void>> handles;
      for (int i = 0; i < sleepers; ++i) {
        handles.push_back(spawned::spawn(sleeper(late, std::chrono::milliseconds(i * 367 + 1))));
      }
      for (auto& handle : handles) (void)co_await handle;
      co_return late;
    };
    CHECK(run(body(10'000), test::virtual_time(1)) == 0);
    // None of several workers may move time while another one runs what is due now.
    CHECK(run(body(1'000), test::virtual_time(2)) == 0);
    CHECK(run(body(1'000), test::virtual_time(4)) == 0);
  }
}
