#include <spawned/runtime/detail/slot.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include <doctest/doctest.h>
#include <pthread.h>

#include "support/runtime.hpp"

using spawned::detail::Slot;
using spawned::detail::SlotWaiter;
using spawned::detail::ThreadWait;

namespace {

struct CountingWaiter final : SlotWaiter {
  CountingWaiter() : SlotWaiter(&on_complete) {}
  static void on_complete(SlotWaiter& self, bool turn_ends) noexcept {
    auto& waiter = static_cast<CountingWaiter&>(self);
    ++waiter.notified;
    waiter.turn_ended = turn_ends;
  }
  int notified = 0;
  bool turn_ended = false;
};

std::atomic<int> signals{0};
void count_signal(int /*number*/) { signals.fetch_add(1); }

}  // namespace

TEST_SUITE("runtime/detail/slot") {
  TEST_CASE("a slot that is completed first lets nobody wait") {
    Slot slot;
    CountingWaiter waiter;
    CHECK_FALSE(slot.is_done());
    CHECK(slot.complete());
    CHECK(slot.is_done());
    CHECK_FALSE(slot.begin_wait(waiter));
    CHECK(waiter.notified == 0);
    CHECK_FALSE(slot.abandon());  // the receiver frees
  }

  TEST_CASE("a waiter is notified once and told whether the turn ends") {
    for (bool const turn_ends : {false, true}) {
      Slot slot;
      CountingWaiter waiter;
      CHECK(slot.begin_wait(waiter));
      CHECK(slot.complete(turn_ends));
      CHECK(waiter.notified == 1);
      CHECK(waiter.turn_ended == turn_ends);
      CHECK_FALSE(slot.stop_waiting(Slot::empty));
    }
  }

  TEST_CASE("the completer of an abandoned slot frees the block and notifies nobody") {
    Slot slot;
    CHECK(slot.abandon());
    CHECK(slot.is_abandoned());
    CHECK_FALSE(slot.complete());
  }

  TEST_CASE("a waiter that gave up to empty is not notified and may wait again") {
    Slot slot;
    CountingWaiter first;
    CountingWaiter second;
    CHECK(slot.begin_wait(first));
    CHECK(slot.stop_waiting(Slot::empty));
    CHECK_FALSE(slot.stop_waiting(Slot::empty));
    CHECK(slot.begin_wait(second));
    CHECK(slot.complete());
    CHECK(first.notified == 0);
    CHECK(second.notified == 1);
  }

  TEST_CASE("a waiter that gave up to abandoned leaves the block to the completer") {
    Slot slot;
    CountingWaiter waiter;
    slot.start_waiting(waiter);
    CHECK(slot.stop_waiting(Slot::abandoned));
    CHECK_FALSE(slot.complete());
    CHECK(waiter.notified == 0);
  }

  TEST_CASE("of completer and receiver that leave at once exactly one frees the block") {
    for (int round = 0; round < 5'000; ++round) {
      Slot slot;
      std::atomic<int> owners{0};
      std::atomic<bool> go{false};
      std::thread completer([&] {
        test::wait_until([&] { return go.load(); });
        if (!slot.complete()) owners.fetch_add(1);
      });
      go = true;
      if (!slot.abandon()) owners.fetch_add(1);
      completer.join();
      if (owners.load() != 1) CHECK(owners.load() == 1);
    }
  }

  TEST_CASE("of completer and timer exactly one wakes the waiter") {
    int by_completer = 0;
    for (int round = 0; round < 2'000; ++round) {
      Slot slot;
      CountingWaiter waiter;
      CHECK(slot.begin_wait(waiter));
      std::atomic<bool> go{false};
      std::thread completer([&] {
        test::wait_until([&] { return go.load(); });
        (void)slot.complete();
      });
      go = true;
      bool const gave_up = slot.stop_waiting(Slot::empty);
      completer.join();
      by_completer += waiter.notified;
      if (waiter.notified + (gave_up ? 1 : 0) != 1) CHECK(false);
    }
    CHECK(by_completer <= 2'000);
  }

  TEST_CASE("a blocked thread is woken by the completer") {
    for (int round = 0; round < 500; ++round) {
      Slot slot;
      std::thread completer([&slot] { CHECK(slot.complete()); });
      ThreadWait wait;
      CHECK(wait.wait(slot));
      CHECK(slot.is_done());
      completer.join();
    }
  }

  TEST_CASE("a blocked thread returns after its time limit, not before, and abandons the slot") {
    Slot slot;
    ThreadWait wait;
    auto const before = spawned::real_clock()->now();
    CHECK_FALSE(wait.wait(slot, 2'000'000));
    CHECK(spawned::real_clock()->now() - before >= std::chrono::milliseconds(2));
    CHECK_FALSE(slot.complete());
  }

  TEST_CASE("a time limit of zero is over at once") {
    Slot slot;
    ThreadWait wait;
    CHECK_FALSE(wait.wait(slot, 0));
    CHECK(slot.is_abandoned());
  }

  TEST_CASE("a signal does not end a blocked wait, with or without a time limit") {
    struct sigaction action{};
    struct sigaction before{};
    action.sa_handler = &count_signal;  // without SA_RESTART: system calls return early
    sigaction(SIGUSR1, &action, &before);
    for (std::int64_t const limit :
         {std::int64_t{3'600'000'000'000}, spawned::detail::no_deadline}) {
      Slot slot;
      bool happened = false;
      std::atomic<bool> returned{false};
      std::thread waiter([&] {
        ThreadWait wait;
        happened = wait.wait(slot, limit);
        returned = true;
      });
      for (int i = 0; i < 100; ++i) {
        int const seen = signals.load();
        pthread_kill(waiter.native_handle(), SIGUSR1);
        test::wait_until([&] { return signals.load() != seen; });
      }
      CHECK_FALSE(returned.load());
      (void)slot.complete();
      waiter.join();
      CHECK(happened);
    }
    sigaction(SIGUSR1, &before, nullptr);
  }
}
