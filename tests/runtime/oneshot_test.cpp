#include <spawned/runtime/oneshot.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

#include "support/runtime.hpp"

using namespace std::chrono_literals;
using spawned::OneshotReceiver;
using spawned::OneshotSender;
using spawned::run;
using spawned::Runtime;
using spawned::Task;
using spawned::WaitError;

namespace {

Task<int> receive(OneshotReceiver<int> receiver) {
  auto const result = co_await receiver;
  co_return result.has_value() ? *result : -1;
}

}  // namespace

TEST_SUITE("runtime/oneshot") {
  TEST_CASE("a value sent before the await is received without suspending") {
    auto body = []() -> Task<int> {
      auto [sender, receiver] = spawned::oneshot<int>();
      CHECK(sender.send(3));
      auto const result = co_await receiver;
      co_return result.value();
    };
    CHECK(run(body()) == 3);
  }

  TEST_CASE("a value sent later wakes the receiver") {
    auto body = []() -> Task<int> {
      auto [sender, receiver] = spawned::oneshot<int>();
      auto handle = spawned::spawn(receive(std::move(receiver)));
      co_await spawned::yield_now();
      CHECK(sender.send(4));
      auto const result = co_await handle;
      co_return result.value();
    };
    CHECK(run(body(), test::with_workers(1)) == 4);
  }

  TEST_CASE("a sender destroyed unused closes the channel") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::oneshot<int>();
      auto handle = spawned::spawn(receive(std::move(receiver)));
      co_await spawned::yield_now();
      {
        auto const gone = std::move(sender);
      }
      auto const result = co_await handle;
      CHECK(result.value() == -1);
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("the value is taken once, a second await yields closed") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::oneshot<int>();
      sender.send(1);
      auto const first = co_await receiver;
      CHECK(first.value() == 1);
      auto const second = co_await receiver;
      CHECK(second.error() == WaitError::closed);
      auto const other = std::move(receiver);
      auto const empty = co_await receiver;  // NOLINT(bugprone-use-after-move)
      CHECK(empty.error() == WaitError::closed);
    };
    run(body());
  }

  TEST_CASE("send says whether somebody will receive the value, and only once") {
    auto [sender, receiver] = spawned::oneshot<int>();
    CHECK_FALSE(sender.is_closed());
    {
      auto const gone = std::move(receiver);
    }
    CHECK(sender.is_closed());
    CHECK_FALSE(sender.send(1));
    CHECK_FALSE(sender.send(2));
    CHECK(sender.is_closed());
  }

  TEST_CASE("a value nobody receives is destroyed, whoever goes first") {
    auto const value = std::make_shared<int>(1);
    {
      auto [sender, receiver] = spawned::oneshot<std::shared_ptr<int>>();
      sender.send(value);
      CHECK(value.use_count() == 2);
    }
    CHECK(value.use_count() == 1);
    {
      auto [sender, receiver] = spawned::oneshot<std::shared_ptr<int>>();
      {
        auto const gone = std::move(receiver);
      }
      CHECK_FALSE(sender.send(value));
      CHECK(value.use_count() == 1);
    }
  }

  TEST_CASE("assigning a half gives up the channel it had") {
    auto first = spawned::oneshot<int>();
    auto second = spawned::oneshot<int>();
    first.sender = std::move(second.sender);
    CHECK(first.receiver.receive_blocking().error() == WaitError::closed);
    first.sender.send(5);
    CHECK(second.receiver.receive_blocking().value() == 5);
    auto third = spawned::oneshot<int>();
    auto fourth = spawned::oneshot<int>();
    third.receiver = std::move(fourth.receiver);
    CHECK_FALSE(third.sender.send(1));
    CHECK(fourth.sender.send(2));
  }

  TEST_CASE("a value that can only be moved, or that has an empty state, gets through") {
    auto unique = spawned::oneshot<std::unique_ptr<std::string>>();
    unique.sender.send(std::make_unique<std::string>("here"));
    auto const text = unique.receiver.receive_blocking();
    CHECK(**text == "here");
    auto nullable = spawned::oneshot<std::optional<int>>();
    nullable.sender.send(std::nullopt);
    auto const nothing = nullable.receiver.receive_blocking();
    CHECK(nothing.has_value());
    CHECK_FALSE(nothing->has_value());
  }

  TEST_CASE("a cancelled await loses nothing: the receiver can be awaited again") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::oneshot<int>();
      auto wait = [](OneshotReceiver<int>& from) -> Task<bool> {
        auto const result = co_await from;
        co_return !result.has_value() && result.error() == WaitError::cancelled;
      };
      auto handle = spawned::spawn(wait(receiver));
      co_await spawned::yield_now();
      handle.cancel();
      auto const cancelled = co_await handle;
      CHECK(cancelled.value());
      CHECK_FALSE(sender.is_closed());
      CHECK(sender.send(7));
      auto const result = co_await receiver;
      CHECK(result.value() == 7);
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("receive_blocking waits on a plain thread and is refused on a worker") {
    auto [sender, receiver] = spawned::oneshot<int>();
    std::thread other([out = std::move(sender)]() mutable { out.send(8); });
    CHECK(receiver.receive_blocking().value() == 8);
    other.join();

    auto body = []() -> Task<> {
      auto [out, in] = spawned::oneshot<int>();
      CHECK_THROWS_AS((void)in.receive_blocking(), spawned::BlockingInWorker);
      co_return;
    };
    run(body());
  }

  TEST_CASE("the receiver runs right after the sender's turn, before work that waited longer") {
    auto body = []() -> Task<std::string> {
      std::string order;
      auto note = [](std::string& out, char name) -> Task<> {
        out += name;
        co_return;
      };
      auto wait = [](std::string& out, OneshotReceiver<int> from) -> Task<> {
        auto const value = co_await from;
        (void)value;
        out += 'r';
      };
      auto [sender, receiver] = spawned::oneshot<int>();
      auto waiting = spawned::spawn(wait(order, std::move(receiver)));
      co_await spawned::yield_now();
      auto queued = spawned::spawn(note(order, 'q'));
      sender.send(1);
      (void)co_await waiting;
      (void)co_await queued;
      co_return order;
    };
    CHECK(run(body(), test::with_workers(1)) == "rq");
  }

  TEST_CASE("a send that ends the last task of a runtime is done with the runtime when it ends") {
    // The sender is no worker: its wake-up must not touch a runtime that its value let go.
    for (int round = 0; round < 1'000; ++round) {
      auto [sender, receiver] = spawned::oneshot<int>();
      std::atomic<bool> go{false};
      std::thread other([&go, out = std::move(sender)]() mutable {
        test::wait_until([&] { return go.load(); });
        out.send(1);
      });
      {
        Runtime runtime(test::with_workers(1));
        auto handle = runtime.spawn(receive(std::move(receiver)));
        go = true;
        CHECK(handle.join_blocking().value() == 1);
      }
      other.join();
    }
  }

  TEST_CASE("values cross between runtimes in both directions") {
    auto pong = [](OneshotReceiver<int> in, OneshotSender<int> out) -> Task<> {
      auto const value = co_await in;
      out.send(*value + 1);
    };
    Runtime first(test::with_workers(1));
    Runtime second(test::with_workers(1));
    for (int round = 0; round < 500; ++round) {
      auto [there, arrives] = spawned::oneshot<int>();
      auto [back, returns] = spawned::oneshot<int>();
      auto handle = second.spawn(pong(std::move(arrives), std::move(back)));
      auto ask = [](OneshotSender<int> out, OneshotReceiver<int> in, int value) -> Task<int> {
        out.send(value);
        auto const answer = co_await in;
        co_return *answer;
      };
      CHECK(first.block_on(ask(std::move(there), std::move(returns), round)) == round + 1);
      (void)handle.join_blocking();
    }
  }
}
