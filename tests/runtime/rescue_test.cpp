#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

#include "support/blocked.hpp"
#include "support/runtime.hpp"

namespace sp = spawned;
using namespace std::chrono_literals;
using test::Bolt;
using test::wait_until;
using test::with_workers;

namespace {

// Blocks its worker until the bolt opens.
sp::Task<void> block(Bolt& bolt) {
  bolt.pass();
  co_return;
}

sp::Task<void> count(std::atomic<int>& counter) {
  counter.fetch_add(1);
  co_return;
}

sp::Task<void> count_then_open(std::atomic<int>& counter, int wanted, Bolt& bolt) {
  if (counter.fetch_add(1) + 1 == wanted) bolt.open();
  co_return;
}

sp::Task<void> sleep_then_open(std::chrono::nanoseconds duration, Bolt& bolt) {
  co_await sp::sleep(duration);
  bolt.open();
}

// Spawns children and blocks until all of them have run.
sp::Task<void> block_on_children(int children, Bolt& bolt, std::atomic<int>& ran) {
  std::vector<sp::JoinHandle<void>> handles;
  for (int i = 0; i < children; ++i)
    handles.push_back(sp::spawn(count_then_open(ran, children, bolt)));
  bolt.pass();
  for (auto& handle : handles) {
    auto ended = co_await handle;
    (void)ended;
  }
}

// Blocks until a task that it has spawned has done the same, some levels deep.
sp::Task<void> block_in_depth(int depth, Bolt& bolt, std::atomic<int>& ran) {
  ran.fetch_add(1);
  if (depth == 0) {
    bolt.open();
    co_return;
  }
  auto inner = sp::spawn(block_in_depth(depth - 1, bolt, ran));
  bolt.pass();
  auto ended = co_await inner;
  (void)ended;
}

sp::Task<void> block_and_compare_time(Bolt& bolt, std::atomic<bool>& stood_still) {
  auto const before = sp::now();
  bolt.pass();
  stood_still.store(sp::now() == before);
  co_return;
}

sp::Task<void> sleep_and_count(std::chrono::nanoseconds duration, std::atomic<int>& counter) {
  co_await sp::sleep(duration);
  counter.fetch_add(1);
}

int lines_with(test::LogCapture const& log, std::string const& words) {
  int found = 0;
  for (std::string const& line : log.lines())
    found += line.find(words) != std::string::npos ? 1 : 0;
  return found;
}

void block_all(sp::Runtime& runtime, Bolt& bolt, int times) {
  for (int i = 1; i <= times; ++i) {
    auto ignored = runtime.spawn(block(bolt));
    wait_until([&] { return bolt.arrived() == i; });
  }
}

}  // namespace

TEST_SUITE("runtime/rescue") {
  TEST_CASE("what comes from outside runs although every worker is blocked") {
    for (unsigned const workers : {1U, 2U}) {
      Bolt bolt;
      sp::Runtime runtime(with_workers(workers));
      block_all(runtime, bolt, static_cast<int>(workers));
      std::atomic<int> ran{0};
      for (int i = 0; i < 100; ++i) runtime.block_on(count(ran));
      CHECK(ran.load() == 100);
      CHECK(runtime.counters().rescues >= 1);
      bolt.open();
    }
  }

  TEST_CASE("a task that was spawned before its worker blocked runs elsewhere") {
    // One child waits in the run-next slot, many in the deque too.
    for (unsigned const workers : {1U, 2U}) {
      for (int const children : {1, 2, 300}) {
        Bolt bolt;
        std::atomic<int> ran{0};
        sp::Runtime runtime(with_workers(workers));
        runtime.block_on(block_on_children(children, bolt, ran));
        CHECK(ran.load() == children);
      }
    }
  }

  TEST_CASE("timers of a blocked worker expire") {
    for (unsigned const workers : {1U, 2U}) {
      Bolt bolt;
      sp::Runtime runtime(with_workers(workers));
      for (int i = 0; i < 20; ++i) {
        auto ignored = runtime.spawn(sleep_then_open(60ms, bolt));
      }
      block_all(runtime, bolt, static_cast<int>(workers));  // ends only by a timer of theirs
      wait_until([&] { return runtime.counters().live == 0; });
    }
  }

  TEST_CASE("a timer that is armed while all workers are blocked expires") {
    Bolt bolt;
    sp::Runtime runtime(with_workers(1));
    auto blocked = runtime.spawn(block(bolt));
    wait_until([&] { return bolt.arrived() == 1; });
    runtime.block_on(sleep_then_open(1ms, bolt));
    CHECK(blocked.join_blocking().has_value());
  }

  TEST_CASE("a spare that blocks is rescued in turn") {
    Bolt bolt;
    std::atomic<int> ran{0};
    sp::Runtime runtime(with_workers(1));
    runtime.block_on(block_in_depth(5, bolt, ran));
    CHECK(ran.load() == 6);
    CHECK(runtime.counters().rescues >= 5);
  }

  TEST_CASE("spares leave when the worker is back, and are called again the next time") {
    sp::Runtime runtime(with_workers(1));
    std::atomic<int> ran{0};
    for (unsigned round = 1; round <= 3; ++round) {
      Bolt bolt;
      auto blocked = runtime.spawn(block(bolt));
      wait_until([&] { return runtime.counters().rescues == round; });
      CHECK(runtime.counters().blocked_workers == 1);
      runtime.block_on(count(ran));
      bolt.open();
      CHECK(blocked.join_blocking().has_value());
      wait_until([&] { return runtime.counters().active_spares == 0; });
      CHECK(runtime.counters().blocked_workers == 0);
      std::uint64_t const turns = runtime.counters().spare_turns;
      for (int i = 0; i < 100; ++i) runtime.block_on(count(ran));
      CHECK(runtime.counters().spare_turns == turns);
    }
    CHECK(ran.load() == 303);
    CHECK(runtime.counters().spare_workers == 1);
    CHECK(runtime.counters().longest_turn >= 10ms);
  }

  TEST_CASE("a spare that is asked to leave gives back what waits at it") {
    // Tasks that yield all the time run on the spare when it is asked to leave. They must go on.
    Bolt bolt;
    std::atomic<bool> over{false};
    std::atomic<int> ended{0};
    sp::Runtime runtime(with_workers(1));
    auto blocked = runtime.spawn(block(bolt));
    wait_until([&] { return bolt.arrived() == 1; });
    auto yielding = [](std::atomic<bool>& stop, std::atomic<int>& count) -> sp::Task<void> {
      while (!stop.load()) co_await sp::yield_now();
      count.fetch_add(1);
    };
    for (int i = 0; i < 50; ++i) {
      auto ignored = runtime.spawn(yielding(over, ended));
    }
    wait_until([&] { return runtime.counters().spare_turns > 1000; });
    bolt.open();
    wait_until([&] { return runtime.counters().active_spares == 0; });
    over.store(true);
    wait_until([&] { return ended.load() == 50; });
  }

  TEST_CASE("without spares a blocked worker keeps what waits, and nothing is lost") {
    auto options = with_workers(1);
    SUBCASE("rescue_after is zero") { options.rescue_after = 0ns; }
    SUBCASE("spare_workers_max is zero") { options.spare_workers_max = 0; }
    options.slow_turn_warning = 25ms;
    test::LogCapture const log;
    Bolt bolt;
    sp::Runtime runtime(std::move(options));
    auto blocked = runtime.spawn(block(bolt));
    wait_until([&] { return bolt.arrived() == 1; });
    std::atomic<int> ran{0};
    auto waiting = runtime.spawn(count(ran));
    wait_until([&] { return lines_with(log, "has been running") == 1; });
    CHECK(ran.load() == 0);
    CHECK(runtime.counters().rescues == 0);
    bolt.open();
    CHECK(waiting.join_blocking().has_value());
  }

  TEST_CASE("when all spares are blocked too, that is logged, and everything runs later") {
    auto options = with_workers(1);
    options.spare_workers_max = 2;
    test::LogCapture const log;
    Bolt bolt;
    sp::Runtime runtime(std::move(options));
    block_all(runtime, bolt, 3);
    std::atomic<int> ran{0};
    auto waiting = runtime.spawn(count(ran));
    wait_until([&] { return lines_with(log, "all 2 spare workers are blocked too") == 1; });
    CHECK(ran.load() == 0);
    bolt.open();
    CHECK(waiting.join_blocking().has_value());
  }

  TEST_CASE("virtual time stands still while a worker is blocked") {
    Bolt bolt;
    std::atomic<bool> stood_still{false};
    std::atomic<int> ran{0};
    sp::Runtime runtime(test::virtual_time(1));
    auto sleeper = runtime.spawn(sleep_and_count(1h, ran));
    auto blocked = runtime.spawn(block_and_compare_time(bolt, stood_still));
    wait_until([&] { return runtime.counters().rescues == 1; });
    for (int i = 0; i < 100; ++i) {  // after each the spare has nothing else to do
      std::atomic<int> done{0};
      runtime.block_on(count(done));
    }
    CHECK(ran.load() == 0);
    bolt.open();
    CHECK(blocked.join_blocking().has_value());
    CHECK(stood_still.load());
    CHECK(sleeper.join_blocking().has_value());
    CHECK(runtime.clock().now() >= 1h);
  }

  TEST_CASE("a manual clock that is moved fires the timers of a blocked worker") {
    auto const clock = std::make_shared<sp::ManualClock>();
    auto options = with_workers(1);
    options.clock = clock;
    Bolt bolt;
    std::atomic<int> ran{0};
    sp::Runtime runtime(std::move(options));
    auto sleeper = runtime.spawn(sleep_and_count(1h, ran));
    block_all(runtime, bolt, 1);
    wait_until([&] { return runtime.counters().rescues == 1; });
    CHECK(ran.load() == 0);
    clock->advance(1h);
    CHECK(sleeper.join_blocking().has_value());
    bolt.open();
  }

  TEST_CASE("a runtime that ends waits for a blocked worker, says so, and leaves no thread") {
    auto options = with_workers(1);
    options.shutdown_timeout = 5ms;
    test::LogCapture const log;
    Bolt bolt;
    std::atomic<int> ran{0};
    {
      sp::Runtime runtime(std::move(options));
      auto blocked = runtime.spawn(block(bolt));
      wait_until([&] { return bolt.arrived() == 1; });
      runtime.block_on(count(ran));
      std::thread opener([&] {
        wait_until([&] { return lines_with(log, "still run after") != 0; });
        bolt.open();
      });
      CHECK_FALSE(runtime.shutdown());
      opener.join();
    }
    CHECK(ran.load() == 1);
  }

  TEST_CASE("a task that does not end its turn is logged with its place, and again when it ends") {
    test::LogCapture const log;
    Bolt bolt;
    sp::Runtime runtime(with_workers(1));
    auto blocked = runtime.spawn(block(bolt));
    std::string const place = "rescue_test.cpp:" + std::to_string(__LINE__ - 1);
    wait_until([&] { return lines_with(log, "has been running for") == 2; });  // 25 and 100 ms
    for (std::string const& line : log.lines()) {
      CHECK(line.find("WARN spawned: task spawned at ") != std::string::npos);
      CHECK(line.find(place) != std::string::npos);
      CHECK(line.find("on worker 0") != std::string::npos);
    }
    CHECK(lines_with(log, " ran for ") == 0);
    bolt.open();
    wait_until([&] { return lines_with(log, " ran for ") == 1; });
  }

  TEST_CASE("no warning comes from a task that works long but in short turns") {
    auto options = with_workers(1);
    options.slow_turn_warning = 50ms;
    test::LogCapture const log;
    sp::Runtime runtime(std::move(options));
    auto work = [](std::atomic<bool>& stop) -> sp::Task<void> {
      while (!stop.load()) co_await sp::yield_now();
    };
    auto wait = []() -> sp::Task<void> { co_await sp::sleep(200ms); };
    std::atomic<bool> stop{false};
    auto working = runtime.spawn(work(stop));
    runtime.block_on(wait());
    stop.store(true);
    CHECK(working.join_blocking().has_value());
    CHECK(log.lines().empty());
  }

  TEST_CASE("options that cannot be served are refused by name") {
    sp::RuntimeOptions options;
    std::string field;
    SUBCASE("rescue_after") { options.rescue_after = -1ns, field = "rescue_after"; }
    SUBCASE("slow_turn_warning") { options.slow_turn_warning = -1ns, field = "slow_turn_warning"; }
    SUBCASE("spare_workers_max") { options.spare_workers_max = 1025, field = "spare_workers_max"; }
    try {
      sp::Runtime const runtime(options);
      FAIL("the option was taken");
    } catch (sp::InvalidOptions const& error) {
      CHECK(error.field() == field);
    }
  }
}
