// threads::Actor<Derived>: the base of actors that have an OS thread each, and the ways to start
// one.
#pragma once

#include <chrono>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <spawned/actors/actor.hpp>
#include <spawned/actors/detail/asking.hpp>
#include <spawned/actors/threads/actor_ref.hpp>
#include <spawned/runtime/threads.hpp>

namespace spawned::threads {

namespace detail {

using namespace spawned::detail;

/// Where the options leave it open, an actor of this flavour has a thread of its own.
inline ActorOptions on_a_thread(ActorOptions options) noexcept {
  if (options.backend == Backend::Async) options.backend = Backend::Thread;
  return options;
}

template <typename A, typename... Args>
ActorRef<A> start(Scheduler& scheduler, char const* what, ActorOptions options, Args&&... args) {
  return spawned::detail::start_with<A>(scheduler, what, on_a_thread(std::move(options)),
                                        std::forward<Args>(args)...);
}

/// Starts an actor of either flavour as that flavour does, after `before(cell)`: see
/// start_before().
template <typename A, typename Before, typename... Args>
spawned::ActorRef<A> start_in_flavour(Before&& before, Scheduler& scheduler, char const* what,
                                      Args&&... args) {
  if constexpr (std::is_base_of_v<Context<A>, context_t<A>>) {
    return start_before<A>(before, scheduler, what, on_a_thread(options_of<A>()),
                           std::forward<Args>(args)...);
  } else {
    return start_plain_before<A>(before, scheduler, what, std::forward<Args>(args)...);
  }
}

/// Waits until init is done, as await_init().
template <typename A>
Result<ActorRef<A>, ActorError> wait_for_init(ActorRef<A> ref, std::int64_t timeout_ns) {
  spawned::PendingReply<void> ping = send_ping(ref.cell());
  Result<void, ActorError> ready = ping.wait_for_blocking(
      timeout_ns == no_deadline ? no_timeout : std::chrono::nanoseconds(timeout_ns));
  if (ready) return ref;
  if (gave_up_waiting(ready.error())) request_actor_end(ref.cell(), UnreadMail::cancel);
  return Unexpected(std::move(ready.error()));
}

}  // namespace detail

/// Starts an actor built in place from `args`, for actors that cannot be moved. As Actor::start.
template <typename A, typename... Args>
ActorRef<A> start(Args&&... args) {
  return detail::start<A>(detail::require_scheduler("start"), "start", detail::options_of<A>(),
                          std::forward<Args>(args)...);
}
template <typename A, typename... Args>
ActorRef<A> start_on(spawned::Runtime& runtime, Args&&... args) {
  detail::require_running(runtime.scheduler(), "start_on");
  return detail::start<A>(runtime.scheduler(), "start_on", detail::options_of<A>(),
                          std::forward<Args>(args)...);
}
template <typename A, typename... Args>
ActorRef<A> start_with(ActorOptions options, Args&&... args) {
  return detail::start<A>(detail::require_scheduler("start_with"), "start_with", std::move(options),
                          std::forward<Args>(args)...);
}
template <typename A, typename... Args>
ActorRef<A> start_with_on(spawned::Runtime& runtime, ActorOptions options, Args&&... args) {
  detail::require_running(runtime.scheduler(), "start_with_on");
  return detail::start<A>(runtime.scheduler(), "start_with_on", std::move(options),
                          std::forward<Args>(args)...);
}
template <typename A, typename Rep, typename Period, typename... Args>
Result<ActorRef<A>, ActorError> start_and_wait(std::chrono::duration<Rep, Period> timeout,
                                               Args&&... args) {
  return detail::wait_for_init(threads::start<A>(std::forward<Args>(args)...),
                               detail::limit_ns(timeout));
}

/// The base class of actors in the threads flavour: `class Bank : public sp::Actor<Bank>`.
///
/// The text of the class is that of the tasks flavour (spawned::Actor says what it may hold), with
/// handlers that are plain functions. Each actor has an OS thread of its own, so its handlers may
/// block for as long as they like and ask other actors on the way.
///
/// Errors   as spawned::Actor, and std::system_error when no thread can be started.
/// Cost     a start 20 us or so, a message to a waiting actor a thread wake-up.
/// Example  examples/bank_threads
template <typename Derived>
class Actor {
 public:
  using context_type = Context<Derived>;

  ActorRef<Derived> start() && { return threads::start<Derived>(std::move(self())); }
  ActorRef<Derived> start(ActorOptions options) && {
    return threads::start_with<Derived>(std::move(options), std::move(self()));
  }
  /// Backend::Async means Backend::Thread here.
  ActorRef<Derived> start_with_backend(Backend backend) && {
    ActorOptions options = detail::options_of<Derived>();
    options.backend = backend;
    return std::move(*this).start(std::move(options));
  }
  ActorRef<Derived> start_on(spawned::Runtime& runtime) && {
    return threads::start_on<Derived>(runtime, std::move(self()));
  }
  ActorRef<Derived> start_on(spawned::Runtime& runtime, ActorOptions options) && {
    return threads::start_with_on<Derived>(runtime, std::move(options), std::move(self()));
  }
  /// Starts the actor and blocks until init is done.
  template <typename Rep = std::int64_t, typename Period = std::nano>
  Result<ActorRef<Derived>, ActorError> start_and_wait(
      std::chrono::duration<Rep, Period> timeout = default_request_timeout) && {
    return threads::start_and_wait<Derived>(timeout, std::move(self()));
  }

 private:
  Derived& self() noexcept { return static_cast<Derived&>(*this); }
};

}  // namespace spawned::threads
