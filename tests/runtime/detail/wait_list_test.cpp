#include <spawned/runtime/detail/wait_list.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "support/runtime.hpp"

using spawned::detail::SlotWaiter;
using spawned::detail::wait_blocking;
using spawned::detail::WaitList;

namespace {

struct CountingWaiter final : SlotWaiter {
  CountingWaiter() : SlotWaiter(&on_complete) {}
  static void on_complete(SlotWaiter& self, bool /*turn_ends*/) noexcept {
    ++static_cast<CountingWaiter&>(self).notified;
  }
  int notified = 0;
};

struct Waiting {
  WaitList::Node node;
  CountingWaiter waiter;
};

}  // namespace

TEST_SUITE("runtime/detail/wait_list") {
  TEST_CASE("close notifies everybody who waits, once, and nobody who left") {
    WaitList list;
    std::vector<std::unique_ptr<Waiting>> all;
    for (int i = 0; i < 10; ++i) {
      all.push_back(std::make_unique<Waiting>());
      CHECK(list.add(all.back()->node));
      CHECK(all.back()->node.slot.begin_wait(all.back()->waiter));
    }
    for (std::size_t const gone : {0U, 4U, 5U, 9U}) list.remove(all[gone]->node);
    list.close();
    list.close();
    for (std::size_t i = 0; i < all.size(); ++i) {
      bool const left = i == 0 || i == 4 || i == 5 || i == 9;
      CHECK(all[i]->waiter.notified == (left ? 0 : 1));
      list.remove(all[i]->node);
    }
  }

  TEST_CASE("nobody can wait for what has happened") {
    WaitList list;
    WaitList::Node node;
    CHECK_FALSE(list.is_closed());
    list.close();
    CHECK(list.is_closed());
    CHECK_FALSE(list.add(node));
    list.remove(node);
    CHECK(wait_blocking(list));
  }

  TEST_CASE("a node may be removed twice and added again") {
    WaitList list;
    WaitList::Node node;
    CHECK(list.add(node));
    list.remove(node);
    list.remove(node);
    WaitList::Node again;
    CHECK(list.add(again));
    list.remove(again);
  }

  TEST_CASE("a node that is completed before it waits does not block") {
    WaitList list;
    Waiting waiting;
    CHECK(list.add(waiting.node));
    list.close();
    CHECK_FALSE(waiting.node.slot.begin_wait(waiting.waiter));
    CHECK(waiting.waiter.notified == 0);
  }

  TEST_CASE("a blocked thread gives up after its time limit and leaves the list") {
    WaitList list;
    CHECK_FALSE(wait_blocking(list, 1'000'000));
    list.close();  // touches no dead node
    CHECK(wait_blocking(list, 0));
  }

  TEST_CASE("blocked threads that come while the list closes all return") {
    for (int round = 0; round < 300; ++round) {
      WaitList list;
      std::atomic<int> woken{0};
      std::vector<std::thread> threads;
      for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&list, &woken, i] {
          if (i == 2) {
            (void)wait_blocking(list, 1'000);  // gives up at about the time of the event
            woken.fetch_add(1);
          } else if (wait_blocking(list)) {
            woken.fetch_add(1);
          }
        });
      }
      list.close();
      for (auto& thread : threads) thread.join();
      if (woken.load() != 3) CHECK(woken.load() == 3);
    }
  }
}
