#include <spawned/runtime/runtime.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <pthread.h>
#include <sched.h>

#include <spawned/runtime/cancellation.hpp>
#include <spawned/runtime/oneshot.hpp>
#include <spawned/runtime/time.hpp>

#include "support/runtime.hpp"

using namespace std::chrono_literals;
using spawned::InvalidOptions;
using spawned::JoinHandle;
using spawned::run;
using spawned::Runtime;
using spawned::RuntimeOptions;
using spawned::Task;

namespace {

Task<int> number(int value) { co_return value; }

Task<> wait_forever(std::shared_ptr<int> held) {
  spawned::CancellationToken const never;
  co_await never.cancelled();
  (void)held;
}

std::string thread_name() {
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof(name));
  return name;
}

/// Runs until `stop` on a worker, giving the others their turns.
Task<std::string> name_of_worker() { co_return thread_name(); }

/// The error of a runtime with these options, or nothing.
std::optional<InvalidOptions> refused(RuntimeOptions options) {
  try {
    Runtime const runtime(std::move(options));
  } catch (InvalidOptions const& error) {
    return error;
  }
  return std::nullopt;
}

void check_refused(RuntimeOptions options, std::string const& field, std::string const& allowed,
                   std::string const& given) {
  auto const error = refused(std::move(options));
  REQUIRE(error.has_value());
  CHECK(error->field() == field);
  CHECK(error->allowed() == allowed);
  CHECK(error->what() == "RuntimeOptions::" + field + " is " + given + "; allowed: " + allowed);
}

}  // namespace

TEST_SUITE("runtime/runtime") {
  TEST_CASE("an option out of range is refused with its name and what is allowed") {
    RuntimeOptions options;
    options.workers = 0;
    check_refused(options, "workers", "1 to 256", "0");
    options.workers = 257;
    check_refused(options, "workers", "1 to 256", "257");

    options = test::with_workers(1);
    options.blocking_threads_max = 0;
    check_refused(options, "blocking_threads_max", "1 to 10000", "0");
    options.blocking_threads_max = 10'001;
    check_refused(options, "blocking_threads_max", "1 to 10000", "10001");

    options = test::with_workers(1);
    options.spin = -1ns;
    check_refused(options, "spin", "0 to 10 ms", "-1 ns");
    options.spin = 10ms + 1ns;
    check_refused(options, "spin", "0 to 10 ms", "10000001 ns");

    options = test::with_workers(1);
    options.blocking_keep_alive = -1s;
    check_refused(options, "blocking_keep_alive", "0 to 365 days", "-1000000000 ns");
    options.blocking_keep_alive = std::chrono::nanoseconds::max();
    check_refused(options, "blocking_keep_alive", "0 to 365 days", "9223372036854775807 ns");

    options = test::with_workers(1);
    options.shutdown_timeout = -1ms;
    check_refused(options, "shutdown_timeout", "0 to 365 days", "-1000000 ns");
    options.shutdown_timeout = std::chrono::nanoseconds::max();
    check_refused(options, "shutdown_timeout", "0 to 365 days", "9223372036854775807 ns");
  }

  TEST_CASE("the ends of the ranges are allowed") {
    RuntimeOptions options = test::with_workers(1);
    options.blocking_threads_max = 10'000;
    options.spin = 0ns;
    options.blocking_keep_alive = 0ns;
    options.shutdown_timeout = 0ns;
    CHECK(run(number(1), options) == 1);
    options.spin = 10ms;
    options.blocking_threads_max = 1;
    options.blocking_keep_alive = std::chrono::hours(24 * 365);
    options.shutdown_timeout = std::chrono::hours(24 * 365);
    CHECK(run(number(1), options) == 1);
  }

  TEST_CASE("two hundred and fifty-six workers start, work and stop") {
    RuntimeOptions options = test::with_workers(256);
    options.spin = 0ns;
    Runtime runtime(options);
    CHECK(runtime.worker_count() == 256);
    CHECK(runtime.block_on(number(2)) == 2);
  }

  TEST_CASE("the default number of workers is at least one and at most the processors") {
    unsigned const count = spawned::default_worker_count();
    CHECK(count >= 1);
    CHECK(count <= std::max(1U, std::thread::hardware_concurrency()));
    CHECK(Runtime().worker_count() == count);
  }

  TEST_CASE("the default number of workers respects the affinity of the caller") {
    unsigned in_mask = 0;
    std::thread pinned([&in_mask] {
      cpu_set_t all;
      sched_getaffinity(0, sizeof(all), &all);
      cpu_set_t one;
      CPU_ZERO(&one);
      for (unsigned i = 0; i < CPU_SETSIZE; ++i) {
        if (CPU_ISSET(i, &all)) {
          CPU_SET(i, &one);
          break;
        }
      }
      sched_setaffinity(0, sizeof(one), &one);
      in_mask = spawned::default_worker_count();
    });
    pinned.join();
    CHECK(in_mask == 1);
  }

  TEST_CASE("a runtime starts and stops a hundred times") {
    for (int i = 0; i < 100; ++i) {
      Runtime runtime(test::with_workers(2));
      CHECK(runtime.block_on(number(i)) == i);
    }
  }

  TEST_CASE("a runtime that was never used stops") {
    for (int i = 0; i < 100; ++i) Runtime const runtime(test::with_workers(3));
  }

  TEST_CASE("two runtimes coexist, and each runs its own tasks") {
    RuntimeOptions options = test::with_workers(1);
    options.name = "left";
    Runtime left(options);
    options.name = "right";
    Runtime right(options);
    for (int i = 0; i < 100; ++i) {
      CHECK(left.block_on(name_of_worker()) == "left-w0");
      CHECK(right.block_on(name_of_worker()) == "right-w0");
    }
  }

  TEST_CASE("workers and blocking threads carry the name of the runtime, cut to fifteen") {
    auto names = []() -> Task<std::string> {
      auto handle = spawned::spawn_blocking([] { return thread_name(); });
      auto const blocking = co_await handle;
      co_return thread_name() + " " + blocking.value();
    };
    RuntimeOptions options = test::with_workers(1);
    CHECK(run(names(), options) == "spawned-w0 spawned-b");
    options.name = "a-name-much-longer-than-that";
    std::string const cut = run(names(), options);
    CHECK(cut.find("a-name-muc") == 0);
    CHECK(cut.find("-w0 ") != std::string::npos);
    options.name = "";
    CHECK(run(names(), options) == "-w0 -b");
  }

  TEST_CASE("pinned workers stay on their processors, others keep the whole mask") {
    auto processors = []() -> Task<int> {
      cpu_set_t set;
      CPU_ZERO(&set);
      sched_getaffinity(0, sizeof(set), &set);
      co_return CPU_COUNT(&set);
    };
    RuntimeOptions options = test::with_workers(1);
    cpu_set_t mine;
    sched_getaffinity(0, sizeof(mine), &mine);
    CHECK(run(processors(), options) == CPU_COUNT(&mine));
    options.pin_workers = true;
    CHECK(run(processors(), options) == 1);
    options.workers = static_cast<unsigned>(CPU_COUNT(&mine)) + 1;  // wraps round
    CHECK(run(processors(), options) == 1);
  }

  TEST_CASE("an idle worker steals what a busy one has queued") {
    auto body = []() -> Task<std::size_t> {
      std::atomic<int> arrived{0};
      auto meet = [](std::atomic<int>& count) -> Task<std::string> {
        count.fetch_add(1);
        // Both tasks occupy a worker until the other one has started.
        test::wait_until([&count] { return count.load() == 2; });
        co_return thread_name();
      };
      auto first = spawned::spawn(meet(arrived));
      auto second = spawned::spawn(meet(arrived));
      auto const one = co_await first;
      auto const two = co_await second;
      std::set<std::string> const names{one.value(), two.value()};
      co_return names.size();
    };
    CHECK(run(body(), test::with_workers(2)) == 2);
  }

  TEST_CASE("block_on from a worker of any runtime throws BlockingInWorker") {
    Runtime other(test::with_workers(1));
    Runtime own(test::with_workers(1));
    auto body = [](Runtime& target) -> Task<> {
      CHECK_THROWS_AS((void)target.block_on(number(1)), spawned::BlockingInWorker);
      co_return;
    };
    own.block_on(body(own));
    own.block_on(body(other));
  }

  TEST_CASE("shutdown from a worker throws BlockingInWorker") {
    Runtime runtime(test::with_workers(1));
    auto body = [](Runtime& target) -> Task<> {
      CHECK_THROWS_AS((void)target.shutdown(), spawned::BlockingInWorker);
      co_return;
    };
    runtime.block_on(body(runtime));
    CHECK(runtime.shutdown());
  }

  TEST_CASE("block_on throws Cancelled when its task was cancelled") {
    Runtime runtime(test::with_workers(1));
    auto body = []() -> Task<> {
      throw spawned::Cancelled();
      co_return;
    };
    CHECK_THROWS_AS(runtime.block_on(body()), spawned::Cancelled);
  }

  TEST_CASE("several threads may block on one runtime at once") {
    Runtime runtime(test::with_workers(2));
    std::atomic<int> sum{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&runtime, &sum] {
        for (int k = 0; k < 250; ++k) sum.fetch_add(runtime.block_on(number(1)));
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(sum.load() == 1'000);
  }

  TEST_CASE("tasks left behind are cancelled, and their locals destroyed, before run returns") {
    auto const held = std::make_shared<int>(1);
    auto body = [](std::shared_ptr<int> const& shared) -> Task<> {
      for (int i = 0; i < 100; ++i) {
        auto const dropped = spawned::spawn(wait_forever(shared));
      }
      co_await spawned::yield_now();
    };
    run(body(held), test::with_workers(2));
    CHECK(held.use_count() == 1);
  }

  TEST_CASE("tasks that have not begun when the runtime ends are ended too") {
    auto const held = std::make_shared<int>(1);
    for (int round = 0; round < 50; ++round) {
      Runtime runtime(test::with_workers(2));
      for (int i = 0; i < 100; ++i) {
        auto const dropped = runtime.spawn(wait_forever(held));
      }
    }
    CHECK(held.use_count() == 1);
  }

  TEST_CASE("a task that is spawned while the runtime ends is cancelled at its first await") {
    auto const held = std::make_shared<int>(1);
    {
      Runtime runtime(test::with_workers(2));
      auto parent = [](std::shared_ptr<int> shared) -> Task<> {
        try {
          spawned::CancellationToken const never;
          co_await never.cancelled();
        } catch (spawned::Cancelled const&) {
          auto const dropped = spawned::spawn(wait_forever(shared));
        }
      };
      for (int i = 0; i < 20; ++i) {
        auto const dropped = runtime.spawn(parent(held));
      }
    }
    CHECK(held.use_count() == 1);
  }

  TEST_CASE("a handle whose task the end of the runtime cancelled says so") {
    std::optional<JoinHandle<void>> handle;
    {
      Runtime runtime(test::with_workers(1));
      handle = runtime.spawn(wait_forever(nullptr));
    }
    auto const result = handle->join_blocking();
    CHECK_FALSE(result.has_value());
    CHECK(result.error().is_cancelled());
  }

  TEST_CASE("shutdown names what does not end in time, waits for it and returns false") {
    test::LogCapture const log;
    RuntimeOptions options = test::with_workers(1);
    options.name = "stubborn";
    options.shutdown_timeout = 1ms;
    Runtime runtime(options);
    std::atomic<bool> entered{false};
    auto body = [](test::LogCapture const& seen, std::atomic<bool>& inside) -> Task<> {
      inside = true;
      test::wait_until([&seen] { return !seen.lines().empty(); });  // until it is complained about
      co_return;
    };
    auto const dropped = runtime.spawn(body(log, entered));
    test::wait_until([&] { return entered.load(); });
    CHECK_FALSE(runtime.shutdown());
    auto const lines = log.lines();
    REQUIRE(!lines.empty());
    CHECK(lines[0].find("ERROR spawned: runtime \"stubborn\" cannot end: 1 ") != std::string::npos);
    CHECK(lines[0].find("runtime_test.cpp:") != std::string::npos);
  }

  TEST_CASE("after shutdown work is refused, and shutting down again is allowed") {
    Runtime runtime(test::with_workers(1));
    CHECK(runtime.shutdown());
    CHECK(runtime.shutdown());
    CHECK_THROWS_AS((void)runtime.spawn(number(1)), spawned::RuntimeEnded);
    CHECK_THROWS_AS((void)runtime.block_on(number(1)), spawned::RuntimeEnded);
  }

  TEST_CASE("counters count turns, life, queues and threads") {
    Runtime runtime(test::with_workers(2));
    CHECK(runtime.counters().workers.size() == 2);
    for (int i = 0; i < 10; ++i) (void)runtime.block_on(number(i));
    auto waiting = runtime.spawn(wait_forever(nullptr));
    auto timed = []() -> Task<> { co_await spawned::sleep(1ms); };
    runtime.block_on(timed());
    auto const counters = runtime.counters();
    std::uint64_t turns = 0;
    std::uint64_t injected = 0;
    std::uint64_t fired = 0;
    for (auto const& worker : counters.workers) {
      turns += worker.turns;
      injected += worker.injected;
      fired += worker.timers_fired;
      CHECK(worker.parked_time >= 0ns);
    }
    CHECK(turns == 13);
    CHECK(injected == 12);
    CHECK(fired == 1);
    CHECK(counters.live == 1);
    CHECK(counters.injection_depth == 0);
    CHECK(counters.blocking_threads == 0);
    waiting.cancel();
    (void)waiting.join_blocking();
    CHECK(runtime.counters().live == 0);
  }

  TEST_CASE("a runtime may be made, used and destroyed inside a blocking job of another") {
    auto body = []() -> Task<int> {
      auto handle = spawned::spawn_blocking([] { return run(number(5), test::with_workers(1)); });
      auto const result = co_await handle;
      co_return result.value();
    };
    CHECK(run(body(), test::with_workers(1)) == 5);
  }

  TEST_CASE("a runtime may be destroyed by a worker of another") {
    auto body = []() -> Task<> {
      auto const inner = std::make_unique<Runtime>(test::with_workers(1));
      auto handle = inner->spawn(number(3));
      auto const result = co_await handle;
      CHECK(result.value() == 3);
    };
    run(body(), test::with_workers(1));
  }
}
