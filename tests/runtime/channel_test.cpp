#include <spawned/runtime/channel.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/oneshot.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/spawn.hpp>

#include "support/runtime.hpp"
#include "support/suspended.hpp"

using spawned::Cancelled;
using spawned::ChannelReceiver;
using spawned::ChannelSender;
using spawned::JoinHandle;
using spawned::run;
using spawned::Runtime;
using spawned::Task;
using spawned::TrySend;
using spawned::WaitError;

namespace {

static_assert(spawned::AsyncSequence<ChannelReceiver<int>>);
static_assert(spawned::AsyncSequence<ChannelReceiver<std::unique_ptr<int>>>);
static_assert(!spawned::AsyncSequence<ChannelSender<int>>);
static_assert(!spawned::AsyncSequence<std::optional<int>>);

/// A value that throws when it is moved or copied out of its first place.
struct Fragile {
  Fragile() = default;
  Fragile(Fragile const& /*other*/) { throw std::runtime_error("does not travel"); }
};

Task<std::vector<int>> receive_all(ChannelReceiver<int> receiver) {
  std::vector<int> all;
  while (auto const value = co_await receiver.next()) all.push_back(*value);
  co_return all;
}

/// Sends first, first + 1, ... and returns what the last send said.
Task<spawned::Result<void, WaitError>> send_row(ChannelSender<int> sender, int first, int count) {
  for (int i = 0; i + 1 < count; ++i) (void)co_await sender.send(first + i);
  co_return co_await sender.send(first + count - 1);
}

}  // namespace

TEST_SUITE("runtime/channel") {
  TEST_CASE("values arrive in the order sent, and the end comes when all senders are gone") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<int>(3);
      auto all = spawned::spawn(receive_all(std::move(receiver)));
      {
        auto const last = std::move(sender);
        auto row = spawned::spawn(send_row(last, 0, 100));
        auto const sent = co_await row;
        CHECK(sent.value().has_value());
        CHECK_FALSE(all.is_finished());
      }
      auto const values = co_await all;
      CHECK(values.value().size() == 100);
      for (int i = 0; i < 100; ++i) CHECK(values.value()[static_cast<std::size_t>(i)] == i);
    };
    run(body());
  }

  TEST_CASE("a send waits while the channel is full, and a free place ends its wait") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<int>(2);
      CHECK(sender.try_send(1) == TrySend::ok);
      CHECK(sender.try_send(2) == TrySend::ok);
      auto waiting = spawned::spawn(send_row(sender, 3, 1));
      co_await spawned::yield_now();
      co_await spawned::yield_now();
      CHECK_FALSE(waiting.is_finished());
      CHECK(receiver.try_next() == 1);
      auto const sent = co_await waiting;
      CHECK(sent.value().has_value());
      CHECK(receiver.try_next() == 2);
      CHECK(receiver.try_next() == 3);
      CHECK(receiver.try_next() == std::nullopt);
      CHECK_FALSE(receiver.is_ended());
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("sends that wait get their turns in order, and try_send does not overtake them") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<int>(1);
      CHECK(sender.try_send(0) == TrySend::ok);
      std::vector<JoinHandle<spawned::Result<void, WaitError>>> rows;
      for (int i = 1; i <= 3; ++i) {
        rows.push_back(spawned::spawn(send_row(sender, i, 1)));
        co_await spawned::yield_now();
      }
      CHECK(receiver.try_next() == 0);
      CHECK(sender.try_send(9) == TrySend::full);
      for (int i = 1; i <= 3; ++i) CHECK(receiver.try_next() == i);
      CHECK(sender.try_send(9) == TrySend::ok);
      for (auto& row : rows) (void)co_await row;
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("try_send to a full channel leaves the value with the caller") {
    auto [sender, receiver] = spawned::channel<std::unique_ptr<int>>(1);
    auto first = std::make_unique<int>(1);
    auto second = std::make_unique<int>(2);
    CHECK(sender.try_send(std::move(first)) == TrySend::ok);
    CHECK(sender.try_send(std::move(second)) == TrySend::full);
    CHECK(second != nullptr);
    CHECK(**receiver.try_next() == 1);
    receiver.close();
    CHECK(sender.try_send(std::move(second)) == TrySend::closed);
    CHECK(second != nullptr);
    CHECK(std::string(to_string(TrySend::full)) == "full");
  }

  TEST_CASE("an unbounded channel is never full") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::unbounded_channel<int>();
      for (int i = 0; i < 5'000; ++i) {
        auto const sent = co_await sender.send(i);
        CHECK(sent.has_value());
        CHECK(sender.try_send(i) == TrySend::ok);
      }
      for (int i = 0; i < 10'000; ++i) {
        auto const value = co_await receiver.next();
        CHECK(value == i / 2);
      }
    };
    run(body());
  }

  TEST_CASE("a capacity of zero is an invalid_argument that says so") {
    CHECK_THROWS_WITH_AS(
        (void)spawned::channel<int>(0),
        "channel: the capacity is 0, which no value fits in; it must be at least 1",
        std::invalid_argument);
  }

  TEST_CASE("close ends sending, also of those who wait, and what was sent is still received") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<int>(1);
      CHECK(sender.try_send(1) == TrySend::ok);
      auto waiting = spawned::spawn(send_row(sender, 2, 1));
      co_await spawned::yield_now();
      receiver.close();
      receiver.close();
      CHECK(sender.is_closed());
      auto const refused = co_await waiting;
      CHECK(refused.value().error() == WaitError::closed);
      auto const late = co_await sender.send(3);
      CHECK(late.error() == WaitError::closed);
      CHECK_FALSE(receiver.is_ended());
      auto const value = co_await receiver.next();
      CHECK(value == 1);
      CHECK(receiver.is_ended());
      auto const end = co_await receiver.next();
      CHECK(end == std::nullopt);
      auto const still = co_await receiver.next();
      CHECK(still == std::nullopt);
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("a receiver that goes closes the channel and destroys what it did not take") {
    auto const value = std::make_shared<int>(1);
    auto body = [](std::shared_ptr<int> shared) -> Task<> {
      auto [sender, receiver] = spawned::channel<std::shared_ptr<int>>(1);
      CHECK(sender.try_send(shared) == TrySend::ok);
      auto row = [](ChannelSender<std::shared_ptr<int>> out,
                    std::shared_ptr<int> in) -> Task<bool> {
        auto const result = co_await out.send(std::move(in));
        co_return !result.has_value() && result.error() == WaitError::closed;
      };
      auto waiting = spawned::spawn(row(sender, shared));
      co_await spawned::yield_now();
      CHECK(shared.use_count() == 4);
      {
        auto const gone = std::move(receiver);
      }
      auto const closed = co_await waiting;
      CHECK(closed.value());
      CHECK(shared.use_count() == 2);
      CHECK(sender.is_closed());
    };
    run(body(value), test::with_workers(1));
    CHECK(value.use_count() == 1);
  }

  TEST_CASE("values that nobody takes are destroyed, whoever goes first, and a dropped send too") {
    auto const value = std::make_shared<int>(1);
    {
      auto [sender, receiver] = spawned::unbounded_channel<std::shared_ptr<int>>();
      CHECK(sender.try_send(value) == TrySend::ok);
      {
        auto const gone = std::move(sender);
      }
      CHECK(value.use_count() == 2);
    }
    CHECK(value.use_count() == 1);
    {
      auto [sender, receiver] = spawned::unbounded_channel<std::shared_ptr<int>>();
      (void)sender.send(value);
      CHECK(value.use_count() == 1);
      CHECK(receiver.try_next() == std::nullopt);
    }
  }

  TEST_CASE("a cancelled next throws Cancelled and loses nothing: it can be called again") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<int>(1);
      auto wait = [](ChannelReceiver<int>& from) -> Task<int> {
        auto const value = co_await from.next();
        co_return value.value_or(-1);
      };
      auto handle = spawned::spawn(wait(receiver));
      co_await spawned::yield_now();
      handle.cancel();
      auto const cancelled = co_await handle;
      CHECK(cancelled.error().is_cancelled());
      CHECK(sender.try_send(7) == TrySend::ok);
      auto const value = co_await receiver.next();
      CHECK(value == 7);
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("a value that is there is delivered in a cancelled task, then next throws") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<int>(1);
      CHECK(sender.try_send(7) == TrySend::ok);
      auto child = [](ChannelReceiver<int> from, bool& got) -> Task<> {
        auto const value = co_await from.next();
        got = value == 7;
        auto const more = co_await from.next();
        (void)more;
        FAIL("not cancelled");
      };
      bool got = false;
      auto handle = spawned::spawn(child(std::move(receiver), got));
      handle.cancel();
      auto const result = co_await handle;
      CHECK(result.error().is_cancelled());
      CHECK(got);
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("a cancelled send that waited yields cancelled, and its value is not sent") {
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<int>(1);
      CHECK(sender.try_send(1) == TrySend::ok);
      auto handle = spawned::spawn(send_row(sender, 2, 1));
      co_await spawned::yield_now();
      handle.cancel();
      auto const cancelled = co_await handle;
      CHECK(cancelled.value().error() == WaitError::cancelled);
      CHECK(receiver.try_next() == 1);
      CHECK(receiver.try_next() == std::nullopt);
      CHECK(sender.try_send(3) == TrySend::ok);
    };
    run(body(), test::with_workers(1));
  }

  TEST_CASE("an await that is destroyed while it is suspended leaves the channel usable") {
    Runtime runtime(test::with_workers(1));
    test::CountingHome home(runtime);
    auto [sender, receiver] = spawned::channel<std::shared_ptr<int>>(1);
    auto const value = std::make_shared<int>(1);
    {
      test::SuspendedContext context(home);
      auto waiting = receiver.next();
      CHECK(context.await(waiting));
    }
    CHECK(sender.try_send(value) == TrySend::ok);
    {
      test::SuspendedContext context(home);
      auto waiting = sender.send(value);
      CHECK(context.await(waiting));
      CHECK(value.use_count() == 3);
    }
    CHECK(value.use_count() == 2);
    CHECK(receiver.try_next() == value);
    CHECK(receiver.try_next() == std::nullopt);
    CHECK(home.posted == 0);
  }

  TEST_CASE("two calls that wait at one receiver are a logic_error in the second") {
    Runtime runtime(test::with_workers(1));
    test::CountingHome home(runtime);
    auto [sender, receiver] = spawned::channel<int>(1);
    test::SuspendedContext context(home);
    auto first = receiver.next();
    CHECK(context.await(first));
    CHECK_THROWS_AS((void)receiver.next_blocking(), std::logic_error);
  }

  TEST_CASE("a value that cannot be moved in is not sent, and the channel keeps its place") {
    auto [sender, receiver] = spawned::channel<Fragile>(1);
    Fragile const fragile;
    CHECK_THROWS_AS((void)sender.try_send(fragile), std::runtime_error);
    CHECK_THROWS_AS((void)sender.send(fragile), std::runtime_error);
    CHECK_THROWS_AS((void)sender.try_send(fragile), std::runtime_error);
    CHECK_FALSE(receiver.is_ended());
  }

  TEST_CASE("halves can be assigned, and those moved from are closed") {
    auto first = spawned::channel<int>(1);
    auto second = spawned::channel<int>(1);
    first.sender = second.sender;
    CHECK(first.receiver.is_ended());
    CHECK(first.sender.try_send(5) == TrySend::ok);
    first.receiver = std::move(second.receiver);
    CHECK(first.receiver.next_blocking() == 5);
    CHECK(second.receiver.next_blocking() == std::nullopt);  // NOLINT(bugprone-use-after-move)
    CHECK(second.receiver.try_next() == std::nullopt);
    second.receiver.close();
    auto const gone = std::move(second.sender);
    CHECK(second.sender.try_send(1) == TrySend::closed);  // NOLINT(bugprone-use-after-move)
    CHECK(second.sender.send_blocking(1).error() == WaitError::closed);
    auto body = [](ChannelSender<int>& empty) -> Task<> {
      auto const sent = co_await empty.send(1);
      CHECK(sent.error() == WaitError::closed);
    };
    run(body(second.sender));
  }

  TEST_CASE("a named value with a destructor is handed over by moved") {
    struct Named {
      std::string text;
    };
    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<Named>(1);
      Named named{"long enough to be on the heap, where a second free is seen"};
      auto const sent = co_await sender.send(spawned::moved(named));
      CHECK(sent.has_value());
      auto const value = co_await receiver.next();
      CHECK(value->text.starts_with("long enough"));
    };
    run(body());
  }

  TEST_CASE("a value that has an empty state of its own is a value, empty or not") {
    auto [sender, receiver] = spawned::channel<std::optional<int>>(2);
    CHECK(sender.try_send(std::nullopt) == TrySend::ok);
    CHECK(sender.try_send(3) == TrySend::ok);
    auto const empty = receiver.next_blocking();
    CHECK(empty.has_value());
    CHECK_FALSE(empty->has_value());
    auto const full = receiver.next_blocking();
    CHECK(full->value() == 3);
    CHECK_FALSE(receiver.try_next().has_value());
  }

  TEST_CASE("threads block to send and to receive, and are refused on a worker") {
    auto channel = spawned::channel<int>(1);
    std::thread other([sender = std::move(channel.sender)]() mutable {
      for (int i = 0; i < 1'000; ++i) CHECK(sender.send_blocking(i).has_value());
    });
    for (int i = 0; i < 1'000; ++i) CHECK(channel.receiver.next_blocking() == i);
    CHECK(channel.receiver.next_blocking() == std::nullopt);
    other.join();

    auto body = []() -> Task<> {
      auto [sender, receiver] = spawned::channel<int>(1);
      CHECK_THROWS_AS((void)receiver.next_blocking(), spawned::BlockingInWorker);
      CHECK_THROWS_AS((void)sender.send_blocking(1), spawned::BlockingInWorker);
      co_return;
    };
    run(body());
  }

  TEST_CASE("a thread that waits for room is woken when the channel closes") {
    auto [sender, receiver] = spawned::channel<int>(1);
    CHECK(sender.try_send(1) == TrySend::ok);
    std::thread other(
        [out = sender]() mutable { CHECK(out.send_blocking(2).error() == WaitError::closed); });
    receiver.close();
    other.join();
  }

  TEST_CASE("a channel joins two runtimes") {
    Runtime first(test::with_workers(1));
    Runtime second(test::with_workers(1));
    auto [sender, receiver] = spawned::channel<int>(2);
    auto all = second.spawn(receive_all(std::move(receiver)));
    auto row = first.spawn(send_row(std::move(sender), 0, 500));
    CHECK(row.join_blocking().value().has_value());
    CHECK(all.join_blocking().value().size() == 500);
  }

  TEST_CASE("many senders: each one's values arrive in its order, and none is lost") {
    Runtime runtime(test::with_workers(2));
    auto [sender, receiver] = spawned::channel<int>(4);
    for (int i = 0; i < 8; ++i) (void)runtime.spawn(send_row(sender, i * 10'000, 500));
    std::thread other([out = std::move(sender)]() mutable {
      for (int i = 0; i < 500; ++i) CHECK(out.send_blocking(80'000 + i).has_value());
    });
    auto const all = runtime.block_on(receive_all(std::move(receiver)));
    other.join();
    CHECK(all.size() == 9 * 500);
    std::vector<int> next(9, 0);
    for (int const value : all) {
      CHECK(value % 10'000 == next[static_cast<std::size_t>(value / 10'000)]++);
    }
  }
}
