// The blocks behind send_message_on and spawn_listener: a dependant that a task or a blocking job
// keeps, and what that task needs of it.
#pragma once

#include <coroutine>
#include <optional>
#include <type_traits>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/dependants.hpp>
#include <spawned/runtime/async_sequence.hpp>
#include <spawned/runtime/spawn.hpp>

namespace spawned::detail {

class Listener final : public Dependant {
 public:
  explicit Listener(CellBase& actor) : Dependant(actor, table, true) {}

  std::optional<JoinHandle<void>> work;  // set while the actor is pinned

 private:
  static void send(Dependant& /*self*/) noexcept {}  // the work sends
  static void disarm(Dependant& self) noexcept;
  static void let_go(Dependant& /*self*/) noexcept {}  // the work does, when it has ended
  static void destroy(Dependant& self) noexcept;
  static constexpr Operations table{&send, &disarm, &let_go, &destroy};

  template <typename U>
  friend void pool_delete(U*) noexcept;
};

/// A message that waits to be sent. Destroys it if it never is.
class OwnedMessage {
 public:
  explicit OwnedMessage(Envelope& envelope) noexcept : envelope_(&envelope) {}
  OwnedMessage(OwnedMessage&& other) noexcept
      : envelope_(std::exchange(other.envelope_, nullptr)) {}
  OwnedMessage& operator=(OwnedMessage&&) = delete;
  ~OwnedMessage() {
    if (envelope_ != nullptr) (void)envelope_->deliver(nullptr, *envelope_, Operation::destroy);
  }
  [[nodiscard]] Envelope& release() noexcept { return *std::exchange(envelope_, nullptr); }

 private:
  Envelope* envelope_;
};

/// The work's side of a Listener: what it sends with, and what tells that it has ended.
class ListenerKeeper {
 public:
  explicit ListenerKeeper(Listener& listener) noexcept : listener_(&listener) {}
  ListenerKeeper(ListenerKeeper&& other) noexcept
      : listener_(std::exchange(other.listener_, nullptr)), end_(other.end_) {}
  ListenerKeeper& operator=(ListenerKeeper&&) = delete;
  ~ListenerKeeper();

  /// False: cancelled, or the actor has ended; the work ends. The place where a bounded mailbox can
  /// make the work wait: for room, before the message is handed over here.
  bool send(OwnedMessage message) noexcept { return send(std::move(message), false); }
  /// The same, and nothing more will come.
  void send_last(OwnedMessage message) noexcept { (void)send(std::move(message), true); }

  /// The work was cancelled: by its handle, or by the end of the actor or of the runtime both are
  /// on.
  void note_cancelled() noexcept { end_ = Dependant::State::actor_ended; }
  /// In a catch block: the work has failed. Logs it.
  void report_failure(char const* what) noexcept;

 private:
  bool send(OwnedMessage message, bool last) noexcept;
  Listener* listener_;
  Dependant::State end_ = Dependant::State::finished;
};

/// Links a new listener to its actor and starts its work. `Start` is called with the keeper and the
/// runtime, which stays meanwhile, and returns the work's JoinHandle. The caller gets the handle's
/// reference.
template <typename Start>
Listener& start_listener(CellBase& actor, Start&& start) {
  auto& listener = *pool_new<Listener>(actor);
  ListenerKeeper keeper(listener);
  if (!listener.group->pin(actor)) {
    (void)listener.group->keep(listener);  // notes the actor's end
    return listener;
  }
  (void)listener.group->keep(listener);
  try {
    listener.work.emplace(start(std::move(keeper), actor.home->runtime()));
  } catch (...) {
    listener.group->finish(listener, Dependant::State::finished);
    listener.group->unpin();
    listener.drop();
    throw;
  }
  listener.group->unpin();
  return listener;
}

// --- events: what can be awaited, a callable that returns it, or a token ---

template <typename T>
concept can_be_awaited =
    requires(T&& awaitable) { awaiter_of(std::forward<T>(awaitable)).await_resume(); };

/// What to await for `event`, which stays where it is.
template <typename Event>
decltype(auto) awaitable_of(Event& event) {
  if constexpr (can_be_awaited<Event&>) {
    return (event);
  } else if constexpr (can_be_awaited<Event>) {
    return std::move(event);
  } else if constexpr (requires { event.cancelled(); }) {
    return event.cancelled();
  } else {
    return event();
  }
}

template <typename Event>
concept is_event = can_be_awaited<Event&> || can_be_awaited<Event> || requires(Event& event) {
  awaiter_of(event.cancelled()).await_resume();
} || requires(Event& event) { awaiter_of(event()).await_resume(); };

template <typename Event>
using event_result_t = decltype(awaiter_of(awaitable_of(std::declval<Event&>())).await_resume());

/// What an event carries: T for a Result<T> or an optional<T>, else its result.
template <typename R>
struct event_value {
  using type = R;
};
template <typename R>
  requires requires(R& result) {
    result.has_value();
    *result;
  }
struct event_value<R> {
  using type = std::remove_reference_t<decltype(*std::declval<R&>())>;
};
template <typename R>
using event_value_t = typename event_value<std::remove_cvref_t<R>>::type;

template <typename R>
[[nodiscard]] bool has_come(R const& result) {
  if constexpr (requires { result.has_value(); }) {
    return result.has_value();
  } else {
    return true;
  }
}
template <typename R>
[[nodiscard]] decltype(auto) value_of(R& result) {
  if constexpr (requires { result.has_value(); }) {
    return std::move(*result);
  } else {
    return std::move(result);
  }
}

}  // namespace spawned::detail
