// send_after, send_interval, TimerHandle: messages that time sends.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <utility>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/actors/detail/timed.hpp>
#include <spawned/actors/error.hpp>
#include <spawned/runtime/moved.hpp>
#include <spawned/runtime/time.hpp>

namespace spawned {

/// What became of an attempt to cancel.
enum class CancelResult : std::uint8_t {
  cancelled,  ///< no message arrives after the call has returned
  too_late,   ///< it was sent, cancelled or at its end before; a message that was sent stays sent
};

enum class TimerState : std::uint8_t {
  none,         ///< an empty handle
  waiting,      ///< the next message is yet to be sent
  sent,         ///< the only message is in the mailbox, or was handled
  cancelled,    ///< by TimerHandle::cancel
  actor_ended,  ///< its actor has ended, perhaps before the timer was set
};

/// The right to a timer. Dropping it leaves the timer to run.
///
/// Threads   any, several at a time but for moving it; also when actor and runtime are gone.
class TimerHandle {
 public:
  /// Of no timer.
  TimerHandle() noexcept = default;
  TimerHandle(TimerHandle&& other) noexcept : timer_(std::exchange(other.timer_, nullptr)) {}
  TimerHandle& operator=(TimerHandle&& other) noexcept {
    TimerHandle old(std::move(*this));
    timer_ = std::exchange(other.timer_, nullptr);
    return *this;
  }
  ~TimerHandle() {
    if (timer_ != nullptr) timer_->drop();
  }

  /// Ends the timer. `cancelled`: no message of it arrives after this has returned, but what an
  /// interval has put into the mailbox before. The message is destroyed here. O(1).
  /// erlang:cancel_timer/1.
  CancelResult cancel() noexcept;

  /// Until the next message, as of the runtime's clock; empty when there is none to come.
  /// erlang:read_timer/1.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> time_left() const noexcept;

  [[nodiscard]] TimerState state() const noexcept;

  /// Of an actor that has ended: `no_such_actor` with the reason; else nothing.
  [[nodiscard]] std::optional<ActorError> error() const;

  /// Ticks of an interval that were not sent: one still waited, or nobody looked in time.
  [[nodiscard]] std::uint64_t missed() const noexcept;

  /// For the library: takes over one reference.
  explicit TimerHandle(detail::TimedDependant& timer) noexcept : timer_(&timer) {}

 private:
  detail::TimedDependant* timer_ = nullptr;
};

namespace detail {

/// In ns. Errors: std::invalid_argument for what is negative.
[[nodiscard]] std::int64_t require_delay(char const* what, std::int64_t ns);
/// Errors: std::invalid_argument for zero and less.
[[nodiscard]] std::int64_t require_period(std::int64_t ns);

template <typename M, typename A, typename... Args>
TimerHandle start_timer(std::int64_t delay_ns, ActorRef<A> const& ref, Args&&... args) {
  require_message_handler<A, M>();
  if constexpr (handles_message<A, M>) {
    (reject_dangerous_temporary<Args>(), ...);
    auto& timer = *pool_new<SendEnvelope<A, M, MessageTimer>>(
        static_cast<CellBase&>(ref.cell()), std::in_place, forward_moved<Args>(args)...);
    timer.start(delay_ns);
    return TimerHandle(timer);
  } else {
    return TimerHandle();
  }
}

// Never defined: their names are the error messages.
template <typename Message>
struct send_interval_copies_the_message_for_each_tick__this_message_cannot_be_copied;

template <typename M, typename A, typename... Args>
TimerHandle start_interval(std::int64_t period_ns, MissedTicks missed, ActorRef<A> const& ref,
                           Args&&... args) {
  require_message_handler<A, M>();
  if constexpr (!std::copy_constructible<M>) {
    (void)sizeof(send_interval_copies_the_message_for_each_tick__this_message_cannot_be_copied<M>);
    return TimerHandle();
  } else if constexpr (handles_message<A, M>) {
    (reject_dangerous_temporary<Args>(), ...);
    auto& timer = *pool_new<TypedInterval<A, M>>(
        ref.cell(), period_ns, missed == MissedTicks::burst, forward_moved<Args>(args)...);
    timer.start();
    return TimerHandle(timer);
  } else {
    return TimerHandle();
  }
}

template <typename Machine>
struct a_state_machine_has_no_idle_timeout__use_set_event_timeout;

/// Context::set_idle_timeout and cancel_idle_timeout.
void wish_idle_timeout(CellBase& cell, IdleTimer& timer, std::int64_t delay_ns) noexcept;
void forget_idle_timeout(CellBase& cell) noexcept;

}  // namespace detail

/// Sends the actor `M(args...)` when `delay` has passed. Zero: at once, as send() does.
///
/// The message is built now and dies with the actor, not with whoever set the timer. A timer on an
/// actor that has ended, its runtime with it, is over from the start: state() is `actor_ended`,
/// error() says why.
///
/// Errors    std::invalid_argument for a negative delay; std::bad_alloc; what constructing the
///           message throws. No timer is set then.
/// Units     resolution 1 ms, never early. Time is that of the actor's runtime.
/// Ordering  what expires at different ticks of one wheel is sent in that order. Behind everything
///           that is in the mailbox by then.
/// Threads   any, also outside every runtime.
/// Memory    one pooled block for timer and message.
/// Cost      arming and cancelling O(1); on a worker the clock is not read.
/// Source    erlang:send_after/3.
/// Example   docs/guide/timers-and-streams.md
template <typename M, typename Rep, typename Period, typename A, typename... Args>
TimerHandle send_after(std::chrono::duration<Rep, Period> delay, ActorRef<A> const& ref,
                       Args&&... args) {
  return detail::start_timer<M>(detail::require_delay("send_after", detail::to_ns(delay)), ref,
                                std::forward<Args>(args)...);
}
/// The same for a message that has a name: `send_after(1s, ref, sp::moved(message))`.
template <typename Rep, typename Period, typename A, typename Message>
TimerHandle send_after(std::chrono::duration<Rep, Period> delay, ActorRef<A> const& ref,
                       Message&& message) {
  return detail::start_timer<detail::message_type<Message>>(
      detail::require_delay("send_after", detail::to_ns(delay)), ref,
      std::forward<Message>(message));
}

/// Sends the actor a copy of `M(args...)` every `period`, for the first time after one, until it is
/// cancelled or the actor ends. Without drift: tick n is due at start + n * period.
///
/// A slow actor: `skip` lets at most one tick wait in the mailbox; those that come meanwhile are
/// dropped and counted, TimerHandle::missed(). `burst` sends them all.
///
/// Errors    std::invalid_argument for a period of zero or less; else as send_after. A tick whose
///           copy throws is missed, and logged.
/// Otherwise as send_after. timer:send_interval/3.
template <typename M, typename Rep, typename Period, typename A, typename... Args>
TimerHandle send_interval(std::chrono::duration<Rep, Period> period, ActorRef<A> const& ref,
                          Args&&... args) {
  return detail::start_interval<M>(detail::require_period(detail::to_ns(period)), MissedTicks::skip,
                                   ref, std::forward<Args>(args)...);
}
template <typename M, typename Rep, typename Period, typename A, typename... Args>
TimerHandle send_interval(std::chrono::duration<Rep, Period> period, MissedTicks missed,
                          ActorRef<A> const& ref, Args&&... args) {
  return detail::start_interval<M>(detail::require_period(detail::to_ns(period)), missed, ref,
                                   std::forward<Args>(args)...);
}

template <typename A>
template <typename M, typename Rep, typename Period, typename... Args>
void Context<A>::set_idle_timeout(std::chrono::duration<Rep, Period> delay, Args&&... args) {
  if constexpr (detail::is_state_machine<A>) {
    (void)sizeof(detail::a_state_machine_has_no_idle_timeout__use_set_event_timeout<A>);
  }
  detail::require_message_handler<A, M>();
  if constexpr (detail::handles_message<A, M>) {
    (detail::reject_dangerous_temporary<Args>(), ...);
    std::int64_t const delay_ns = detail::require_delay("set_idle_timeout", detail::to_ns(delay));
    detail::wish_idle_timeout(*cell_,
                              *detail::pool_new<detail::SendEnvelope<A, M, detail::IdleTimer>>(
                                  *cell_, std::in_place, detail::forward_moved<Args>(args)...),
                              delay_ns);
  }
}
template <typename A>
void Context<A>::cancel_idle_timeout() noexcept {
  detail::forget_idle_timeout(*cell_);
}

}  // namespace spawned
