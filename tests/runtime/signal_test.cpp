#include <spawned/runtime/signal.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/async_sequence.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

#include "support/runtime.hpp"
#include "support/suspended.hpp"

using namespace std::chrono_literals;
using spawned::run;
using spawned::Runtime;
using spawned::Signals;
using spawned::Task;

namespace {

static_assert(spawned::AsyncSequence<Signals>);

Task<int> next_of(Signals signals) {
  auto const signal = co_await signals.next();
  co_return signal.value_or(0);
}

Task<int> count_until(Signals signals, int last) {
  int count = 0;
  for (;;) {
    auto const signal = co_await signals.next();
    if (signal == last) co_return count;
    ++count;
  }
}

std::string refusal(int signal) {
  try {
    Signals const signals({SIGUSR1, signal});
  } catch (std::invalid_argument const& error) {
    return error.what();
  }
  return "accepted";
}

void (*handler_of(int signal))(int) {
  struct sigaction action = {};
  sigaction(signal, nullptr, &action);
  return action.sa_handler;
}

std::atomic<int> handled{0};
void count_signal(int /*signal*/) { ++handled; }

}  // namespace

TEST_SUITE("runtime/signal") {
  TEST_CASE("each subscriber sees every delivery from its construction on, and none before") {
    Signals first({SIGUSR1});
    std::raise(SIGUSR1);
    Signals second({SIGUSR1});
    CHECK(second.try_next() == std::nullopt);
    std::raise(SIGUSR1);
    CHECK(first.try_next() == SIGUSR1);
    CHECK(first.try_next() == SIGUSR1);
    CHECK(first.try_next() == std::nullopt);
    CHECK(second.try_next() == SIGUSR1);
    CHECK(second.try_next() == std::nullopt);
  }

  TEST_CASE("a subscriber sees only the signals it named") {
    Signals first({SIGUSR1});
    Signals both({SIGUSR1, SIGUSR2, SIGUSR1});
    std::raise(SIGUSR2);
    CHECK(first.try_next() == std::nullopt);
    CHECK(both.try_next() == SIGUSR2);
    CHECK(both.try_next() == std::nullopt);
  }

  TEST_CASE("a frequent signal does not hide the others") {
    Signals both({SIGUSR1, SIGUSR2});
    for (int i = 0; i < 3; ++i) std::raise(SIGUSR1);
    std::raise(SIGUSR2);
    CHECK(both.try_next() == SIGUSR1);
    CHECK(both.try_next() == SIGUSR2);
    CHECK(both.try_next() == SIGUSR1);
  }

  TEST_CASE("a signal wakes the tasks that wait for it, in every runtime") {
    Runtime one(test::with_workers(1));
    Runtime two(test::with_workers(1));
    std::vector<spawned::JoinHandle<int>> waiting;
    for (int i = 0; i < 10; ++i) {
      waiting.push_back((i % 2 == 0 ? one : two).spawn(next_of(Signals({SIGUSR1}))));
    }
    std::raise(SIGUSR1);
    for (auto& task : waiting) CHECK(task.join_blocking().value() == SIGUSR1);
  }

  TEST_CASE("no delivery is lost between waits, whichever thread takes the signal") {
    Signals last({SIGUSR2});
    Runtime runtime(test::with_workers(2));
    auto first = runtime.spawn(count_until(Signals({SIGUSR1, SIGUSR2}), SIGUSR2));
    std::vector<std::thread> threads;
    Signals counted({SIGUSR1});
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([] {
        for (int n = 0; n < 500; ++n) std::raise(SIGUSR1);
      });
    }
    for (int n = 0; n < 2'000; ++n) CHECK(counted.next_blocking() == SIGUSR1);
    for (std::thread& thread : threads) thread.join();
    CHECK(counted.try_next() == std::nullopt);
    std::raise(SIGUSR2);
    CHECK(last.next_blocking() == SIGUSR2);
    // Different signals have no order: the task may see the last one early, but not more than all.
    CHECK(first.join_blocking().value() <= 2'000);
  }

  TEST_CASE("ctrl_c: the subscription begins at the call, and each await takes one delivery") {
    auto body = []() -> Task<> {
      auto stop = spawned::ctrl_c();
      std::raise(SIGINT);
      std::raise(SIGINT);
      co_await stop;
      co_await stop;
      auto wait = [](bool& ready) -> Task<> {
        auto interrupt = spawned::ctrl_c();
        ready = true;
        co_await interrupt;
      };
      bool ready = false;
      auto waiting = spawned::spawn(wait(ready));
      while (!ready) co_await spawned::yield_now();
      CHECK_FALSE(waiting.is_finished());
      std::raise(SIGINT);
      auto const result = co_await waiting;
      CHECK(result.has_value());
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("ctrl_c can be awaited in one expression") {
    auto body = []() -> Task<> { co_await spawned::ctrl_c(); };
    Signals const guard({SIGINT});  // a SIGINT before the task subscribes does no harm
    Runtime runtime(test::with_workers(1));
    auto waiting = runtime.spawn(body());
    test::wait_until([&] {
      std::raise(SIGINT);
      return waiting.is_finished();
    });
    CHECK(waiting.join_blocking().has_value());
  }

  TEST_CASE("threads wait for ctrl_c and for signals, and are refused on a worker") {
    auto stop = spawned::threads::ctrl_c();
    std::thread other([] { std::raise(SIGINT); });
    stop.wait();
    other.join();

    auto body = []() -> Task<> {
      Signals signals({SIGUSR1});
      CHECK_THROWS_AS((void)signals.next_blocking(), spawned::BlockingInWorker);
      auto interrupt = spawned::threads::ctrl_c();
      CHECK_THROWS_AS(interrupt.wait(), spawned::BlockingInWorker);
      co_return;
    };
    run(body());
  }

  TEST_CASE("a cancelled wait throws Cancelled and loses nothing") {
    auto body = []() -> Task<> {
      Signals signals({SIGUSR1});
      auto wait = [](Signals& from) -> Task<int> {
        auto const signal = co_await from.next();
        co_return signal.value_or(0);
      };
      auto handle = spawned::spawn(wait(signals));
      co_await spawned::yield_now();
      handle.cancel();
      auto const cancelled = co_await handle;
      CHECK(cancelled.error().is_cancelled());
      std::raise(SIGUSR1);
      auto const signal = co_await signals.next();
      CHECK(signal == SIGUSR1);
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("a wait for a signal is no timer: virtual time runs on beside it") {
    auto body = []() -> Task<> {
      auto waiting = spawned::spawn(next_of(Signals({SIGUSR1})));
      auto const begin = spawned::now();
      co_await spawned::sleep(1h);
      CHECK(spawned::now() - begin >= 1h);
      CHECK_FALSE(waiting.is_finished());
      std::raise(SIGUSR1);
      auto const signal = co_await waiting;
      CHECK(signal.value() == SIGUSR1);
      CHECK(spawned::now() - begin < 2h);
    };
    run(body(), test::virtual_time());
  }

  TEST_CASE("a runtime ends although its task waits for a signal") {
    Runtime runtime(test::with_workers(1));
    (void)runtime.spawn(next_of(Signals({SIGUSR1})));
  }

  TEST_CASE("when the last subscriber has gone, the signal does what it did before") {
    auto const original = handler_of(SIGUSR1);
    std::signal(SIGUSR1, &count_signal);
    handled = 0;
    {
      Signals first({SIGUSR1});
      std::optional<Signals> second(Signals({SIGUSR1}));
      second.reset();
      std::raise(SIGUSR1);
      CHECK(first.try_next() == SIGUSR1);
      CHECK(handled == 0);
    }
    std::raise(SIGUSR1);
    CHECK(handled == 1);
    std::signal(SIGUSR1, original);
  }

  TEST_CASE("a handler that somebody installs over a subscription stays") {
    auto const original = handler_of(SIGUSR2);
    {
      Signals const signals({SIGUSR2});
      std::signal(SIGUSR2, &count_signal);
    }
    CHECK((handler_of(SIGUSR2) == &count_signal));
    std::signal(SIGUSR2, original);
  }

  TEST_CASE("signals that cannot be events are an invalid_argument that names them") {
    auto const original = handler_of(SIGUSR1);
    CHECK(refusal(SIGKILL) == "Signals: SIGKILL cannot be caught");
    CHECK(refusal(SIGSTOP) == "Signals: SIGSTOP cannot be caught");
    for (int const fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) {
      CHECK(refusal(fault).find("means a fault of the program") != std::string::npos);
    }
    CHECK(refusal(SIGSEGV).starts_with("Signals: SIGSEGV "));
    CHECK(refusal(0) == "Signals: there is no signal 0");
    CHECK(refusal(-1) == "Signals: there is no signal -1");
    CHECK(refusal(32) == "Signals: there is no signal 32");
    CHECK(refusal(1'000) == "Signals: there is no signal 1000");
    CHECK(refusal(SIGRTMAX) == "accepted");
    CHECK_THROWS_AS(Signals({}), std::invalid_argument);
    CHECK((handler_of(SIGUSR1) == original));
  }

  TEST_CASE("an await that is destroyed while it is suspended is forgotten") {
    Runtime runtime(test::with_workers(1));
    test::CountingHome home(runtime);
    Signals signals({SIGUSR1});
    {
      test::SuspendedContext context(home);
      auto waiting = signals.next();
      CHECK(context.await(waiting));
    }
    auto seen = runtime.spawn(next_of(Signals({SIGUSR1})));
    std::raise(SIGUSR1);
    CHECK(seen.join_blocking().value() == SIGUSR1);  // the dispatcher has been round
    CHECK(home.posted == 0);
    CHECK(signals.try_next() == SIGUSR1);
  }

  TEST_CASE("two calls that wait at one subscription are a logic_error in the second") {
    Runtime runtime(test::with_workers(1));
    test::CountingHome home(runtime);
    Signals signals({SIGUSR1});
    test::SuspendedContext context(home);
    auto first = signals.next();
    CHECK(context.await(first));
    CHECK_THROWS_AS((void)signals.next_blocking(), std::logic_error);
  }

  TEST_CASE("a subscription that was moved from is over") {
    Signals first({SIGUSR1});
    Signals second = std::move(first);
    std::raise(SIGUSR1);
    CHECK(first.try_next() == std::nullopt);       // NOLINT(bugprone-use-after-move)
    CHECK(first.next_blocking() == std::nullopt);  // NOLINT(bugprone-use-after-move)
    auto body = [](Signals& empty) -> Task<> {
      auto const signal = co_await empty.next();
      CHECK(signal == std::nullopt);
    };
    run(body(first));
    CHECK(second.try_next() == SIGUSR1);
    second = Signals({SIGUSR2});
    std::raise(SIGUSR2);
    CHECK(second.try_next() == SIGUSR2);
  }
}
