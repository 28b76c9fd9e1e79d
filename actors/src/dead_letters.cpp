#include <spawned/actors/dead_letters.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <string>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/simulated.hpp>
#include <spawned/runtime/log.hpp>

namespace spawned {

namespace detail {

namespace {

constexpr std::size_t causes = 4;
constexpr std::uint32_t lines_a_second = 5;

atomic<std::uint64_t> counted[causes];

// Subscribers come and go under the exclusive lock, are told under the shared one.
std::shared_mutex subscribers_mutex;
DeadLetterSubscriber* subscribers = nullptr;
atomic<std::uint32_t> subscriber_count{0};

// The thread is telling: what a callback causes is told to nobody.
constinit thread_local bool telling = false;

// One for each cause: many of one kind must not hide the first of another.
constexpr std::chrono::seconds interval(1);
constinit log::RateLimit samplers[causes] = {{lines_a_second, interval},
                                             {lines_a_second, interval},
                                             {lines_a_second, interval},
                                             {lines_a_second, interval}};

log::Level level_of(CellBase& receiver, DeadLetter::Cause cause) noexcept {
  switch (cause) {
    case DeadLetter::Cause::ended:
    case DeadLetter::Cause::unread:
      // What is left when a program ends is no news.
      return receiver.reason().kind() == ExitReason::Kind::shutdown ? log::Level::debug
                                                                    : log::Level::info;
    case DeadLetter::Cause::overflow:
    case DeadLetter::Cause::revoked:
      break;
  }
  return log::Level::warn;
}

void log_dead_letter(CellBase& receiver, log::Level level, DeadLetter const& letter,
                     std::uint64_t suppressed) {
  std::string const id = std::to_string(letter.receiver.value);
  std::string const sender = std::to_string(letter.sender.value);
  std::string line = "dead letter (" + std::string(to_string(letter.cause)) +
                     "): " + std::string(letter.message_type) + " for " + receiver.describe();
  if (!letter.receiver_name.empty()) line += " \"" + letter.receiver_name + '"';
  if (letter.sender.value != 0) line += " from #" + sender;
  if (suppressed != 0) line += " (" + std::to_string(suppressed) + " more before)";
  log::write(level, "spawned", line,
             {{"cause", to_string(letter.cause)},
              {"message", letter.message_type},
              {"actor", letter.receiver_type},
              {"id", id},
              {"name", letter.receiver_name},
              {"sender", sender}});
}

void tell_subscribers(DeadLetter const& letter) {
  std::shared_lock const lock(subscribers_mutex);
  for (auto* subscriber = subscribers; subscriber != nullptr; subscriber = subscriber->next) {
    subscriber->tell(*subscriber, letter);
  }
}

}  // namespace

void add_subscriber(DeadLetterSubscriber& subscriber) {
  std::scoped_lock const lock(subscribers_mutex);
  subscriber.next = subscribers;
  if (subscribers != nullptr) subscribers->previous = &subscriber;
  subscribers = &subscriber;
  subscriber_count.fetch_add(1, memory_order_relaxed);  // a hint: the list is under the lock
}

void remove_subscriber(DeadLetterSubscriber& subscriber) noexcept {
  std::scoped_lock const lock(subscribers_mutex);
  (subscriber.previous == nullptr ? subscribers : subscriber.previous->next) = subscriber.next;
  if (subscriber.next != nullptr) subscriber.next->previous = subscriber.previous;
  subscriber_count.fetch_sub(1, memory_order_relaxed);  // a hint: the list is under the lock
}

void report_dead_letter(CellBase& receiver, std::string_view message_type, DeadLetter::Cause cause,
                        CellBase const* sender) noexcept {
  if (message_type.empty()) return;
  counted[static_cast<std::size_t>(cause)].fetch_add(1, memory_order_relaxed);  // a counter
  if (simulated != nullptr && cause == DeadLetter::Cause::unread && receiver.ended_unasked()) {
    simulated->unread(receiver.describe(), message_type);
  }
  if (telling) return;
  bool const subscribed = subscriber_count.load(memory_order_relaxed) != 0;  // a hint
  log::Level const level = level_of(receiver, cause);
  log::RateLimit::Verdict line{false, 0};
  if (log::enabled(level, "spawned")) line = samplers[static_cast<std::size_t>(cause)].ask();
  if (!subscribed && !line.pass) return;
  telling = true;
  try {
    DeadLetter const letter{receiver.id(),
                            receiver.actor_kind().type_name,
                            std::string(receiver.name()),
                            message_type,
                            sender != nullptr ? sender->id() : ActorId(),
                            cause};
    if (subscribed) tell_subscribers(letter);
    if (line.pass) log_dead_letter(receiver, level, letter, line.suppressed);
  } catch (...) {
    // No memory to report it; it is counted.
  }
  telling = false;
}

}  // namespace detail

char const* to_string(DeadLetter::Cause cause) noexcept {
  switch (cause) {
    case DeadLetter::Cause::ended:
      return "ended";
    case DeadLetter::Cause::unread:
      return "unread";
    case DeadLetter::Cause::overflow:
      return "overflow";
    case DeadLetter::Cause::revoked:
      return "revoked";
  }
  return "?";
}

namespace dead_letters {

Counts counts() noexcept {
  auto const read = [](DeadLetter::Cause cause) noexcept {
    return detail::counted[static_cast<std::size_t>(cause)].load(
        detail::memory_order_relaxed);  // a counter
  };
  return {read(DeadLetter::Cause::ended), read(DeadLetter::Cause::unread),
          read(DeadLetter::Cause::overflow), read(DeadLetter::Cause::revoked)};
}

}  // namespace dead_letters
}  // namespace spawned
