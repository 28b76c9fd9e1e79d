#include <spawned/runtime/spawn.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/cancellation.hpp>
#include <spawned/runtime/oneshot.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/time.hpp>

#include "support/runtime.hpp"

using namespace std::chrono_literals;
using spawned::JoinError;
using spawned::JoinHandle;
using spawned::Result;
using spawned::run;
using spawned::Runtime;
using spawned::RuntimeOptions;
using spawned::Task;

namespace {

Task<int> number(int value) { co_return value; }

Task<> wait_for_cancel() {
  spawned::CancellationToken const never;
  co_await never.cancelled();
}

}  // namespace

TEST_SUITE("runtime/spawn") {
  TEST_CASE("awaiting the handle yields the value of the task") {
    auto body = []() -> Task<int> {
      JoinHandle<int> handle = spawned::spawn(number(4));
      Result<int, JoinError> const result = co_await handle;
      co_return result.value();
    };
    CHECK(run(body()) == 4);
  }

  TEST_CASE("awaiting the handle of a task without a value tells that it ended") {
    auto body = []() -> Task<bool> {
      auto nothing = []() -> Task<> { co_return; };
      auto handle = spawned::spawn(nothing());
      auto const result = co_await handle;
      co_return result.has_value();
    };
    CHECK(run(body()));
  }

  TEST_CASE("an exception of the task is in the join error, whatever was thrown") {
    auto body = []() -> Task<> {
      auto throw_text = []() -> Task<> {
        throw std::runtime_error("broken");
        co_return;
      };
      auto throw_int = []() -> Task<int> {
        throw 1;
        co_return 0;
      };
      auto text = spawned::spawn(throw_text());
      auto const first = co_await text;
      CHECK_FALSE(first.has_value());
      CHECK(first.error().kind() == JoinError::Kind::exception);
      CHECK(first.error().what() == "the task threw std::runtime_error: broken");
      CHECK_THROWS_AS(first.value(), std::runtime_error);

      auto number = spawned::spawn(throw_int());
      auto const second = co_await number;
      CHECK_FALSE(second.has_value());
      CHECK(second.error().what() == "the task threw int 1");
      CHECK_THROWS_AS((void)second.value(), int);
    };
    run(body());
  }

  TEST_CASE("a handle that is dropped lets the task go on") {
    auto body = []() -> Task<int> {
      auto [sender, receiver] = spawned::oneshot<int>();
      auto child = [](spawned::OneshotSender<int> out) -> Task<> {
        co_await spawned::yield_now();
        out.send(9);
      };
      {
        auto const dropped = spawned::spawn(child(std::move(sender)));
      }
      auto const result = co_await receiver;
      co_return result.value();
    };
    CHECK(run(body()) == 9);
  }

  TEST_CASE("cancel ends a suspended task, and its handle says so") {
    auto body = []() -> Task<> {
      auto handle = spawned::spawn(wait_for_cancel());
      co_await spawned::yield_now();
      handle.cancel();
      auto const result = co_await handle;
      CHECK_FALSE(result.has_value());
      CHECK(result.error().is_cancelled());
      CHECK(result.error().exception() == nullptr);
      CHECK_THROWS_AS(result.value(), spawned::Cancelled);
    };
    run(body());
  }

  TEST_CASE("a task that is cancelled before its first turn ends at its first await") {
    auto body = []() -> Task<> {
      bool before = false;
      bool after = false;
      auto child = [](bool& reached, bool& passed) -> Task<> {
        reached = true;
        co_await spawned::sleep(1h);
        passed = true;
      };
      auto handle = spawned::spawn(child(before, after));
      handle.cancel();
      auto const result = co_await handle;
      CHECK(result.error().is_cancelled());
      CHECK(before);
      CHECK_FALSE(after);
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("cancelling a task that has ended changes nothing") {
    auto body = []() -> Task<int> {
      auto handle = spawned::spawn(number(2));
      while (!handle.is_finished()) co_await spawned::yield_now();
      handle.cancel();
      auto const result = co_await handle;
      co_return result.value();
    };
    CHECK(run(body()) == 2);
  }

  TEST_CASE("a cancelled task that catches Cancelled may still return a value") {
    auto body = []() -> Task<int> {
      auto child = []() -> Task<int> {
        try {
          co_await wait_for_cancel();
        } catch (spawned::Cancelled const&) {
        }
        co_return 3;
      };
      auto handle = spawned::spawn(child());
      co_await spawned::yield_now();
      handle.cancel();
      auto const result = co_await handle;
      co_return result.value();
    };
    CHECK(run(body()) == 3);
  }

  TEST_CASE("a cancelled await of a handle leaves the task alone and may be repeated") {
    auto body = []() -> Task<int> {
      auto [release, released] = spawned::oneshot<int>();
      auto inner = [](spawned::OneshotReceiver<int> from) -> Task<int> {
        auto const value = co_await from;
        co_return value.value();
      };
      auto joiner = [](JoinHandle<int>& target, bool& cancelled) -> Task<> {
        auto const result = co_await target;
        cancelled = !result.has_value() && result.error().is_cancelled();
      };
      auto target = spawned::spawn(inner(std::move(released)));
      bool cancelled = false;
      auto watcher = spawned::spawn(joiner(target, cancelled));
      co_await spawned::yield_now();
      watcher.cancel();
      (void)co_await watcher;
      CHECK(cancelled);
      CHECK_FALSE(target.is_finished());
      release.send(6);
      auto const result = co_await target;
      co_return result.value();
    };
    CHECK(run(body(), test::with_workers(1)) == 6);
  }

  TEST_CASE("a joined task has destroyed its locals and parameters") {
    auto body = []() -> Task<long> {
      auto const shared = std::make_shared<int>(1);
      auto child = [](std::shared_ptr<int> value) -> Task<> {
        auto const local = value;
        co_await spawned::yield_now();
      };
      auto handle = spawned::spawn(child(shared));
      (void)co_await handle;
      co_return shared.use_count();
    };
    CHECK(run(body()) == 1);
  }

  TEST_CASE("spawn outside a runtime throws NoRuntime") {
    CHECK_THROWS_AS((void)spawned::spawn(number(1)), spawned::NoRuntime);
  }

  TEST_CASE("join_blocking gives a plain thread the result") {
    Runtime runtime(test::with_workers(2));
    auto handle = runtime.spawn(number(8));
    CHECK(handle.join_blocking().value() == 8);
  }

  TEST_CASE("join_blocking on a worker throws instead of blocking it") {
    auto body = []() -> Task<> {
      auto handle = spawned::spawn(number(1));
      CHECK_THROWS_AS((void)handle.join_blocking(), spawned::BlockingInWorker);
      (void)co_await handle;
    };
    run(body());
  }

  TEST_CASE("a handle outlives its runtime and still holds the result") {
    JoinHandle<int> handle = [] {
      Runtime runtime(test::with_workers(1));
      auto started = runtime.spawn(number(5));
      test::wait_until([&] { return started.is_finished(); });
      return started;
    }();
    handle.cancel();
    CHECK(handle.join_blocking().value() == 5);
  }

  TEST_CASE("a task of one runtime may join a task of another") {
    Runtime first(test::with_workers(1));
    Runtime second(test::with_workers(1));
    auto child = []() -> Task<int> {
      co_await spawned::yield_now();
      co_return 11;
    };
    auto joiner = [](JoinHandle<int> handle) -> Task<int> {
      auto const result = co_await handle;
      co_return result.value();
    };
    CHECK(first.block_on(joiner(second.spawn(child()))) == 11);
  }

  TEST_CASE("ten thousand spawned tasks all run, once") {
    auto body = []() -> Task<int> {
      std::atomic<int> count{0};
      auto child = [](std::atomic<int>& counter) -> Task<> {
        counter.fetch_add(1);
        co_return;
      };
      std::vector<JoinHandle<void>> handles;
      for (int i = 0; i < 10'000; ++i) handles.push_back(spawned::spawn(child(count)));
      for (auto& handle : handles) (void)co_await handle;
      co_return count.load();
    };
    CHECK(run(body(), test::with_workers(2)) == 10'000);
  }

  TEST_CASE("yield_now lets what waits at the worker run first") {
    auto body = []() -> Task<std::string> {
      std::string order;
      auto child = [](std::string& out) -> Task<> {
        out += "child ";
        co_return;
      };
      auto handle = spawned::spawn(child(order));
      co_await spawned::yield_now();
      order += "parent";
      (void)co_await handle;
      co_return order;
    };
    CHECK(run(body(), test::with_workers(1)) == "child parent");
  }

  TEST_CASE("two tasks that yield take turns") {
    auto body = []() -> Task<std::string> {
      std::string order;
      auto child = [](std::string& out, char name) -> Task<> {
        for (int i = 0; i < 3; ++i) {
          out += name;
          co_await spawned::yield_now();
        }
      };
      auto first = spawned::spawn(child(order, 'a'));
      auto second = spawned::spawn(child(order, 'b'));
      (void)co_await first;
      (void)co_await second;
      co_return order;
    };
    std::string const order = run(body(), test::with_workers(1));
    CHECK((order == "ababab" || order == "bababa"));
  }

  TEST_CASE("tasks that only wake each other do not starve outside work") {
    Runtime runtime(test::with_workers(1));
    auto spin = [](std::atomic<bool>& stop) -> Task<> {
      while (!stop.load()) co_await spawned::yield_now();
    };
    std::atomic<bool> stop{false};
    auto first = runtime.spawn(spin(stop));
    auto second = runtime.spawn(spin(stop));
    CHECK(runtime.block_on(number(1)) == 1);
    stop = true;
    CHECK(first.join_blocking().has_value());
    CHECK(second.join_blocking().has_value());
  }

  TEST_CASE("spawn_blocking runs on a thread that is no worker and may block") {
    auto body = []() -> Task<std::string> {
      auto job = [](std::thread::id worker) {
        Runtime inner(test::with_workers(1));
        int const value = inner.block_on(number(1));
        return std::this_thread::get_id() != worker && value == 1 ? std::string("outside")
                                                                  : std::string("inside");
      };
      auto const bound = [id = std::this_thread::get_id(), job] { return job(id); };
      auto handle = spawned::spawn_blocking(bound);
      auto const result = co_await handle;
      co_return result.value();
    };
    CHECK(run(body()) == "outside");
  }

  TEST_CASE("an exception of a blocking job is in the join error, an int too") {
    auto body = []() -> Task<> {
      auto handle = spawned::spawn_blocking([]() -> int { throw 7; });
      auto const result = co_await handle;
      CHECK_FALSE(result.has_value());
      CHECK_THROWS_AS((void)result.value(), int);
    };
    run(body());
  }

  TEST_CASE("spawn_blocking outside a runtime throws NoRuntime") {
    CHECK_THROWS_AS((void)spawned::spawn_blocking([] {}), spawned::NoRuntime);
  }

  TEST_CASE("no more blocking jobs run at once than the cap, and the rest wait in the queue") {
    RuntimeOptions options = test::with_workers(2);
    options.blocking_threads_max = 3;
    Runtime runtime(options);
    struct State {
      std::atomic<int> running{0};
      std::atomic<int> most{0};
      std::atomic<bool> open{false};
    } state;
    auto body = [](State& shared) -> Task<> {
      auto const job = [&shared] {
        int const now = shared.running.fetch_add(1) + 1;
        int most = shared.most.load();
        while (most < now && !shared.most.compare_exchange_weak(most, now)) {
        }
        shared.open.wait(false);
        shared.running.fetch_sub(1);
      };
      std::vector<JoinHandle<void>> handles;
      for (int i = 0; i < 20; ++i) handles.push_back(spawned::spawn_blocking(job));
      for (auto& handle : handles) (void)co_await handle;
    };
    auto handle = runtime.spawn(body(state));
    test::wait_until([&] { return runtime.counters().blocking_queued == 17; });
    test::wait_until([&] { return state.running.load() == 3; });
    CHECK(runtime.counters().blocking_threads == 3);
    state.open = true;
    state.open.notify_all();
    CHECK(handle.join_blocking().has_value());
    CHECK(state.most.load() == 3);
  }

  TEST_CASE("a blocking thread without work leaves after the keep-alive") {
    RuntimeOptions options = test::with_workers(1);
    options.blocking_keep_alive = 0ns;
    Runtime runtime(options);
    auto body = []() -> Task<> {
      auto handle = spawned::spawn_blocking([] {});
      (void)co_await handle;
    };
    runtime.block_on(body());
    test::wait_until([&] { return runtime.counters().blocking_threads == 0; });
    CHECK(runtime.counters().blocking_idle == 0);
  }

  TEST_CASE("an idle blocking thread is used again within the keep-alive") {
    RuntimeOptions options = test::with_workers(1);
    options.blocking_keep_alive = 1h;
    Runtime runtime(options);
    auto body = []() -> Task<std::thread::id> {
      auto handle = spawned::spawn_blocking([] { return std::this_thread::get_id(); });
      auto const result = co_await handle;
      co_return result.value();
    };
    auto const first = runtime.block_on(body());
    for (int i = 0; i < 50; ++i) {
      test::wait_until([&] { return runtime.counters().blocking_idle == 1; });
      CHECK(runtime.block_on(body()) == first);
    }
    CHECK(runtime.counters().blocking_threads == 1);
  }

  TEST_CASE("a blocking job can be cancelled while it waits for a thread, and not later") {
    RuntimeOptions options = test::with_workers(1);
    options.blocking_threads_max = 1;
    Runtime runtime(options);
    std::latch running(1);
    std::latch open(1);
    auto body = [](std::latch& started, std::latch& go) -> Task<> {
      bool ran = false;
      auto const first = [&] {
        started.count_down();
        go.wait();
        return 1;
      };
      auto const second = [&ran] { ran = true; };
      auto running_job = spawned::spawn_blocking(first);
      auto queued_job = spawned::spawn_blocking(second);
      started.wait();
      running_job.cancel();
      queued_job.cancel();
      go.count_down();
      auto const finished = co_await running_job;
      CHECK(finished.value() == 1);
      auto const dropped = co_await queued_job;
      CHECK(dropped.error().is_cancelled());
      CHECK_FALSE(ran);
    };
    runtime.block_on(body(running, open));
  }

  TEST_CASE("blocking jobs whose handles are dropped are run before the runtime ends") {
    std::atomic<int> ran{0};
    {
      RuntimeOptions options = test::with_workers(1);
      options.blocking_threads_max = 2;
      Runtime runtime(options);
      auto body = [](std::atomic<int>& count) -> Task<> {
        auto const job = [&count] { count.fetch_add(1); };
        for (int i = 0; i < 100; ++i) {
          (void)spawned::spawn_blocking(job);
        }
        co_return;
      };
      runtime.block_on(body(ran));
    }
    CHECK(ran.load() == 100);
  }
}
