// threads::ActorRef<A>: the handle of an actor for code that blocks.
#pragma once

#include <chrono>
#include <utility>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/actors/context.hpp>
#include <spawned/actors/request.hpp>

namespace spawned::threads {

/// A request under way. Dropping it gives the reply up.
template <typename R>
class [[nodiscard("dropping it gives the reply up")]] PendingReply
    : private spawned::PendingReply<R> {
  using Base = spawned::PendingReply<R>;

 public:
  explicit PendingReply(Base pending) noexcept : Base(std::move(pending)) {}

  /// Blocks until the reply is there, once.
  Result<R, ActorError> wait() { return this->wait_blocking(); }
  /// The same for at most `limit`: on `timeout` the request lives on, wait again.
  template <typename Rep, typename Period>
  Result<R, ActorError> wait_for(std::chrono::duration<Rep, Period> limit) {
    return this->wait_for_blocking(limit);
  }
  using Base::is_ready;
};

/// As spawned::ActorRef, which it is, with blocking calls in place of those to co_await. Actors of
/// both flavours, on every backend, have the same cells: a ref of either kind names any of them.
///
/// Errors   every blocking call throws BlockingInWorker on a worker of the tasks flavour.
template <typename A>
class ActorRef : public spawned::ActorRef<A> {
  using Base = spawned::ActorRef<A>;

 public:
  ActorRef(Base ref) noexcept : Base(std::move(ref)) {}  // NOLINT(google-explicit-constructor)

  /// Asks the actor to handle `M(args...)` and blocks up to 5 s for the reply.
  /// Errors  as RequestAwaitable, but `cancelled`.
  template <typename M, typename... Args>
  auto request(Args&&... args) const {
    return this->template request_blocking<M>(std::forward<Args>(args)...);
  }
  template <typename Message>
  auto request(Message&& message) const {
    return this->template request_blocking<detail::message_type<Message>>(
        std::forward<Message>(message));
  }
  template <typename M, typename Rep, typename Period, typename... Args>
  auto request_with_timeout(std::chrono::duration<Rep, Period> timeout, Args&&... args) const {
    return this->template request_blocking_with_timeout<M>(timeout, std::forward<Args>(args)...);
  }
  /// Sends the request now and leaves the waiting for later.
  template <typename M, typename... Args>
  auto start_request(Args&&... args) const {
    using R = detail::reply_t<A, M>;
    return PendingReply<R>(Base::template start_request<M>(std::forward<Args>(args)...));
  }

  /// Hands the actor `M(args...)`, and blocks if its bounded mailbox has the policy `wait` and no
  /// room. Errors: as SendAwaitable, but `cancelled`.
  template <typename M, typename... Args>
  Result<void, ActorError> send_wait(Args&&... args) const {
    return this->template send_wait_blocking<M>(std::forward<Args>(args)...);
  }

  /// Asks the actor to end and blocks until it has. `no_such_actor` when it had ended before,
  /// `timeout` when it is not done in time (it still ends), `deadlock` when an actor would wait for
  /// its own end; nothing is stopped then.
  Result<ExitReason, ActorError> stop_and_wait(
      ExitReason reason = {}, std::chrono::nanoseconds timeout = no_timeout) const {
    detail::require_no_worker("threads::ActorRef::stop_and_wait");
    if (detail::CellBase::running() == &this->cell()) return Unexpected(ActorError::Kind::deadlock);
    if (!detail::post_stop(this->cell(), std::move(reason))) {
      return Unexpected(detail::dead_actor_error(this->cell()));
    }
    return this->wait_exit_blocking(timeout);
  }

  /// Blocks until the actor has ended. Errors: `timeout`; `deadlock` in the actor itself.
  Result<ExitReason, ActorError> wait_exit(std::chrono::nanoseconds limit = no_timeout) const {
    return this->wait_exit_blocking(limit);
  }
  Result<ExitReason, ActorError> join() const { return wait_exit(); }
};

/// As spawned::Context, with this flavour's refs.
template <typename A>
class Context : public spawned::Context<A> {
 public:
  using spawned::Context<A>::Context;
  [[nodiscard]] ActorRef<A> self() const noexcept { return spawned::Context<A>::self(); }
  /// As spawned::Context's, blocking.
  template <typename B, typename... Args>
  Result<ActorRef<B>, ActorError> start_linked(Args&&... args);
  template <typename B, typename M = Down, typename... Args>
  Result<Monitored<ActorRef<B>>, ActorError> start_monitored(Args&&... args);
};

}  // namespace spawned::threads
