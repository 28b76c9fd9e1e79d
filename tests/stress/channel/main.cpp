// Channels under many senders, cancellations, closes and signals: no value is lost or doubled.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <spawned/tasks.hpp>

#include "support/stress.hpp"

namespace sp = spawned::tasks;

namespace {

using Count = std::atomic<std::uint64_t>;

/// Both sides of a channel.
struct Books {
  Count sent{0};       // sends that said ok
  Count closed{0};     // sends that said closed
  Count cancelled{0};  // sends that said cancelled
  Count received{0};
  Count sum_sent{0};
  Count sum_received{0};
  Count alive{0};  // values

  [[nodiscard]] std::string describe() const {
    return "sent " + std::to_string(sent) + ", closed " + std::to_string(closed) + ", cancelled " +
           std::to_string(cancelled) + ", received " + std::to_string(received) +
           ", values alive " + std::to_string(alive);
  }
};

/// A value that counts itself.
class Value {
 public:
  Value(Books& books, std::uint64_t sender, std::uint64_t number) noexcept
      : books_(&books), sender_(sender), number_(number) {
    books_->alive.fetch_add(1);
  }
  Value(Value&& other) noexcept : Value(*other.books_, other.sender_, other.number_) {}
  Value& operator=(Value&&) = delete;
  ~Value() { books_->alive.fetch_sub(1); }

  [[nodiscard]] std::uint64_t sender() const noexcept { return sender_; }
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

 private:
  Books* books_;
  std::uint64_t sender_;
  std::uint64_t number_;
};

constexpr std::uint64_t senders = 8;
constexpr std::uint64_t row = 300;

void enter_sent(Books& books, std::uint64_t number) {
  books.sent.fetch_add(1);
  books.sum_sent.fetch_add(number);
}

/// Sends its row, by awaits and attempts, until the channel closes or the task is cancelled.
sp::Task<void> send_row(sp::ChannelSender<Value> sender, Books& books, std::uint64_t id,
                        stress::Random random) {
  for (std::uint64_t number = 1; number <= row; ++number) {
    Value value(books, id, number);
    if (random.one_in(4)) {
      sp::TrySend const result = sender.try_send(std::move(value));
      if (result == sp::TrySend::ok) enter_sent(books, number);
      if (result == sp::TrySend::closed) books.closed.fetch_add(1);
    } else {
      auto const result = co_await sender.send(std::move(value));
      if (result) {
        enter_sent(books, number);
      } else {
        (result.error() == sp::WaitError::closed ? books.closed : books.cancelled).fetch_add(1);
        co_return;
      }
    }
    if (random.one_in(64)) co_await sp::yield_now();
  }
}

void send_row_blocking(sp::ChannelSender<Value> sender, Books& books, std::uint64_t id) {
  for (std::uint64_t number = 1; number <= row; ++number) {
    auto const result = sender.send_blocking(Value(books, id, number));
    if (!result) {
      books.closed.fetch_add(1);
      return;
    }
    enter_sent(books, number);
  }
}

/// Receives until the end, or until it loses interest.
class Reader {
 public:
  Reader(Books& books, std::uint64_t patience) : books_(books), patience_(patience) {}
  /// False: no more.
  bool take(std::optional<Value> const& value) {
    if (!value) return false;
    stress::check(value->number() > last_[value->sender()], "a sender's values change places");
    last_[value->sender()] = value->number();
    books_.received.fetch_add(1);
    books_.sum_received.fetch_add(value->number());
    return --patience_ != 0;
  }

 private:
  Books& books_;
  std::uint64_t patience_;
  std::vector<std::uint64_t> last_ = std::vector<std::uint64_t>(senders + 1, 0);
};

sp::Task<void> receive(sp::ChannelReceiver<Value>& receiver, Reader& reader) {
  for (;;) {
    std::optional<Value> const value = co_await receiver.next();
    if (!reader.take(value)) co_return;
  }
}

/// The receiver is cancelled again and again, and goes on; it may close early and drain the rest.
sp::Task<void> receive_with_interruptions(sp::ChannelReceiver<Value> receiver, Books& books,
                                          stress::Random random, bool leaves) {
  Reader reader(books, leaves ? 1 + random.below(senders * row) : UINT64_MAX);
  for (bool ended = false; !ended;) {
    auto part = sp::spawn(receive(receiver, reader));
    for (std::uint64_t turns = random.below(20); turns != 0; --turns) co_await sp::yield_now();
    if (random.one_in(2)) part.cancel();
    auto const result = co_await part;
    ended = result.has_value();
  }
  if (!leaves || random.one_in(2)) co_return;
  receiver.close();
  Reader rest(books, UINT64_MAX);
  co_await receive(receiver, rest);
}

void one_channel(stress::Run& run, sp::Runtime& home, sp::Runtime& abroad, stress::Random& random) {
  Books books;
  run.on_hang([&] {
    return books.describe() + "\nhome " + stress::describe(home) + "\nabroad " +
           stress::describe(abroad);
  });
  bool const leaves = random.one_in(2);
  bool const bounded = !random.one_in(5);
  std::uint64_t const capacity = 1 + random.below(8);
  std::vector<sp::JoinHandle<void>> tasks;
  std::thread plain;
  {
    auto [sender, receiver] =
        bounded ? sp::channel<Value>(capacity) : sp::unbounded_channel<Value>();
    tasks.push_back(home.spawn(receive_with_interruptions(std::move(receiver), books,
                                                          stress::Random(random.next()), leaves)));
    for (std::uint64_t i = 0; i < senders; ++i) {
      sp::Runtime& where = i % 2 == 0 ? home : abroad;
      tasks.push_back(where.spawn(send_row(sender, books, i, stress::Random(random.next()))));
    }
    plain =
        std::thread([&books, out = std::move(sender)] { send_row_blocking(out, books, senders); });
  }
  for (std::uint64_t victims = random.below(4); victims != 0; --victims) {
    for (std::uint64_t spins = random.below(20'000); spins != 0; --spins) {
      spawned::detail::cpu_pause();
    }
    tasks[1 + random.below(senders)].cancel();
  }
  for (auto& task : tasks) (void)task.join_blocking();
  plain.join();
  run.on_hang({});
  if (leaves) {
    stress::check(books.received <= books.sent, "more values received than sent");
  } else {
    stress::check_equal(books.received, books.sent, "values received");
    stress::check_equal(books.sum_received, books.sum_sent, "the sum of the values received");
    stress::check_equal(books.closed, 0, "sends to a closed channel");
  }
  stress::check_equal(books.alive, 0, "values that were never destroyed");
  run.beat();
}

void channels(stress::Run& run, double share) {
  std::printf("  phase \"channels\"\n");
  sp::RuntimeOptions options;
  options.workers = 2;
  sp::Runtime home(options);
  sp::Runtime abroad(options);
  stress::Random random = run.random(1);
  while (run.time_left(share)) one_channel(run, home, abroad, random);
}

sp::Task<void> count_signals(sp::Signals signals, Count& seen, std::uint64_t wanted) {
  for (std::uint64_t i = 0; i < wanted; ++i) {
    auto const signal = co_await signals.next();
    stress::check(signal == SIGUSR1, "another signal came");
    seen.fetch_add(1);
  }
}

// Tasks that subscribe, are woken and are cancelled while threads raise signals.
void signals(stress::Run& run, double share) {
  std::printf("  phase \"signals\"\n");
  sp::RuntimeOptions options;
  options.workers = 2;
  sp::Runtime runtime(options);
  stress::Random random = run.random(2);
  sp::Signals const keep({SIGUSR1});
  while (run.time_left(share)) {
    constexpr std::uint64_t raises = 200;
    Count seen{0};
    run.on_hang([&] { return "seen " + std::to_string(seen) + "\n" + stress::describe(runtime); });
    std::vector<sp::JoinHandle<void>> steady;
    std::vector<sp::JoinHandle<void>> fickle;
    for (int i = 0; i < 3; ++i) {
      steady.push_back(runtime.spawn(count_signals(sp::Signals({SIGUSR1}), seen, 2 * raises)));
      fickle.push_back(runtime.spawn(count_signals(sp::Signals({SIGUSR1}), seen, UINT64_MAX)));
    }
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([] {
        for (std::uint64_t n = 0; n < raises; ++n) std::raise(SIGUSR1);
      });
    }
    for (auto& task : fickle) {
      for (std::uint64_t spins = random.below(5'000); spins != 0; --spins) {
        spawned::detail::cpu_pause();
      }
      task.cancel();
    }
    for (auto& task : steady)
      stress::check(task.join_blocking().has_value(), "a subscriber failed");
    for (auto& task : fickle) {
      stress::check(!task.join_blocking().has_value(), "a cancelled wait returned");
    }
    for (std::thread& thread : threads) thread.join();
    run.on_hang({});
    run.beat();
  }
}

}  // namespace

int main() {
  stress::Run run("channel");
  channels(run, 0.7);
  signals(run, 1.0);
  return 0;
}
