// Channels under tasks and threads that are cancelled at any moment, and that vary who is faster.
//
//   phase "fan-in"      senders are cancelled, and receivers, one after the other: every value that
//                       was said to be sent is received once and in its sender's order, and none
//                       that was not
//   phase "endings"     the receiver closes or goes while senders wait for room: everybody ends,
//                       and no value is leaked
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <spawned/runtime/channel.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/spawn.hpp>

#include "support/stress.hpp"

using spawned::Channel;
using spawned::ChannelReceiver;
using spawned::ChannelSender;
using spawned::JoinHandle;
using spawned::Task;
using spawned::TrySend;

namespace {

using Count = std::atomic<std::uint64_t>;

struct Books {
  Count sent{0};
  Count received{0};
  Count alive{0};  // values

  std::string describe() const {
    return "sent " + std::to_string(sent) + ", received " + std::to_string(received) + ", alive " +
           std::to_string(alive);
  }
};

class Value {
 public:
  Value(Books& books, std::size_t sender, std::uint64_t number) noexcept
      : books_(&books), sender_(sender), number_(number) {
    ++books.alive;
  }
  Value(Value const& other) noexcept : Value(*other.books_, other.sender_, other.number_) {}
  Value& operator=(Value const&) = delete;
  ~Value() { --books_->alive; }
  [[nodiscard]] std::size_t sender() const noexcept { return sender_; }
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

 private:
  Books* books_;
  std::size_t sender_;
  std::uint64_t number_;
};

/// What a receiver has seen last of each sender.
using Seen = std::vector<std::uint64_t>;

void enter(Books& books, Seen& seen, Value const& value) {
  stress::check(value.number() > seen[value.sender()], "a value came twice or out of order");
  seen[value.sender()] = value.number();
  ++books.received;
}

Task<void> sends(ChannelSender<Value> sender, Books& books, std::size_t self, std::uint64_t most,
                 stress::Random random) {
  for (std::uint64_t n = 1; n <= most; ++n) {
    if (random.one_in(4)) {
      if (sender.try_send(books, self, n) == TrySend::ok) ++books.sent;
      continue;
    }
    auto sent = co_await sender.send(books, self, n);
    if (sent) ++books.sent;
    if (random.one_in(16)) co_await spawned::yield_now();
  }
}

void sends_blocking(ChannelSender<Value> sender, Books& books, std::size_t self,
                    std::uint64_t most) {
  for (std::uint64_t n = 1; n <= most; ++n) {
    if (sender.send_blocking(books, self, n)) ++books.sent;
  }
}

Task<void> receives(ChannelReceiver<Value>& receiver, Books& books, Seen& seen,
                    stress::Random random) {
  while (auto value = co_await receiver.next()) {
    enter(books, seen, *value);
    if (random.one_in(16)) co_await spawned::yield_now();
  }
}

void spin(std::uint64_t spins) {
  for (; spins != 0; --spins) spawned::detail::cpu_pause();
}

Channel<Value> random_channel(stress::Random& random) {
  return random.one_in(4) ? spawned::unbounded_channel<Value>()
                          : spawned::channel<Value>(1 + random.below(4));
}

void fan_in(stress::Run& run, spawned::Runtime& runtime, std::uint64_t round) {
  stress::Random random = run.random(round);
  Books books;
  run.on_hang([&] { return books.describe() + "\n" + stress::describe(runtime); });
  auto [sender, receiver] = random_channel(random);
  std::vector<JoinHandle<void>> tasks;
  std::vector<std::thread> threads;
  Seen seen(4);
  for (std::size_t self = 0; self < 3; ++self) {
    tasks.push_back(
        runtime.spawn(sends(sender, books, self, random.below(200), run.random(round * 8 + self))));
  }
  threads.emplace_back([&books, mine = sender, most = random.below(100)]() mutable {
    sends_blocking(std::move(mine), books, 3, most);
  });
  {
    auto const gone = std::move(sender);
  }
  for (int turn = 0; turn < 4; ++turn) {
    auto task = runtime.spawn(receives(receiver, books, seen, run.random(round * 8 + 7)));
    spin(random.below(5'000));
    if (random.one_in(2)) tasks[random.below(tasks.size())].cancel();
    task.cancel();
    (void)task.join_blocking();
    run.beat();
  }
  while (auto value = receiver.receive_blocking()) enter(books, seen, *value);
  for (auto& task : tasks) (void)task.join_blocking();
  for (auto& thread : threads) thread.join();
  run.on_hang({});
  stress::check_equal(books.received, books.sent, "values received");
  stress::check_equal(books.alive, 0, "values left");
}

void endings(stress::Run& run, spawned::Runtime& runtime, std::uint64_t round) {
  stress::Random random = run.random(round);
  Books books;
  run.on_hang([&] { return books.describe() + "\n" + stress::describe(runtime); });
  {
    auto [sender, receiver] = random_channel(random);
    std::vector<JoinHandle<void>> tasks;
    for (std::size_t self = 0; self < 3; ++self) {
      tasks.push_back(runtime.spawn(sends(sender, books, self, 50, run.random(round * 8 + self))));
    }
    std::thread thread(
        [&books, mine = sender]() mutable { sends_blocking(std::move(mine), books, 3, 50); });
    Seen seen(4);
    for (std::uint64_t n = random.below(20); n != 0; --n) {
      auto value = receiver.receive_blocking();
      if (value) enter(books, seen, *value);
    }
    bool const closed = random.one_in(2);
    if (closed) {
      receiver.close();
      while (auto value = receiver.receive_blocking()) enter(books, seen, *value);
    } else {
      auto const gone = std::move(receiver);
    }
    for (auto& task : tasks) (void)task.join_blocking();
    thread.join();
    stress::check(books.received <= books.sent, "a value was received that was not sent");
    if (closed) stress::check_equal(books.received, books.sent, "values received before the end");
  }
  run.on_hang({});
  stress::check_equal(books.alive, 0, "values left");
  run.beat();
}

}  // namespace

int main() {
  stress::Run run("channel");
  spawned::RuntimeOptions options;
  options.workers = 2;
  spawned::Runtime runtime(options);
  std::uint64_t round = 1;
  std::printf("  phase \"fan-in\"\n");
  while (run.time_left(0.6)) fan_in(run, runtime, round++);
  std::printf("  phase \"endings\"\n");
  while (run.time_left()) endings(run, runtime, round++);
  return 0;
}
