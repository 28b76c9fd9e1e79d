// The blocks behind send_message_on and spawn_listener: a dependant that a task or a blocking job
// keeps, and what that task needs of it.
//
// Room. A stream stands in line for room in a bounded mailbox; it does so while its listener is
// `sending`, and waits when that is over. What ends the listener meanwhile turns it away from the
// line, in disarm(), so that nothing is let in afterwards. Locks: line_lock_, then the queue's.
#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/dependants.hpp>
#include <spawned/actors/detail/mail_queue.hpp>
#include <spawned/runtime/async_sequence.hpp>
#include <spawned/runtime/detail/promise.hpp>
#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>
#include <spawned/runtime/spawn.hpp>

namespace spawned::detail {

class Listener final : public Dependant {
 public:
  explicit Listener(CellBase& actor) : Dependant(actor, table, true) {}

  std::optional<JoinHandle<void>> work;  // set while the actor is pinned

  /// The work stands in line with this, or no more (nullptr): disarm() turns it away.
  void stand(RoomWait* wait) noexcept {
    SpinGuard const guard(line_lock_);
    in_line_ = wait;
  }

 private:
  static void send(Dependant& /*self*/) noexcept {}  // the work sends
  static void disarm(Dependant& self) noexcept;
  static void let_go(Dependant& /*self*/) noexcept {}  // the work does, when it has ended
  static void destroy(Dependant& self) noexcept;
  static constexpr Operations table{&send, &disarm, &let_go, &destroy};

  template <typename U>
  friend void pool_delete(U*) noexcept;

  SpinLock line_lock_;
  RoomWait* in_line_ = nullptr;  // guarded by line_lock_
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
  [[nodiscard]] Envelope& get() const noexcept { return *envelope_; }
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

  /// Sends, or stands in line with `wait` for room in a bounded mailbox.
  enum class Sent : std::uint8_t {
    yes,
    over,     // cancelled, or the actor has ended; the work ends
    in_line,  // it is still the caller's, who waits for wait.slot and calls leave_line() then
  };
  [[nodiscard]] Sent send(OwnedMessage& message, RoomWait& wait) noexcept;
  /// True: the message was let in.
  [[nodiscard]] bool leave_line(OwnedMessage& message, RoomWait& wait) noexcept;
  /// False: over. Blocks the thread while there is no room.
  [[nodiscard]] bool send_blocking(OwnedMessage message) noexcept;
  [[nodiscard]] bool may_stand_in_line() const noexcept {
    return listener_->target->is_queued() && listener_->target->mail_queue().lets_streams_wait();
  }
  /// The only message of this listener; no limit of the mailbox applies to it.
  void send_last(OwnedMessage message) noexcept;

  /// The work was cancelled: by its handle, or by the end of the actor or of the runtime both are
  /// on.
  void note_cancelled() noexcept { end_ = Dependant::State::actor_ended; }
  /// In a catch block: the work has failed. Logs it.
  void report_failure(char const* what) noexcept;

 private:
  Listener* listener_;
  Dependant::State end_ = Dependant::State::finished;
};

/// Sends when awaited, and waits for room. Yields false: over, the work ends.
class ListenerSend {
 public:
  ListenerSend(ListenerKeeper& keeper, OwnedMessage message) noexcept
      : keeper_(&keeper),
        message_(std::move(message)),
        room_(RoomWait::For::send),
        wait_(Slot::abandoned) {}
  ListenerSend(ListenerSend const&) = delete;
  ListenerSend& operator=(ListenerSend const&) = delete;
  ~ListenerSend() {
    if (sent_ == Sent::in_line) (void)keeper_->leave_line(message_, room_);
  }

  [[nodiscard]] bool await_ready() noexcept {
    if (keeper_->may_stand_in_line()) return false;
    sent_ = keeper_->send(message_, room_);
    return true;
  }
  template <runtime_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> caller) noexcept {
    if (!wait_.prepare(caller, *caller.promise().context, room_.slot)) {
      keeper_->note_cancelled();
      return wait_.refused();
    }
    sent_ = keeper_->send(message_, room_);
    if (sent_ != Sent::in_line) return wait_.retract();
    wait_.commit(no_deadline);
    return true;
  }
  bool await_resume() noexcept {
    (void)wait_.finish();
    if (sent_ == Sent::in_line) {
      sent_ = keeper_->leave_line(message_, room_) ? Sent::yes : Sent::over;
    }
    return sent_ == Sent::yes;
  }

 private:
  using Sent = ListenerKeeper::Sent;
  ListenerKeeper* keeper_;
  OwnedMessage message_;
  RoomWait room_;
  SlotWait wait_;
  Sent sent_ = Sent::over;
};

/// Links a new listener to its actor and starts its work. `Start` is called with the keeper and the
/// runtime, which stays meanwhile, and returns the work's JoinHandle. The caller gets the handle's
/// reference.
template <typename Start>
Listener& start_listener(CellBase& actor, Start&& start) {
  auto& listener = *pool_new<Listener>(actor);
  ListenerKeeper keeper(listener);
  if (!listener.group().pin(actor)) {
    (void)listener.group().keep(listener);  // notes the actor's end
    return listener;
  }
  (void)listener.group().keep(listener);
  try {
    listener.work.emplace(start(std::move(keeper), actor.home->runtime()));
  } catch (...) {
    listener.group().finish(listener, Dependant::State::finished);
    listener.group().unpin();
    listener.drop();
    throw;
  }
  listener.group().unpin();
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
