// 30: a receive with a time limit that has taken a value, and loses it.
//
// Bug          the value is what the limited task returns, and a task that is late returns it to
//              nobody.
// Interleaving the limit strikes when the value is out of the channel, but the task has not ended.
// Fix          the task puts the value where it stays, and whoever waited looks there.
#include <optional>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::Variant;
using namespace std::chrono_literals;

namespace {

using Receiver = sp::ChannelReceiver<int>;

constexpr int values = 3;

sp::Task<void> produce(sp::ChannelSender<int> sender) {
  for (int value = 0; value < values; ++value) {
    corpus::maybe_sleep();
    (void)co_await sender.send(value);
    co_await sp::yield_now();
  }
}

sp::Task<std::optional<int>> next_of(Receiver& receiver) {
  auto const value = co_await receiver.next();
  corpus::maybe_sleep();
  co_return value;
}

// Empty: the limit is over. Holding nothing: the channel is at its end.
using Taken = std::optional<std::optional<int>>;

sp::Task<void> take(Receiver& receiver, Taken& taken) {
  taken = co_await receiver.next();
  corpus::maybe_sleep();
}

template <Variant variant>
sp::Task<Taken> take_within(Receiver& receiver, std::chrono::milliseconds limit) {
  Taken taken;
  if constexpr (variant == Variant::fixed) {
    (void)co_await sp::timeout(limit, take(receiver, taken));
  } else {
    auto const next = co_await sp::timeout(limit, next_of(receiver));
    if (next.has_value()) taken = *next;
  }
  co_return taken;
}

template <Variant variant>
sp::Task<void> receive_with_limit() {
  auto [sender, receiver] = sp::channel<int>(2);
  auto producer = sp::spawn(produce(std::move(sender)));
  int count = 0;
  for (;;) {
    Taken const taken = co_await take_within<variant>(receiver, 20ms);
    if (!taken.has_value()) continue;  // time to look after other things
    if (!taken->has_value()) break;
    ++count;
  }
  (void)co_await producer;
  corpus::check(count == values, "a value was taken, and nobody has it");
}

CORPUS_PROGRAM(30, "a receive that is late", receive_with_limit, true);

}  // namespace
