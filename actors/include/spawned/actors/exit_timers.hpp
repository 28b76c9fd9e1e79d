// exit_after, kill_after: exit signals that time sends.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/actors/exit_reason.hpp>
#include <spawned/actors/timers.hpp>

namespace spawned {

namespace detail {

[[nodiscard]] TimerHandle start_exit_timer(CellBase& cell, std::int64_t delay_ns,
                                           ExitReason reason);

}  // namespace detail

/// Sends the actor an exit signal when `delay` has passed, as ActorRef::exit() does: reason
/// `normal` is ignored. Zero: now. Dropping the handle leaves the timer to run; it ends with the
/// actor.
///
/// Errors   std::invalid_argument for a negative delay; std::bad_alloc. No timer is set then. With
///          no memory when the time has come, the signal is not sent, and that is logged.
/// Otherwise as send_after. timer:exit_after/3.
template <typename Rep, typename Period, typename A>
TimerHandle exit_after(std::chrono::duration<Rep, Period> delay, ActorRef<A> const& ref,
                       ExitReason reason) {
  return detail::start_exit_timer(
      ref.cell(), detail::require_delay("exit_after", detail::to_ns(delay)), std::move(reason));
}

/// exit_after with reason `kill`: others see `killed`. timer:kill_after/2.
template <typename Rep, typename Period, typename A>
TimerHandle kill_after(std::chrono::duration<Rep, Period> delay, ActorRef<A> const& ref) {
  return detail::start_exit_timer(ref.cell(),
                                  detail::require_delay("kill_after", detail::to_ns(delay)),
                                  ExitReason::Kind::kill);
}

}  // namespace spawned
