#include <spawned/runtime/channel.hpp>

#include <array>
#include <chrono>
#include <cstddef>
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

#include "support/doomed_task.hpp"
#include "support/runtime.hpp"

using namespace std::chrono_literals;
using spawned::ChannelReceiver;
using spawned::ChannelSender;
using spawned::run;
using spawned::Task;
using spawned::TrySend;
using spawned::WaitError;

namespace {

using Ints = std::vector<int>;

Task<Ints> receive_all(ChannelReceiver<int> receiver) {
  Ints all;
  while (auto value = co_await receiver.next()) all.push_back(*value);
  co_return all;
}

Task<> send_numbers(ChannelSender<int> sender, int from, int count) {
  for (int i = 0; i < count; ++i) {
    auto sent = co_await sender.send(from + i);
    CHECK(sent.has_value());
  }
}

Task<int> wait_for_one(ChannelReceiver<int>& receiver) {
  auto value = co_await receiver.next();
  co_return value.value();
}

template <typename T>
std::vector<T> rest_of(ChannelReceiver<T>& receiver) {
  std::vector<T> all;
  while (auto value = receiver.try_receive()) all.push_back(std::move(*value));
  return all;
}

struct Throwing {
  explicit Throwing(int /*unused*/) { throw std::runtime_error("no value"); }
};

}  // namespace

TEST_SUITE("runtime/channel") {
  TEST_CASE("values arrive in the order sent, and the end comes after the last of them") {
    auto body = []() -> Task<Ints> {
      auto [sender, receiver] = spawned::channel<int>(3);
      auto all = spawned::spawn(receive_all(std::move(receiver)));
      co_await send_numbers(std::move(sender), 0, 10);
      auto received = co_await all;
      co_return received.value();
    };
    for (unsigned const workers : {1U, 2U}) {
      CHECK(run(body(), test::with_workers(workers)) == Ints{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    }
  }

  TEST_CASE("send suspends while the channel is full, and those who wait get room in turn") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<int>(1);
      CHECK(sender.try_send(0) == TrySend::ok);
      std::vector<spawned::JoinHandle<void>> waiting;
      for (int i = 1; i <= 3; ++i) {
        waiting.push_back(spawned::spawn(send_numbers(sender, i, 1)));
        co_await spawned::yield_now();
      }
      CHECK(sender.try_send(9) == TrySend::full);
      CHECK_FALSE(waiting[0].is_finished());
      for (int i = 0; i <= 3; ++i) {
        auto value = co_await receiver.next();
        CHECK(value == i);
      }
      for (auto& each : waiting) {
        auto ended = co_await each;
        CHECK(ended.has_value());
      }
      CHECK_FALSE(receiver.try_receive().has_value());
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("a capacity of zero is refused with a sentence that says so") {
    CHECK_THROWS_WITH_AS((void)spawned::channel<int>(0),
                         "channel: a capacity of zero would hold no value; give 1 or more, or use "
                         "unbounded_channel()",
                         std::invalid_argument);
  }

  TEST_CASE("try_send on a full channel leaves the value alone, and takes it when there is room") {
    auto [sender, receiver] = spawned::channel<std::unique_ptr<int>>(1);
    CHECK(sender.try_send(std::make_unique<int>(1)) == TrySend::ok);
    auto value = std::make_unique<int>(2);
    CHECK(sender.try_send(std::move(value)) == TrySend::full);
    REQUIRE(value != nullptr);
    CHECK(**receiver.try_receive() == 1);
    CHECK(sender.try_send(std::move(value)) == TrySend::ok);
    CHECK(**receiver.try_receive() == 2);
  }

  TEST_CASE("an unbounded channel takes everything at once") {
    auto [sender, receiver] = spawned::unbounded_channel<int>();
    for (int i = 0; i < 10'000; ++i) {
      if (sender.try_send(i) != TrySend::ok) FAIL("refused");
    }
    CHECK(rest_of(receiver).size() == 10'000);
  }

  TEST_CASE("a value is built in place from the arguments of send") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<std::pair<std::string, int>>(2);
      auto sent = co_await sender.send("one", 1);
      CHECK(sent.has_value());
      std::pair<std::string, int> two("two", 2);
      auto sent_too = co_await sender.send(spawned::moved(two));
      CHECK(sent_too.has_value());
      auto first = co_await receiver.next();
      CHECK(first == std::pair<std::string, int>("one", 1));
      auto second = co_await receiver.next();
      CHECK(second == std::pair<std::string, int>("two", 2));
    };
    run(body());
  }

  TEST_CASE("a value that cannot be built is not sent, and takes no place") {
    auto [sender, receiver] = spawned::channel<Throwing>(1);
    for (int i = 0; i < 3; ++i) {
      CHECK_THROWS_AS((void)sender.try_send(1), std::runtime_error);
      CHECK_THROWS_AS((void)sender.send_blocking(1), std::runtime_error);
    }
    CHECK_FALSE(receiver.try_receive().has_value());
  }

  TEST_CASE("the channel ends when the last copy of the sender has gone") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<int>(4);
      auto all = spawned::spawn(receive_all(std::move(receiver)));
      {
        auto const copy = sender;
        auto const gone = std::move(sender);
        co_await spawned::yield_now();
        CHECK_FALSE(all.is_finished());
      }
      auto received = co_await all;
      CHECK(received.value().empty());
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("next yields nothing again after the end") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<int>(1);
      {
        auto const gone = std::move(sender);
      }
      for (int i = 0; i < 3; ++i) {
        auto value = co_await receiver.next();
        CHECK_FALSE(value.has_value());
      }
    };
    run(body());
  }

  TEST_CASE("close refuses new values and those who wait, and lets the rest be received") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<int>(1);
      CHECK(sender.try_send(1) == TrySend::ok);
      auto waits = [](ChannelSender<int> mine) -> Task<bool> {
        auto sent = co_await mine.send(2);
        co_return !sent && sent.error() == WaitError::closed;
      };
      auto waiting = spawned::spawn(waits(sender));
      co_await spawned::yield_now();
      CHECK_FALSE(sender.is_closed());
      receiver.close();
      CHECK(sender.is_closed());
      auto refused = co_await waiting;
      CHECK(refused.value());
      CHECK(sender.try_send(3) == TrySend::closed);
      auto value = co_await receiver.next();
      CHECK(value == 1);
      auto end = co_await receiver.next();
      CHECK_FALSE(end.has_value());
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("a receiver that goes drops what is in the channel and tells the senders") {
    auto const value = std::make_shared<int>(1);
    auto [sender, receiver] = spawned::channel<std::shared_ptr<int>>(1);
    CHECK(sender.send_blocking(value).has_value());
    std::thread blocked([mine = &sender, &value] {
      auto const sent = mine->send_blocking(value);
      CHECK(sent.error() == WaitError::closed);
    });
    test::wait_until([&] { return value.use_count() == 3; });
    {
      auto const gone = std::move(receiver);
    }
    blocked.join();
    CHECK(value.use_count() == 1);
    CHECK(sender.send_blocking(value).error() == WaitError::closed);
    CHECK(value.use_count() == 1);
  }

  TEST_CASE("a cancelled next throws and loses nothing") {
    auto [sender, receiver] = spawned::channel<int>(4);
    spawned::Runtime runtime(test::with_workers(2));
    auto task = runtime.spawn(wait_for_one(receiver));
    task.cancel();
    CHECK(task.join_blocking().error().is_cancelled());
    CHECK(sender.try_send(7) == TrySend::ok);
    // Cancelled before it asks, and the value is there already.
    auto late = [](ChannelReceiver<int>& from) -> Task<int> {
      try {
        for (;;) co_await spawned::yield_now();
      } catch (spawned::Cancelled const&) {
      }
      auto value = co_await from.next();
      co_return value.value();
    };
    auto second = runtime.spawn(late(receiver));
    second.cancel();
    CHECK(second.join_blocking().error().is_cancelled());
    CHECK(rest_of(receiver) == Ints{7});
  }

  TEST_CASE("a cancelled send says so once, then throws, and its value is not sent") {
    auto [sender, receiver] = spawned::channel<int>(1);
    CHECK(sender.try_send(1) == TrySend::ok);
    spawned::Runtime runtime(test::with_workers(2));
    auto insists = [](ChannelSender<int> mine, int& refused) -> Task<> {
      for (;;) {
        auto sent = co_await mine.send(2);
        if (!sent && sent.error() == WaitError::cancelled) ++refused;
      }
    };
    int refused = 0;
    auto task = runtime.spawn(insists(sender, refused));
    task.cancel();
    CHECK(task.join_blocking().error().is_cancelled());
    CHECK(refused == 1);
    CHECK(rest_of(receiver) == Ints{1});
    CHECK(sender.try_send(3) == TrySend::ok);  // the place of the one that gave up is free
  }

  TEST_CASE("of several values the next one is not lost to a cancelled wait that raced it") {
    spawned::Runtime runtime(test::with_workers(2));
    auto waits = [](ChannelReceiver<int>& from, int& got) -> Task<> {
      while (auto value = co_await from.next()) ++got;
    };
    for (int round = 0; round < 500; ++round) {
      auto [sender, receiver] = spawned::channel<int>(2);
      int got = 0;
      auto task = runtime.spawn(waits(receiver, got));
      int sent = 0;
      for (int i = 0; i < 4; ++i) {
        if (sender.try_send(i) == TrySend::ok) ++sent;
        if (i == round % 4) task.cancel();
      }
      CHECK(task.join_blocking().error().is_cancelled());
      if (got + static_cast<int>(rest_of(receiver).size()) != sent) FAIL("a value was lost");
    }
  }

  TEST_CASE("a suspended receiver can be destroyed, and nothing is lost") {
    auto [sender, receiver] = spawned::channel<int>(1);
    test::DoomedTask task([](ChannelReceiver<int>& from) -> Task<> {
      (void)co_await from.next();
      FAIL("resumed");
    }(receiver));
    task.doom();
    CHECK(task.wakes() == 1);
    auto body = [](ChannelSender<int>& to, ChannelReceiver<int>& from) -> Task<int> {
      auto next = spawned::spawn(wait_for_one(from));  // nobody waits any more: it may
      co_await spawned::yield_now();
      CHECK(to.try_send(1) == TrySend::ok);
      auto value = co_await next;
      co_return value.value();
    };
    CHECK(run(body(sender, receiver), test::with_workers(1)) == 1);
    CHECK(task.wakes() == 1);
  }

  TEST_CASE("a sender that is destroyed while it waits leaves the line, its value with it") {
    auto const value = std::make_shared<int>(1);
    auto [sender, receiver] = spawned::channel<std::shared_ptr<int>>(1);
    CHECK(sender.try_send(nullptr) == TrySend::ok);
    {
      test::DoomedTask task(
          [](ChannelSender<std::shared_ptr<int>> mine, std::shared_ptr<int> what) -> Task<> {
            (void)co_await mine.send(std::move(what));
            FAIL("resumed");
          }(sender, value));
      CHECK(value.use_count() == 2);
      task.doom();
      CHECK(value.use_count() == 1);
      CHECK(task.wakes() == 1);
    }
    CHECK(rest_of(receiver).size() == 1);
  }

  TEST_CASE("a sender destroyed after it got room has sent") {
    auto [sender, receiver] = spawned::channel<int>(1);
    CHECK(sender.try_send(1) == TrySend::ok);
    test::DoomedTask task([](ChannelSender<int> mine) -> Task<> {
      (void)co_await mine.send(2);
      FAIL("resumed");
    }(sender));
    CHECK(receiver.try_receive() == 1);
    CHECK(task.wakes() == 1);
    task.doom();
    CHECK(task.wakes() == 1);
    CHECK(receiver.try_receive() == 2);
  }

  TEST_CASE("a second waiter for the next value is an error, and the first goes on") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<int>(1);
      auto first = spawned::spawn(wait_for_one(receiver));
      co_await spawned::yield_now();
      auto second = spawned::spawn(wait_for_one(receiver));
      auto failed = co_await second;
      REQUIRE_FALSE(failed.has_value());
      CHECK(failed.error().what().find("one at a time") != std::string::npos);
      CHECK(sender.try_send(5) == TrySend::ok);
      auto got = co_await first;
      CHECK(got.value() == 5);
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("threads send and receive, blocking") {
    auto [sender, receiver] = spawned::channel<int>(2);
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([mine = sender]() mutable {
        for (int i = 0; i < 1'000; ++i) {
          if (!mine.send_blocking(1)) FAIL("refused");
        }
      });
    }
    {
      auto const gone = std::move(sender);
    }
    int sum = 0;
    while (auto const value = receiver.receive_blocking()) sum += *value;
    CHECK(sum == 3'000);
    for (std::thread& thread : threads) thread.join();
  }

  TEST_CASE("blocking calls on a worker throw instead") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<int>(1);
      CHECK_THROWS_AS((void)sender.send_blocking(1), spawned::BlockingInWorker);
      CHECK_THROWS_AS((void)receiver.receive_blocking(), spawned::BlockingInWorker);
      CHECK_FALSE(receiver.try_receive().has_value());
      co_return;
    };
    run(body());
  }

  TEST_CASE("two runtimes talk through one channel") {
    auto [sender, receiver] = spawned::channel<int>(2);
    spawned::Runtime first(test::with_workers(1));
    spawned::Runtime second(test::with_workers(1));
    auto received = first.spawn(receive_all(std::move(receiver)));
    auto sent = second.spawn(send_numbers(std::move(sender), 0, 100));
    CHECK(sent.join_blocking().has_value());
    CHECK(received.join_blocking().value().size() == 100);
  }

  TEST_CASE("a sender or a receiver that never has to wait lets others run all the same") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::unbounded_channel<int>();
      bool stop = false;
      auto floods = [](ChannelSender<int> mine, bool& end) -> Task<> {
        while (!end) {
          auto sent = co_await mine.send(1);
          CHECK(sent.has_value());
        }
      };
      auto flood = spawned::spawn(floods(std::move(sender), stop));
      co_await spawned::yield_now();  // comes back only if the flood lets it
      stop = true;
      auto all = co_await receive_all(std::move(receiver));
      CHECK(all.size() >= 100);
      auto ended = co_await flood;
      CHECK(ended.has_value());
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("waiting for a value is no timer: virtual time stands still") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<int>(1);
      auto const limit = co_await spawned::timeout(1h, receive_all(std::move(receiver)));
      CHECK(limit.error() == WaitError::timeout);
      CHECK(sender.is_closed());
    };
    run(body(), test::virtual_time());
  }

  TEST_CASE("moved-from ends are closed, and assigning an end gives up the channel it had") {
    auto first = spawned::channel<int>(1);
    auto second = spawned::channel<int>(1);
    first.sender = second.sender;
    CHECK_FALSE(first.receiver.receive_blocking().has_value());
    first.receiver = std::move(second.receiver);
    CHECK(first.sender.try_send(1) == TrySend::ok);
    CHECK(first.receiver.try_receive() == 1);
    auto const moved = std::move(first.sender);
    CHECK(first.sender.is_closed());                         // NOLINT(bugprone-use-after-move)
    CHECK(first.sender.try_send(1) == TrySend::closed);      // NOLINT(bugprone-use-after-move)
    CHECK_FALSE(first.sender.send_blocking(1).has_value());  // NOLINT(bugprone-use-after-move)
    CHECK_FALSE(second.receiver.receive_blocking());         // NOLINT(bugprone-use-after-move)
    second.receiver.close();
    auto body = [](ChannelSender<int> none, ChannelReceiver<int> nothing) -> Task<> {
      auto const kept = std::move(none);
      auto sent = co_await none.send(1);  // NOLINT(bugprone-use-after-move)
      CHECK(sent.error() == WaitError::closed);
      auto value = co_await nothing.next();
      CHECK_FALSE(value.has_value());
    };
    run(body(moved, std::move(second.receiver)));
  }

  TEST_CASE("a receiver is an AsyncSequence of its values") {
    static_assert(spawned::AsyncSequence<ChannelReceiver<std::string>>);
    static_assert(
        std::is_same_v<spawned::sequence_value_t<ChannelReceiver<std::string>>, std::string>);
    static_assert(!spawned::AsyncSequence<ChannelSender<int>>);
    static_assert(!spawned::AsyncSequence<spawned::Interval>);
    CHECK(spawned::AsyncSequence<ChannelReceiver<std::unique_ptr<int>>>);
  }
}
