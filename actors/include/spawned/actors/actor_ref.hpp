// ActorRef<A>: the handle of an actor.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <optional>
#include <utility>

#include <spawned/actors/context.hpp>
#include <spawned/actors/detail/actor_cell.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/detail/handlers.hpp>
#include <spawned/actors/error.hpp>
#include <spawned/actors/request.hpp>
#include <spawned/runtime/detail/wait_list.hpp>
#include <spawned/runtime/moved.hpp>

namespace spawned {

/// What became of a send. A message to an actor that has ended is `ok` too: as in OTP, the sender
/// is not told.
enum class SendResult : std::uint8_t { ok };

/// Names an actor. Copies are cheap (one atomic increment) and keep the actor's cell in memory, not
/// the actor: it lives until it is stopped.
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

  /// Sends the request now and leaves the waiting for later. Any thread.
  template <typename M, typename... Args>
  [[nodiscard]] auto start_request(Args&&... args) const {
    auto* const envelope = make_envelope<M>(std::forward<Args>(args)...);
    using R = detail::reply_t<A, M>;
    if (detail::CellBase const* const caller = detail::CellBase::running()) {
      envelope->deadline_ns = caller->deadline_ns();
    }
    if (!cell_->push(*envelope)) {
      envelope->result.emplace(Unexpected(detail::dead_actor_error(*cell_)));
      (void)envelope->slot.complete();
    }
    return PendingReply<R>(*cell_, *envelope);
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
    detail::ReplyEnvelope<detail::reply_t<A, M>>& envelope =
        *make_envelope<M>(std::forward<Args>(args)...);
    return detail::ask_blocking(*cell_, envelope, detail::limit_ns(timeout));
  }

  // --- send: OTP's cast ---

  /// Hands the actor `M(args...)` and goes on. Never suspends. Any thread. Errors: std::bad_alloc,
  /// and what constructing the message throws; nothing was sent then.
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

  // --- life ---

  /// Asks the actor to end after what the caller sent before; teardown runs. Any thread.
  void stop(ExitReason reason = {}) const { (void)detail::post_stop(*cell_, std::move(reason)); }

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

  class ExitAwaiter {
   public:
    ExitAwaiter(detail::CellBase& cell, bool stop, ExitReason reason, std::int64_t timeout_ns)
        : cell_(&cell),
          guard_(&cell),
          stop_reason_(std::move(reason)),
          timeout_ns_(timeout_ns),
          wait_(cell.waiters()),
          stop_(stop) {
      cell.retain();
    }
    ExitAwaiter(ExitAwaiter const&) = delete;
    ExitAwaiter& operator=(ExitAwaiter const&) = delete;
    ~ExitAwaiter() {
      if (edge_ != nullptr) detail::WaitEdge::leave(edge_);
    }

    [[nodiscard]] bool await_ready() const noexcept { return !stop_ && cell_->has_ended(); }
    template <detail::runtime_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> caller) noexcept {
      if (caller.promise().context == cell_) {
        own_ = true;
        return false;
      }
      if (caller.promise().context->await_checks != 0) [[unlikely]] {
        auto& caller_cell = static_cast<detail::CellBase&>(*caller.promise().context);
        edge_ = detail::WaitEdge::enter(caller_cell, *cell_, wait_.slot_wait());
        if (edge_ != nullptr && edge_->closes_cycle()) return false;
      }
      if (stop_) {
        if (!detail::post_stop(*cell_, std::move(stop_reason_))) {
          dead_ = true;
          return false;
        }
      }
      waited_ = true;
      return wait_.suspend(caller, *caller.promise().context, timeout_ns_);
    }
    Result<ExitReason, ActorError> await_resume() {
      if (edge_ != nullptr) {
        if (edge_->closes_cycle()) return Unexpected(edge_->error());
        detail::WaitEdge::leave(edge_);
      }
      if (own_) return Unexpected(ActorError::Kind::deadlock);
      if (dead_) return Unexpected(detail::dead_actor_error(*cell_));
      if (waited_) {
        detail::WaitOutcome const outcome = wait_.finish();
        if (outcome != detail::WaitOutcome::completed) {
          return Unexpected(detail::gave_up_error(outcome, wait_.context()));
        }
      }
      return cell_->exit_reason();
    }

   private:
    detail::CellBase* cell_;
    detail::CellGuard guard_;  // outlives wait_, which is linked into the cell
    ExitReason stop_reason_;
    std::int64_t timeout_ns_;
    detail::ListWait wait_;
    detail::WaitEdge* edge_ = nullptr;
    bool stop_;
    bool own_ = false;  // an actor waits for itself
    bool dead_ = false;
    bool waited_ = false;
  };

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
  SendResult post(Args&&... args) const {
    detail::require_message_handler<A, M>();
    if constexpr (detail::handles_message<A, M>) {
      (detail::reject_dangerous_temporary<Args>(), ...);
      auto* const envelope = detail::pool_new<detail::SendEnvelope<A, M>>(
          std::in_place, detail::forward_moved<Args>(args)...);
      if (!cell_->push(*envelope)) {
        (void)envelope->deliver(nullptr, *envelope, detail::Operation::destroy);
      }
    }
    return SendResult::ok;
  }

  detail::ActorCell<A>* cell_;
};

template <typename A>
ActorRef<A> Context<A>::self() const noexcept {
  cell_->retain();
  return ActorRef<A>(static_cast<detail::ActorCell<A>&>(*cell_));
}

}  // namespace spawned
