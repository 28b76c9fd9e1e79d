// ActorRef<A>: the handle of an actor.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <optional>
#include <utility>

#include <spawned/actors/context.hpp>
#include <spawned/actors/detail/actor_cell.hpp>
#include <spawned/actors/detail/asking.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/detail/handlers.hpp>
#include <spawned/actors/detail/mail_queue.hpp>
#include <spawned/actors/error.hpp>
#include <spawned/actors/exit_awaiter.hpp>
#include <spawned/actors/request.hpp>
#include <spawned/actors/send_wait.hpp>
#include <spawned/runtime/moved.hpp>

namespace spawned {

namespace detail {
[[nodiscard]] MailboxInfo mailbox_info(CellBase& cell) noexcept;
}  // namespace detail

template <typename A>
class WeakActorRef;

/// Names an actor. Copies are cheap (one atomic increment) and keep the actor's cell in memory, not
/// the actor: it lives until it is stopped, unless ActorOptions::stop_when_unreferenced is set.
///
/// Threads   as a shared_ptr: distinct copies from any thread.
/// Messages  `request<M>(args...)` builds the message in place and is right on every compiler. The
///           other form takes a message by move: `request(sp::moved(named))`.
template <typename A>
class ActorRef {
 public:
  using actor_type = A;

  ActorRef(ActorRef const& other) noexcept : cell_(other.cell_) {
    if (cell_ != nullptr) cell_->retain();
  }
  ActorRef(ActorRef&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  ActorRef& operator=(ActorRef other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~ActorRef() {
    if (cell_ != nullptr) cell_->release();
  }

  // --- request: OTP's call ---

  /// Asks the actor to handle `M(args...)` and waits up to 5 s for the reply. See RequestAwaitable.
  template <typename M, typename... Args>
  [[nodiscard("co_await it")]] auto request(Args&&... args) const& {
    return make_request<M>(default_ns, false, std::forward<Args>(args)...);
  }
  template <typename M, typename... Args>
  [[nodiscard("co_await it")]] auto request(Args&&... args) && {
    return make_request<M>(default_ns, true, std::forward<Args>(args)...);
  }
  template <typename Message>
  [[nodiscard("co_await it")]] auto request(Message&& message) const& {
    return make_request<detail::message_type<Message>>(default_ns, false,
                                                       std::forward<Message>(message));
  }
  template <typename Message>
  [[nodiscard("co_await it")]] auto request(Message&& message) && {
    return make_request<detail::message_type<Message>>(default_ns, true,
                                                       std::forward<Message>(message));
  }

  /// The same with a time limit of the caller's; `no_timeout` waits for ever.
  template <typename M, typename Rep, typename Period, typename... Args>
  [[nodiscard("co_await it")]] auto request_with_timeout(std::chrono::duration<Rep, Period> timeout,
                                                         Args&&... args) const& {
    return make_request<M>(detail::limit_ns(timeout), false, std::forward<Args>(args)...);
  }
  template <typename M, typename Rep, typename Period, typename... Args>
  [[nodiscard("co_await it")]] auto request_with_timeout(std::chrono::duration<Rep, Period> timeout,
                                                         Args&&... args) && {
    return make_request<M>(detail::limit_ns(timeout), true, std::forward<Args>(args)...);
  }

  /// Sends the request now and leaves the waiting for later. It does not wait for room in a bounded
  /// mailbox: `mailbox_full`. Any thread.
  template <typename M, typename... Args>
  [[nodiscard]] auto start_request(Args&&... args) const {
    return detail::ask(*cell_, *make_envelope<M>(std::forward<Args>(args)...));
  }

  /// For threads outside the runtime and actors that may block: asks and blocks, up to 5 s.
  /// Errors  BlockingInWorker on a worker; else as RequestAwaitable.
  /// Cost    two thread wake-ups, 50 us or so, unless the answer comes within the 25 us it spins.
  template <typename M, typename... Args>
  auto request_blocking(Args&&... args) const {
    return request_blocking_with_timeout<M>(default_request_timeout, std::forward<Args>(args)...);
  }
  template <typename M, typename Rep, typename Period, typename... Args>
  auto request_blocking_with_timeout(std::chrono::duration<Rep, Period> timeout,
                                     Args&&... args) const {
    detail::require_request_handler<A, M>();
    detail::require_no_worker("ActorRef::request_blocking");
    return detail::ask_blocking(*cell_, *make_envelope<M>(std::forward<Args>(args)...),
                                detail::limit_ns(timeout));
  }

  // --- send: OTP's cast ---

  /// Hands the actor `M(args...)` and goes on. Never suspends; a bounded mailbox without room
  /// answers by its policy. Any thread. Errors: std::bad_alloc, and what constructing the message
  /// throws; nothing was sent then.
  ///
  /// Ordering  messages of one sender to one actor are handled in the order sent.
  /// Cost      one pooled block, one CAS.
  template <typename M, typename... Args>
  SendResult send(Args&&... args) const {
    return post<M>(std::forward<Args>(args)...);
  }
  template <typename Message>
  SendResult send(Message&& message) const {
    return post<detail::message_type<Message>>(std::forward<Message>(message));
  }

  /// Hands the actor `M(args...)`, and waits if its bounded mailbox has the policy `wait` and no
  /// room. See SendAwaitable.
  template <typename M, typename... Args>
  [[nodiscard("co_await it")]] SendAwaitable send_wait(Args&&... args) const& {
    return SendAwaitable(*cell_, false, *make_message<M>(std::forward<Args>(args)...));
  }
  template <typename M, typename... Args>
  [[nodiscard("co_await it")]] SendAwaitable send_wait(Args&&... args) && {
    auto& envelope = *make_message<M>(std::forward<Args>(args)...);
    cell_->retain();
    return SendAwaitable(*cell_, true, envelope);
  }
  /// For threads outside the runtime and actors that may block: the same, blocking.
  /// Errors  BlockingInWorker on a worker.
  template <typename M, typename... Args>
  Result<void, ActorError> send_wait_blocking(Args&&... args) const {
    detail::require_no_worker("ActorRef::send_wait_blocking");
    return detail::send_blocking(*cell_, *make_message<M>(std::forward<Args>(args)...));
  }

  /// What waits in the mailbox. Any thread.
  [[nodiscard]] MailboxInfo mailbox() const noexcept { return detail::mailbox_info(*cell_); }

  // --- life ---

  /// Asks the actor to end after what the caller sent before; teardown runs. Any thread.
  void stop(ExitReason reason = {}) const { (void)detail::post_stop(*cell_, std::move(reason)); }

  using ExitAwaiter = spawned::ExitAwaiter;

  /// An exit signal: ends the actor with exactly this reason as soon as it can be, without teardown
  /// and without reading its mail; requests get `stopped`. Any thread. OTP's exit/2.
  ///
  /// `normal` from another is ignored; from the actor itself it ends it. `kill` becomes `killed`.
  /// The first signal wins. Errors: std::bad_alloc; no signal was sent then.
  ///
  /// Ordering  takes effect before anything that the caller sends afterwards, and perhaps before
  ///           what it sent earlier: between two messages, or where the handler is suspended or
  ///           suspends next; the frame is destroyed there, locals first to last. A handler that
  ///           blocks its thread is not interrupted. It ends a teardown too.
  /// Cancel    callbacks of the handler's CancellationToken run in this call.
  /// Example   tests/actors/exit_test.cpp
  void exit(ExitReason reason) const { cell_->exit(std::move(reason)); }
  /// exit(kill): others see reason `killed`.
  void kill() const { cell_->exit(ExitReason::Kind::kill); }

  /// Asks the actor to end and waits until it has. Yields `Result<ExitReason>`; `no_such_actor`
  /// when it had ended before, `timeout` when it is not done in time (it still ends), `deadlock`
  /// when an actor would wait for its own end; nothing is stopped then.
  /// gen_server:stop/3.
  [[nodiscard("co_await it")]] ExitAwaiter stop_and_wait(
      ExitReason reason = {}, std::chrono::nanoseconds timeout = no_timeout) const {
    return ExitAwaiter(*cell_, true, std::move(reason), detail::limit_ns(timeout));
  }

  /// Awaiting it suspends until the actor has ended: teardown done, state destroyed. Yields
  /// `Result<ExitReason>`; the error is `cancelled`, `timeout` after `limit`, or `deadlock` in the
  /// actor itself.
  [[nodiscard("co_await it")]] ExitAwaiter wait_exit(
      std::chrono::nanoseconds limit = no_timeout) const {
    return ExitAwaiter(*cell_, false, {}, detail::limit_ns(limit));
  }
  /// The seed's name for wait_exit().
  [[nodiscard("co_await it")]] ExitAwaiter join() const { return wait_exit(); }

  /// For threads outside the runtime: blocks until the actor has ended.
  /// Errors  BlockingInWorker on a worker.
  ExitReason wait_exit_blocking() const {
    detail::require_no_worker("ActorRef::wait_exit_blocking");
    (void)detail::wait_blocking(cell_->waiters());
    return cell_->exit_reason();
  }
  /// The same with a time limit. Errors: `timeout`; `deadlock` in the actor itself.
  Result<ExitReason, ActorError> wait_exit_blocking(std::chrono::nanoseconds limit) const {
    detail::require_no_worker("ActorRef::wait_exit_blocking");
    if (detail::CellBase::running() == cell_) return Unexpected(ActorError::Kind::deadlock);
    if (!detail::wait_blocking(cell_->waiters(), detail::limit_ns(limit))) {
      return Unexpected(ActorError::Kind::timeout);
    }
    return cell_->exit_reason();
  }

  /// Why the actor ended; empty while it lives.
  [[nodiscard]] std::optional<ExitReason> exit_reason() const {
    if (!cell_->has_ended()) return std::nullopt;
    return cell_->exit_reason();
  }
  /// False from an exit signal on that it cannot survive, though it may still be at its end.
  [[nodiscard]] bool is_alive() const noexcept {
    return !cell_->has_ended() && !cell_->is_exiting();
  }
  /// How many requests ActorOptions::skip_expired has dropped.
  [[nodiscard]] std::uint64_t expired_requests() const noexcept {
    detail::CellExtra const* const extra = cell_->extra_or_null();
    return extra != nullptr ? extra->expired.load(detail::memory_order_relaxed)  // a statistic
                            : 0;
  }
  [[nodiscard]] ActorId id() const noexcept { return cell_->id(); }

  /// A handle that does not count: see WeakActorRef.
  [[nodiscard]] WeakActorRef<A> downgrade() const noexcept;

  friend bool operator==(ActorRef const& left, ActorRef const& right) noexcept {
    return left.cell_ == right.cell_;
  }

  /// For the library: takes over one reference.
  explicit ActorRef(detail::ActorCell<A>& cell) noexcept : cell_(&cell) {}
  [[nodiscard]] detail::ActorCell<A>& cell() const noexcept { return *cell_; }

 private:
  static constexpr std::int64_t default_ns = default_request_timeout.count();

  template <typename M, typename... Args>
  static auto* make_envelope(Args&&... args) {
    detail::require_request_handler<A, M>();
    (detail::reject_dangerous_temporary<Args>(), ...);
    return detail::pool_new<detail::RequestEnvelope<A, M>>(std::in_place,
                                                           detail::forward_moved<Args>(args)...);
  }

  template <typename M, typename... Args>
  auto make_request(std::int64_t timeout_ns, bool owned, Args&&... args) const {
    detail::require_request_handler<A, M>();
    if constexpr (detail::handles_request<A, M>) {
      using R = detail::reply_t<A, M>;
      auto* const envelope = make_envelope<M>(std::forward<Args>(args)...);
      if (owned) cell_->retain();
      return RequestAwaitable<R>(*cell_, owned, *envelope, timeout_ns,
                                 detail::awaits_in_request<A, M>);
    }
  }

  template <typename M, typename... Args>
  static auto* make_message(Args&&... args) {
    detail::require_message_handler<A, M>();
    (detail::reject_dangerous_temporary<Args>(), ...);
    return detail::pool_new<detail::SendEnvelope<A, M>>(std::in_place,
                                                        detail::forward_moved<Args>(args)...);
  }

  template <typename M, typename... Args>
  SendResult post(Args&&... args) const {
    detail::require_message_handler<A, M>();
    if constexpr (detail::handles_message<A, M>) {
      (detail::reject_dangerous_temporary<Args>(), ...);
      return detail::post<A, M>(*cell_, detail::forward_moved<Args>(args)...);
    }
    return SendResult::ok;
  }

  detail::ActorCell<A>* cell_;
};

template <typename A>
ActorRef<A> Context<A>::self() const noexcept {
  cell_->retain_again();
  return ActorRef<A>(static_cast<detail::ActorCell<A>&>(*cell_));
}

}  // namespace spawned
