#include <spawned/runtime/signal.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/async_sequence.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

#include "support/doomed_task.hpp"
#include "support/runtime.hpp"
#include "support/signal_handler.hpp"

using namespace std::chrono_literals;
using spawned::InvalidSignal;
using spawned::run;
using spawned::Signals;
using spawned::Task;
using test::WithHandler;

namespace {

std::atomic<int> handled{0};
void count_signal(int /*number*/) { handled.fetch_add(1); }
void other_handler(int /*number*/) {}

using Handler = void (*)(int);

Handler handler_of(int signal) {
  struct sigaction now = {};
  sigaction(signal, nullptr, &now);
  return now.sa_handler;
}

Task<int> wait_for_one(Signals& signals) {
  auto signal = co_await signals.next();
  co_return signal.value_or(0);
}

Task<std::vector<int>> receive(Signals& signals, int count) {
  std::vector<int> all;
  while (count-- > 0) {
    auto signal = co_await signals.next();
    if (!signal) break;
    all.push_back(*signal);
  }
  co_return all;
}

}  // namespace

TEST_SUITE("runtime/signal") {
  TEST_CASE("every subscription sees every delivery, in tasks of several runtimes") {
    Signals first(SIGUSR1);
    Signals second(SIGUSR1, SIGUSR2);
    Signals third{SIGUSR2};
    spawned::Runtime one(test::with_workers(1));
    spawned::Runtime two(test::with_workers(1));
    auto by_first = one.spawn(receive(first, 3));
    auto by_second = two.spawn(receive(second, 4));
    auto by_third = two.spawn(receive(third, 1));
    for (int const signal : {SIGUSR1, SIGUSR1, SIGUSR1, SIGUSR2}) std::raise(signal);
    CHECK(by_first.join_blocking().value() == std::vector{SIGUSR1, SIGUSR1, SIGUSR1});
    CHECK(by_second.join_blocking().value() == std::vector{SIGUSR1, SIGUSR1, SIGUSR1, SIGUSR2});
    CHECK(by_third.join_blocking().value() == std::vector{SIGUSR2});
  }

  TEST_CASE("a subscription begins when it is made, not when it is awaited") {
    Signals const keeps_the_handler(SIGUSR1);
    std::raise(SIGUSR1);
    Signals signals(SIGUSR1);
    CHECK_FALSE(signals.try_next().has_value());
    std::raise(SIGUSR1);
    CHECK(run(wait_for_one(signals)) == SIGUSR1);
    CHECK_FALSE(signals.try_next().has_value());
  }

  TEST_CASE("of several signals that wait the lowest number comes first, real-time ones included") {
    int const real_time = SIGRTMIN + 1;
    Signals signals(real_time, SIGUSR2, SIGUSR1, SIGUSR1);
    for (int const signal : {real_time, SIGUSR2, SIGUSR1}) std::raise(signal);
    CHECK(signals.try_next() == SIGUSR1);
    CHECK(signals.try_next() == SIGUSR2);
    CHECK(signals.try_next() == real_time);
    CHECK_FALSE(signals.try_next().has_value());
  }

  TEST_CASE("with the end of the last subscription the signal does again what it did before") {
    WithHandler const mine(SIGUSR1, &count_signal);
    handled = 0;
    {
      Signals const first(SIGUSR1);
      {
        Signals const second(SIGUSR1);
        std::raise(SIGUSR1);
      }
      std::raise(SIGUSR1);
      CHECK(handled == 0);
    }
    CHECK((handler_of(SIGUSR1) == &count_signal));
    std::raise(SIGUSR1);
    CHECK(handled == 1);
    for (Handler const before : {SIG_IGN, SIG_DFL}) {
      WithHandler const other(SIGUSR2, before);
      {
        Signals const signals(SIGUSR2);
      }
      CHECK((handler_of(SIGUSR2) == before));
    }
  }

  TEST_CASE("a handler that somebody installed meanwhile stays") {
    WithHandler const keeper(SIGUSR1, SIG_DFL);
    {
      Signals const signals(SIGUSR1);
      struct sigaction wanted = {};
      wanted.sa_handler = &other_handler;
      sigaction(SIGUSR1, &wanted, nullptr);
    }
    CHECK((handler_of(SIGUSR1) == &other_handler));
  }

  TEST_CASE("signals that cannot or must not be caught are refused by number, with the reason") {
    WithHandler const mine(SIGUSR1, &count_signal);
    for (int const signal : {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS,
                             SIGABRT, 0, -1, 32, 33, 65, 1'000'000}) {
      CAPTURE(signal);
      try {
        Signals const signals(SIGUSR1, signal);
        FAIL("accepted");
      } catch (InvalidSignal const& error) {
        CHECK(error.signal() == signal);
        CHECK(std::string(error.what()).find("signal " + std::to_string(signal) + " ") !=
              std::string::npos);
      }
      CHECK((handler_of(SIGUSR1) == &count_signal));
    }
    static_assert(std::is_base_of_v<std::invalid_argument, InvalidSignal>);
    CHECK_THROWS_WITH_AS(Signals(std::initializer_list<int>{}),
                         "Signals: no signal to subscribe to", std::invalid_argument);
  }

  TEST_CASE("a cancelled wait throws, and the signal that comes then is not lost") {
    Signals signals(SIGUSR1);
    spawned::Runtime runtime(test::with_workers(2));
    for (bool const early : {false, true}) {
      if (early) std::raise(SIGUSR1);
      auto waits = [](Signals& from) -> Task<> {
        for (;;) (void)co_await from.next();
      };
      auto task = runtime.spawn(waits(signals));
      task.cancel();
      CHECK(task.join_blocking().error().is_cancelled());
      while (signals.try_next()) {
      }
      std::raise(SIGUSR1);
      CHECK(signals.next_blocking() == SIGUSR1);
    }
  }

  TEST_CASE("a task that is destroyed while it waits leaves the subscription usable") {
    Signals signals(SIGUSR1);
    test::DoomedTask task([](Signals& from) -> Task<> {
      (void)co_await from.next();
      FAIL("resumed");
    }(signals));
    task.doom();
    CHECK(task.wakes() == 1);
    auto body = [](Signals& from) -> Task<int> {
      auto next = spawned::spawn(wait_for_one(from));  // nobody waits any more: it may
      co_await spawned::yield_now();
      std::raise(SIGUSR1);
      auto signal = co_await next;
      co_return signal.value();
    };
    CHECK(run(body(signals), test::with_workers(1)) == SIGUSR1);
    CHECK(task.wakes() == 1);
  }

  TEST_CASE("close ends the sequence, for tasks and threads that wait and for later ones") {
    Signals for_task(SIGUSR1);
    Signals for_thread(SIGUSR1);
    spawned::Runtime runtime(test::with_workers(1));
    auto task = runtime.spawn(wait_for_one(for_task));
    std::thread thread([&] { CHECK_FALSE(for_thread.next_blocking().has_value()); });
    for_task.close();
    for_thread.close();
    CHECK(task.join_blocking().value() == 0);
    thread.join();
    std::raise(SIGUSR1);
    CHECK_FALSE(for_task.try_next().has_value());
    CHECK(run(wait_for_one(for_task)) == 0);
  }

  TEST_CASE("no delivery is lost between a waiter that looks and one that sleeps") {
    Signals for_task(SIGUSR1);
    Signals for_thread(SIGUSR1);
    std::atomic<int> seen{0};
    spawned::Runtime runtime(test::with_workers(1));
    auto counts = [](Signals& from, std::atomic<int>& count) -> Task<> {
      for (;;) {
        auto signal = co_await from.next();
        if (!signal) co_return;
        count.fetch_add(1);
      }
    };
    auto task = runtime.spawn(counts(for_task, seen));
    for (int round = 0; round < 1'000; ++round) {
      std::raise(SIGUSR1);
      if (for_thread.next_blocking() != SIGUSR1) FAIL("not this signal");
      if (round % 2 == 0) test::wait_until([&] { return seen.load() == round + 1; });
    }
    test::wait_until([&] { return seen.load() == 1'000; });
    for_task.close();
    CHECK(task.join_blocking().has_value());
    CHECK(seen.load() == 1'000);
  }

  TEST_CASE("a second waiter is an error, and the first goes on") {
    Signals signals(SIGUSR1);
    auto body = [](Signals& all) -> Task<> {
      auto first = spawned::spawn(wait_for_one(all));
      co_await spawned::yield_now();
      auto second = spawned::spawn(wait_for_one(all));
      auto failed = co_await second;
      REQUIRE_FALSE(failed.has_value());
      CHECK(failed.error().what().find("a subscription for each") != std::string::npos);
      std::raise(SIGUSR1);
      auto got = co_await first;
      CHECK(got.value() == SIGUSR1);
    };
    run(body(signals), test::with_workers(1));
  }

  TEST_CASE("waiting for a signal is no timer: virtual time passes as if nobody waited") {
    Signals signals(SIGUSR1);
    auto body = [](Signals& all) -> Task<> {
      auto const before = spawned::now();
      auto late = co_await spawned::timeout(1h, wait_for_one(all));
      CHECK(late.error() == spawned::WaitError::timeout);
      CHECK(spawned::now() - before == 1h);
    };
    run(body(signals), test::virtual_time());

    spawned::Runtime runtime(test::virtual_time());
    auto waits = [](Signals& all) -> Task<std::chrono::nanoseconds> {
      auto signal = co_await all.next();
      CHECK(signal == SIGUSR1);
      co_return spawned::now().time_since_epoch();
    };
    auto task = runtime.spawn(waits(signals));
    std::raise(SIGUSR1);
    CHECK(task.join_blocking().value() == 0ns);
  }

  TEST_CASE("the end of a runtime ends its waits for signals") {
    Signals signals(SIGUSR1);
    std::optional<spawned::JoinHandle<int>> task;
    {
      spawned::Runtime runtime(test::with_workers(1));
      task.emplace(runtime.spawn(wait_for_one(signals)));
    }
    CHECK(task->join_blocking().error().is_cancelled());
  }

  TEST_CASE("ctrl_c counts from its call, can be awaited again, and needs nobody to await it") {
    auto body = []() -> Task<> {
      auto interrupt = spawned::ctrl_c();
      std::raise(SIGINT);
      std::raise(SIGINT);
      co_await interrupt;
      co_await interrupt;
      auto other = spawned::spawn([]() -> Task<> { co_await spawned::ctrl_c(); }());
      co_await spawned::yield_now();
      std::raise(SIGINT);
      auto ended = co_await other;
      CHECK(ended.has_value());
      co_await interrupt;
    };
    WithHandler const mine(SIGINT, &count_signal);
    handled = 0;
    run(body(), test::with_workers(1));
    CHECK(handled == 0);
    CHECK((handler_of(SIGINT) == &count_signal));
  }

  TEST_CASE("threads wait for signals, blocking; workers may not") {
    auto interrupt = spawned::ctrl_c();
    std::atomic<bool> ended{false};
    std::thread thread([&] {
      spawned::ctrl_c_blocking();
      ended = true;
    });
    while (!ended) {  // the thread may not have subscribed yet
      std::raise(SIGINT);
      interrupt.wait_blocking();
    }
    thread.join();
    auto body = [](Signals& signals) -> Task<> {
      CHECK_THROWS_AS((void)signals.next_blocking(), spawned::BlockingInWorker);
      CHECK_THROWS_AS(spawned::ctrl_c_blocking(), spawned::BlockingInWorker);
      co_return;
    };
    Signals signals(SIGUSR1);
    run(body(signals));
  }

  TEST_CASE("a subscription can be moved; a moved-from one has ended") {
    Signals first(SIGUSR1);
    Signals second = std::move(first);
    std::raise(SIGUSR1);
    CHECK_FALSE(first.next_blocking().has_value());  // NOLINT(bugprone-use-after-move)
    first.close();
    CHECK(run(wait_for_one(first)) == 0);
    CHECK(second.try_next() == SIGUSR1);
    second = Signals(SIGUSR2);
    std::raise(SIGUSR2);
    CHECK(second.try_next() == SIGUSR2);
  }

  TEST_CASE("a subscription is an AsyncSequence of numbers") {
    static_assert(spawned::AsyncSequence<Signals>);
    static_assert(std::is_same_v<spawned::sequence_value_t<Signals>, int>);
    CHECK(spawned::AsyncSequence<Signals>);
  }
}
