// ActorOptions: what one actor may want otherwise than the rest.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>

namespace spawned {

/// Where an actor runs.
enum class Backend : std::uint8_t {
  Async,     ///< on the runtime's workers; handlers must not block
  Blocking,  ///< on the threads of the blocking pool, one turn at a time; handlers may block
  Thread,    ///< on an OS thread of its own; handlers may block for as long as they like
};

/// What becomes of a message to a bounded mailbox that is full.
enum class Overflow : std::uint8_t {
  wait,         ///< `send_wait` and requests wait for room; a plain `send` answers `full`
  reject,       ///< the sender is told: `full`, or `mailbox_full` for a request
  drop_newest,  ///< the new message becomes a dead letter; a request answers `mailbox_full`
  drop_oldest,  ///< the oldest unread message becomes a dead letter and makes room
  stop_actor,   ///< the actor ends with ExitReason::error
};

/// What a handler that takes longer than `handler_timeout` gets.
enum class HandlerTimeout : std::uint8_t {
  warn,    ///< a line in the log
  cancel,  ///< its awaits are cancelled; its caller gets `handler_failed`; the actor goes on
  kill,    ///< the actor ends with reason killed, the handler's frame is destroyed
};

/// For ActorOptions::mailbox_capacity.
inline constexpr std::size_t unbounded = static_cast<std::size_t>(-1);

/// How an actor is started. Given to `start(options)`, or by the class itself for all its actors:
/// `static sp::ActorOptions actor_options();`. An actor without options pays for none of them.
///
/// Errors   a value out of range makes the start throw InvalidOptions, which names the field.
/// Example  tests/actors/options_test.cpp
struct ActorOptions {
  Backend backend = Backend::Async;

  /// For reports; need not be unique.
  std::string name = {};

  /// Unread messages and requests the mailbox holds, at least 1. Stops, signals and the library's
  /// own messages are never counted nor dropped.
  std::size_t mailbox_capacity = unbounded;
  Overflow overflow = Overflow::reject;

  /// How long one call of a coroutine handler may take, in ns; longer than zero, max: no limit.
  std::chrono::nanoseconds handler_timeout = std::chrono::nanoseconds::max();
  HandlerTimeout on_handler_timeout = HandlerTimeout::warn;

  /// Requests whose caller has given up are not handled.
  bool skip_expired = false;

  /// The actor stops (reason normal) when the last ref to it is gone, after what was sent before.
  /// Weak refs do not count. Somebody who makes a new ref before that (Context::self(), upgrade())
  /// keeps it alive.
  bool stop_when_unreferenced = false;

  /// The actor may hand out urgent refs (Context::urgent_ref), whose messages overtake.
  bool urgent_messages = false;
  /// Urgent messages handled in a row before an ordinary one has its turn; at least 1.
  unsigned urgent_burst = 32;
};

namespace detail {

/// Throws InvalidOptions.
void check(ActorOptions const& options);

template <typename A>
concept has_actor_options = requires {
  { A::actor_options() } -> std::convertible_to<ActorOptions>;
};

/// The options of the class, or the defaults.
template <typename A>
[[nodiscard]] ActorOptions options_of() {
  if constexpr (has_actor_options<A>) {
    return A::actor_options();
  } else {
    return {};
  }
}

}  // namespace detail

}  // namespace spawned
