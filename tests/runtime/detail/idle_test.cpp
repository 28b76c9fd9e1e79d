#include "scheduler/idle.hpp"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "support/runtime.hpp"

using spawned::detail::Idle;
using spawned::detail::wait_forever;

TEST_SUITE("runtime/detail/idle") {
  TEST_CASE("at most one running worker becomes the searcher") {
    Idle idle(2);
    CHECK(idle.try_start_searching());
    CHECK_FALSE(idle.try_start_searching());
    CHECK(idle.stop_searching());
    CHECK(idle.try_start_searching());
  }

  TEST_CASE("nobody is woken when nobody sleeps") {
    Idle idle(2);
    CHECK_FALSE(idle.notify_one());
    CHECK_FALSE(idle.notify_if_idle());
    CHECK(idle.try_start_searching());  // the vain attempt left no searcher behind
  }

  TEST_CASE("a woken worker is a searcher, and while there is one nobody else is woken") {
    Idle idle(3);
    idle.announce(0);
    idle.announce(1);
    CHECK(idle.parked_count() == 2);
    CHECK(idle.notify_one());
    CHECK(idle.parked_count() == 2);  // until it is up, it counts as parked
    CHECK_FALSE(idle.notify_one());
    CHECK_FALSE(idle.notify_if_idle());
    CHECK_FALSE(idle.try_start_searching());
    CHECK(idle.retract(0, false));  // claimed: it searches now
    CHECK(idle.parked_count() == 1);
    CHECK(idle.stop_searching());
    CHECK(idle.notify_if_idle());
    CHECK(idle.retract(1, false));
    CHECK(idle.parked_count() == 0);
  }

  TEST_CASE("a worker that retracts in time is running and no searcher") {
    Idle idle(1);
    idle.announce(0);
    CHECK_FALSE(idle.retract(0, false));
    CHECK(idle.parked_count() == 0);
    CHECK_FALSE(idle.notify_one());
    CHECK(idle.try_start_searching());
  }

  TEST_CASE("a worker that retracts because it saw work is the searcher, unless there is one") {
    Idle idle(2);
    idle.announce(0);
    CHECK(idle.retract(0, true));
    idle.announce(1);
    CHECK_FALSE(idle.retract(1, true));
    CHECK(idle.stop_searching());  // 0 was the only one
  }

  TEST_CASE("sleep returns at once when the worker was claimed before") {
    Idle idle(1);
    idle.announce(0);
    CHECK(idle.notify_one());
    idle.sleep(0, wait_forever);
    CHECK(idle.retract(0, false));
  }

  TEST_CASE("sleep returns after its time limit, and the worker can retract") {
    Idle idle(1);
    idle.announce(0);
    idle.sleep(0, 1'000'000);
    CHECK_FALSE(idle.retract(0, false));
  }

  TEST_CASE("notify_all claims everybody who is parked, also while one searches") {
    Idle idle(4);
    CHECK(idle.try_start_searching());
    idle.announce(1);
    idle.announce(3);
    idle.notify_all();
    CHECK(idle.retract(1, false));
    CHECK(idle.retract(3, false));
    CHECK(idle.parked_count() == 0);
    CHECK_FALSE(idle.stop_searching());
    CHECK_FALSE(idle.stop_searching());
    CHECK(idle.stop_searching());  // 0, 1 and 3 were the searchers
  }

  TEST_CASE("no work is slept over: notifiers and wake-ups of all against parking workers") {
    // Phase 1: workers take items, search for nothing, park by the protocol of idle.hpp.
    // Phase 2: one thread adds items and notifies one; another notifies all, without any work.
    // Phase 3: everything added must be taken while both notifiers are silent.
    // Asserted: the count of taken items reaches the count of added ones after each batch.
    constexpr std::uint32_t worker_count = 2;
    constexpr int batches = 3'000;
    Idle idle(worker_count);
    std::atomic<std::int64_t> items{0};
    std::atomic<std::int64_t> taken{0};
    std::atomic<bool> stop{false};
    std::vector<std::thread> workers;
    for (std::uint32_t index = 0; index < worker_count; ++index) {
      workers.emplace_back([&, index] {
        bool searching = false;
        auto const take = [&] {
          std::int64_t left = items.load();
          while (left > 0 && !items.compare_exchange_weak(left, left - 1)) {
          }
          return left > 0;
        };
        while (!stop.load()) {
          if (!searching) searching = idle.try_start_searching();
          if (take()) {
            if (searching && idle.stop_searching() && items.load() > 0) idle.notify_one();
            searching = false;
            taken.fetch_add(1);
            continue;
          }
          idle.announce(index);
          if (searching) {
            searching = false;
            (void)idle.stop_searching();
          }
          bool const found = items.load() != 0;
          if (!found && !stop.load()) idle.sleep(index, wait_forever);
          searching = idle.retract(index, found);
        }
      });
    }
    std::atomic<int> batch{0};
    std::atomic<int> silent{0};
    std::thread everybody([&] {
      for (int i = 1; i <= batches; ++i) {
        test::wait_until([&] { return batch.load() >= i; });
        for (int k = 0; k < i % 4; ++k) idle.notify_all();
        silent = i;
      }
    });
    for (int i = 1; i <= batches; ++i) {
      batch = i;
      items.fetch_add(1);
      idle.notify_one();
      test::wait_until([&] { return silent.load() == i && taken.load() == i; });
    }
    CHECK(taken.load() == batches);
    everybody.join();
    stop = true;
    idle.notify_all();
    for (auto& worker : workers) worker.join();
  }
}
