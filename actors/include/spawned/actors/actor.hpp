// Actor<Derived>: the base of every actor, and the ways to start one.
#pragma once

#include <chrono>
#include <type_traits>
#include <utility>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/actors/context.hpp>
#include <spawned/actors/detail/actor_cell.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/detail/notices.hpp>
#include <spawned/actors/error.hpp>
#include <spawned/actors/options.hpp>
#include <spawned/actors/responses.hpp>
#include <spawned/actors/urgent_ref.hpp>
#include <spawned/runtime/moved.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/task.hpp>

namespace spawned {

namespace detail {

/// The place of `backend` in a runtime. `what` names the operation in errors.
[[nodiscard]] Executor& executor_of(Scheduler& scheduler, Backend backend, char const* what);

/// Makes a cell live, after `before(cell)`, when nobody else knows it yet.
template <typename A, typename Before>
ActorRef<A> launch(ActorCell<A>& cell, Before&& before) {
  try {
    before(cell);
    cell.launch();
  } catch (...) {
    cell.abandon();
    throw;
  }
  return ActorRef<A>(cell);
}
inline constexpr auto nothing_before = [](CellBase&) noexcept {};

/// Starts an actor with options.
template <typename A, typename Before, typename... Args>
ActorRef<A> start_before(Before&& before, Scheduler& scheduler, char const* what,
                         ActorOptions options, Args&&... args) {
  CellExtra* extra = make_extra(std::move(options));
  Executor* own_home = nullptr;
  try {
    Executor& home = executor_of(scheduler, extra->options.backend, what);
    extra->own_home = extra->options.backend == Backend::Thread;
    if (extra->own_home) own_home = &home;
    auto* const cell = pool_new<ActorCell<A>>(home, std::forward<Args>(args)...);
    cell->adopt(std::exchange(extra, nullptr));
    return launch(*cell, before);
  } catch (...) {
    if (own_home != nullptr) own_home->retire();
    if (extra != nullptr) pool_delete(extra);
    throw;
  }
}

template <typename A, typename... Args>
ActorRef<A> start_with(Scheduler& scheduler, char const* what, ActorOptions options,
                       Args&&... args) {
  return start_before<A>(nothing_before, scheduler, what, std::move(options),
                         std::forward<Args>(args)...);
}

/// Starts an actor with the options of its class, if that has some.
template <typename A, typename Before, typename... Args>
ActorRef<A> start_plain_before(Before&& before, Scheduler& scheduler, char const* what,
                               Args&&... args) {
  if constexpr (has_actor_options<A>) {
    return start_before<A>(before, scheduler, what, A::actor_options(),
                           std::forward<Args>(args)...);
  } else {
    auto* const cell =
        pool_new<ActorCell<A>>(workers_of(scheduler, what), std::forward<Args>(args)...);
    return launch(*cell, before);
  }
}
template <typename A, typename... Args>
ActorRef<A> start_plain(Scheduler& scheduler, char const* what, Args&&... args) {
  return start_plain_before<A>(nothing_before, scheduler, what, std::forward<Args>(args)...);
}

/// Waits until init is done. After an error the actor ends by itself or has been told to.
template <typename A>
Task<Result<ActorRef<A>, ActorError>> await_init(ActorRef<A> ref, std::int64_t timeout_ns) {
  PendingReply<void> ping = send_ping(ref.cell());
  Result<void, ActorError> ready = co_await PendingReply<void>::Awaiter(ping, timeout_ns);
  if (ready) co_return std::move(ref);
  if (gave_up_waiting(ready.error())) {
    request_actor_end(ref.cell(), UnreadMail::cancel);
  }
  co_return Unexpected(std::move(ready.error()));
}

}  // namespace detail

/// Starts an actor built in place from `args`, for actors that cannot be moved. As Actor::start.
template <typename A, typename... Args>
ActorRef<A> start(Args&&... args) {
  (detail::reject_dangerous_temporary<Args>(), ...);
  return detail::start_plain<A>(detail::require_scheduler("start"), "start",
                                std::forward<Args>(args)...);
}
template <typename A, typename... Args>
ActorRef<A> start_on(Runtime& runtime, Args&&... args) {
  (detail::reject_dangerous_temporary<Args>(), ...);
  detail::require_running(runtime.scheduler(), "start_on");
  return detail::start_plain<A>(runtime.scheduler(), "start_on", std::forward<Args>(args)...);
}
/// The same with options, which come before those of the class.
template <typename A, typename... Args>
ActorRef<A> start_with(ActorOptions options, Args&&... args) {
  (detail::reject_dangerous_temporary<Args>(), ...);
  return detail::start_with<A>(detail::require_scheduler("start_with"), "start_with",
                               std::move(options), std::forward<Args>(args)...);
}
template <typename A, typename... Args>
ActorRef<A> start_with_on(Runtime& runtime, ActorOptions options, Args&&... args) {
  (detail::reject_dangerous_temporary<Args>(), ...);
  detail::require_running(runtime.scheduler(), "start_with_on");
  return detail::start_with<A>(runtime.scheduler(), "start_with_on", std::move(options),
                               std::forward<Args>(args)...);
}
template <typename A, typename Rep, typename Period, typename... Args>
Task<Result<ActorRef<A>, ActorError>> start_and_wait(std::chrono::duration<Rep, Period> timeout,
                                                     Args&&... args) {
  (detail::reject_dangerous_temporary<Args>(), ...);
  return detail::await_init(detail::start_plain<A>(detail::require_scheduler("start_and_wait"),
                                                   "start_and_wait", std::forward<Args>(args)...),
                            detail::limit_ns(timeout));
}

/// The base class of actors: `class NameServer : public sp::Actor<NameServer>`.
///
/// The derived class holds plain state and these members, all optional but some handler:
///   init([Context&])                    void, InitResult, or a Task of either
///   handle_request(M [, Context&])      the reply R, void, RequestResponse<R>, or a Task of one
///   handle_message(M [, Context&])      void, MessageResponse, or a Task of one
///   teardown([ExitReason const&] [, Context&])   void or Task<void>
/// One handler overload per message type; a std::variant message goes to the overload of what it
/// holds. While a coroutine handler is suspended the actor takes no other message. A callback that
/// throws anything ends the actor with ExitReason::error.
///
/// Memory   one block for cell and state (a state over 256 bytes gets its own), from the pool.
/// Source   OTP's gen_server.
/// Example  examples/name_server
template <typename Derived>
class Actor {
 public:
  using context_type = Context<Derived>;

  /// Starts the actor on the calling thread's runtime and returns at once; init runs before the
  /// first message.
  /// Errors  NoRuntime outside a runtime: use start_on.
  ActorRef<Derived> start() && {
    return spawned::start<Derived>(std::move(static_cast<Derived&>(*this)));
  }

  /// The same with options. Errors: InvalidOptions too; for Backend::Thread std::system_error.
  ActorRef<Derived> start(ActorOptions options) && {
    return spawned::start_with<Derived>(std::move(options),
                                        std::move(static_cast<Derived&>(*this)));
  }
  ActorRef<Derived> start_with_backend(Backend backend) && {
    ActorOptions options = detail::options_of<Derived>();
    options.backend = backend;
    return std::move(*this).start(std::move(options));
  }

  /// Starts the actor on `runtime`. Any thread. Errors: RuntimeEnded after its shutdown().
  ActorRef<Derived> start_on(Runtime& runtime) && {
    return spawned::start_on<Derived>(runtime, std::move(static_cast<Derived&>(*this)));
  }

  ActorRef<Derived> start_on(Runtime& runtime, ActorOptions options) && {
    return spawned::start_with_on<Derived>(runtime, std::move(options),
                                           std::move(static_cast<Derived&>(*this)));
  }

  /// Starts the actor and waits until init is done: OTP's start. Yields `Result<ActorRef>`; an
  /// actor that did not come up in time is ended.
  template <typename Rep = std::int64_t, typename Period = std::nano>
  Task<Result<ActorRef<Derived>, ActorError>> start_and_wait(
      std::chrono::duration<Rep, Period> timeout = default_request_timeout) && {
    detail::reject_dangerous_temporary<Derived>();
    return spawned::start_and_wait<Derived>(timeout, std::move(static_cast<Derived&>(*this)));
  }
};

}  // namespace spawned
