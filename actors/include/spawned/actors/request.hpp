// The awaiting side of a request.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/cycles.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/error.hpp>
#include <spawned/runtime/detail/promise.hpp>
#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/result.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

namespace spawned {

/// How long request() waits for the reply, as gen_server:call/2.
inline constexpr std::chrono::nanoseconds default_request_timeout = std::chrono::seconds(5);

/// For request_with_timeout and its like: wait for ever.
inline constexpr std::chrono::nanoseconds no_timeout = std::chrono::nanoseconds::max();

namespace detail {

/// A time limit as the waits take it.
template <typename Rep, typename Period>
[[nodiscard]] std::int64_t limit_ns(std::chrono::duration<Rep, Period> timeout) noexcept {
  std::int64_t const ns = to_ns(timeout);
  if (ns == INT64_MAX) return no_deadline;
  return ns < 0 ? 0 : ns;
}

/// Releases a reference at the end of a scope.
class CellGuard {
 public:
  explicit CellGuard(CellBase* cell) noexcept : cell_(cell) {}
  CellGuard(CellGuard const&) = delete;
  CellGuard& operator=(CellGuard const&) = delete;
  ~CellGuard() {
    if (cell_ != nullptr) cell_->release();
  }

 private:
  CellBase* cell_;
};

[[nodiscard]] ActorError dead_actor_error(CellBase& cell);

/// Gives the request the deadline that `timeout_ns` from now is.
void stamp_deadline(AnyRequest& request, std::int64_t timeout_ns) noexcept;

/// Sends a request and blocks the thread until it is answered.
template <typename R>
Result<R, ActorError> ask_blocking(CellBase& cell, ReplyEnvelope<R>& envelope,
                                   std::int64_t timeout_ns) {
  if (CellBase const* const caller = CellBase::running()) {
    if (caller == &cell) {
      envelope.destroy();
      return Unexpected(ActorError::Kind::deadlock);
    }
    timeout_ns = caller->limit_by_deadline(timeout_ns);
  }
  stamp_deadline(envelope, timeout_ns);
  ThreadWait wait;
  envelope.slot.start_waiting(wait);
  if (!cell.push(envelope)) {
    envelope.destroy();
    return Unexpected(dead_actor_error(cell));
  }
  if (!wait.block(envelope.slot, timeout_ns)) return Unexpected(ActorError::Kind::timeout);
  Result<R, ActorError> result = std::move(*envelope.result);
  envelope.destroy();
  return result;
}

/// The error of a wait that time or a cancellation ended; throws Cancelled if one was reported
/// before.
[[nodiscard]] inline ActorError gave_up_error(WaitOutcome outcome, ExecutionContext& context) {
  if (outcome == WaitOutcome::timed_out) return ActorError::Kind::timeout;
  report_cancelled(context);
  return ActorError::Kind::cancelled;
}

}  // namespace detail

/// What request() returns: sends the message and waits for the reply when awaited.
///
/// Awaiting   yields `Result<R>`.
/// Errors     `timeout`          no reply within the time limit; a later one is dropped, and never
///                               seen by a later request.
///            `no_such_actor`    the actor had ended before; at once.
///            `stopped`          it ended with the request unread or, by an exit signal, in the
///                               midst of it; at once.
///            `handler_failed`   its handler threw on this request; teardown has run.
///            `init_failed`, `init_no_success`  it never ran.
///            `unused`           its handler answered `unused`.
///            `deadlock`         an actor asked itself, or, with RuntimeOptions::detect_cycles,
///                               one that waits for it; what() names all in the cycle.
///            `cancelled`        the calling task was cancelled.
/// Units      the time limit runs from the co_await, with a resolution of 1 ms, and is never short
///            but in one case: a handler that serves a request has only what is left of the time
///            limit of that one (Context::deadline()).
/// Suspends   always, but for the errors known at once.
/// Resumes    on the actor's worker right after its turn, or on a thief; never inside the handler.
/// Ordering   after everything the same task sent to the same actor before.
/// Cancel     an unread message may still be handled after the caller has gone.
/// Cost       one pooled block; no allocator call in steady state; the clock is not read.
/// Source     gen_server:call/3.
/// Example    examples/name_server, section "request".
template <typename R>
class [[nodiscard("co_await it, or the request is never sent")]] RequestAwaitable {
 public:
  /// `stamps`: the handler can hand the deadline on.
  RequestAwaitable(detail::CellBase& cell, bool owned, detail::ReplyEnvelope<R>& envelope,
                   std::int64_t timeout_ns, bool stamps = false) noexcept
      : cell_(&cell),
        owned_(owned ? &cell : nullptr),
        envelope_(&envelope),
        timeout_ns_(timeout_ns),
        wait_(detail::Slot::abandoned),
        stamps_(stamps) {}
  RequestAwaitable(RequestAwaitable const&) = delete;
  RequestAwaitable& operator=(RequestAwaitable const&) = delete;
  /// Also while suspended, once the context was queued and will not be resumed.
  ~RequestAwaitable() {
    if (edge_ != nullptr) detail::WaitEdge::leave(edge_);
    if (envelope_ != nullptr) let_go();
  }

  [[nodiscard]] bool await_ready() const noexcept { return false; }

  template <detail::runtime_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> caller) noexcept {
    detail::ExecutionContext& context = *caller.promise().context;
    if (&context == cell_) {
      early_ = Early::self;
      return false;
    }
    if (context.await_checks != 0) [[unlikely]] {
      auto& caller_cell = static_cast<detail::CellBase&>(context);
      timeout_ns_ = caller_cell.limit_by_deadline(timeout_ns_);
      edge_ = detail::WaitEdge::enter(caller_cell, *cell_, wait_);
      if (edge_ != nullptr && edge_->closes_cycle()) {
        early_ = Early::cycle;
        return false;
      }
    }
    if (stamps_ || cell_->has_attention(detail::CellBase::Attention::off_workers)) {
      detail::stamp_deadline(*envelope_, timeout_ns_);
    }
    if (!wait_.prepare(caller, context, envelope_->slot)) return wait_.refused();
    early_ = Early::none;
    if (!cell_->push(*envelope_, true)) {
      early_ = Early::dead;
      return wait_.retract();
    }
    wait_.commit(timeout_ns_);
    return true;
  }

  Result<R, ActorError> await_resume() {
    detail::WaitOutcome const outcome = wait_.finish();
    if (edge_ != nullptr && early_ != Early::cycle) detail::WaitEdge::leave(edge_);
    if (early_ != Early::none) return early_result(outcome);
    detail::ReplyEnvelope<R>& envelope = *std::exchange(envelope_, nullptr);
    if (outcome == detail::WaitOutcome::completed) {
      Result<R, ActorError> result = std::move(*envelope.result);
      envelope.destroy();
      return result;
    }
    // The actor owns the envelope now.
    return Unexpected(detail::gave_up_error(outcome, wait_.context()));
  }

 private:
  enum class Early : unsigned char { none, not_sent, self, cycle, dead };

  // Never sent, or answered: the envelope is ours. Given up: it is the actor's.
  [[gnu::noinline]] void let_go() noexcept {
    if (early_ != Early::none || wait_.finish() == detail::WaitOutcome::completed) {
      envelope_->destroy();
    }
  }
  [[gnu::noinline]] Result<R, ActorError> early_result(detail::WaitOutcome outcome) {
    if (early_ == Early::self) return Unexpected(ActorError::Kind::deadlock);
    if (early_ == Early::cycle) return Unexpected(edge_->error());
    if (outcome == detail::WaitOutcome::cancelled) {
      detail::report_cancelled(wait_.context());
      return Unexpected(ActorError::Kind::cancelled);
    }
    return Unexpected(detail::dead_actor_error(*cell_));
  }

  detail::CellBase* cell_;
  detail::CellGuard owned_;
  detail::ReplyEnvelope<R>* envelope_;
  std::int64_t timeout_ns_;
  detail::SlotWait wait_;
  detail::WaitEdge* edge_ = nullptr;  // of an actor, where cycles are looked for
  Early early_ = Early::not_sent;
  bool stamps_;
};

/// A request under way: what start_request returns.
///
/// Awaiting   `co_await pending` waits for the reply without a time limit; `wait_for(limit)` yields
///            `timeout` when the time is over, and the request lives on: wait again.
/// Dropping   gives the reply up.
/// Cancel     yields `cancelled`; the request lives on.
/// Source     gen_server:send_request/2, wait_response/2.
template <typename R>
class [[nodiscard("dropping it gives the reply up")]] PendingReply {
 public:
  /// `target` is only compared: an actor must not wait for itself.
  PendingReply(detail::CellBase const& target, detail::ReplyEnvelope<R>& envelope) noexcept
      : target_(&target), envelope_(&envelope) {}
  PendingReply(PendingReply&& other) noexcept
      : target_(other.target_), envelope_(std::exchange(other.envelope_, nullptr)) {}
  PendingReply& operator=(PendingReply&& other) noexcept {
    PendingReply old(std::move(*this));
    target_ = other.target_;
    envelope_ = std::exchange(other.envelope_, nullptr);
    return *this;
  }
  ~PendingReply() {
    if (envelope_ != nullptr && !envelope_->slot.abandon()) envelope_->destroy();
  }

  class Awaiter {
   public:
    Awaiter(PendingReply& pending, std::int64_t timeout_ns) noexcept
        : pending_(&pending), timeout_ns_(timeout_ns), wait_(detail::Slot::empty) {}
    [[nodiscard]] bool await_ready() const noexcept { return pending_->is_ready(); }
    template <detail::runtime_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> caller) noexcept {
      detail::ExecutionContext& context = *caller.promise().context;
      if (&context == pending_->target_) {
        self_ = true;
        return false;
      }
      if (context.await_checks != 0) [[unlikely]] {
        timeout_ns_ = static_cast<detail::CellBase&>(context).limit_by_deadline(timeout_ns_);
      }
      return wait_.suspend(caller, context, pending_->envelope_->slot, timeout_ns_);
    }
    Result<R, ActorError> await_resume() {
      if (self_) return Unexpected(ActorError::Kind::deadlock);
      detail::WaitOutcome const outcome = wait_.finish();
      if (outcome != detail::WaitOutcome::completed) {
        return Unexpected(detail::gave_up_error(outcome, wait_.context()));
      }
      return pending_->take();
    }

   private:
    PendingReply* pending_;
    std::int64_t timeout_ns_;
    detail::SlotWait wait_;
    bool self_ = false;
  };
  Awaiter operator co_await() noexcept { return Awaiter(*this, detail::no_deadline); }
  template <typename Rep, typename Period>
  [[nodiscard("co_await it")]] Awaiter wait_for(std::chrono::duration<Rep, Period> limit) noexcept {
    return Awaiter(*this, detail::limit_ns(limit));
  }
  /// For threads outside the runtime and actors that may block: the same two, blocking.
  /// Errors  BlockingInWorker on a worker; `deadlock` in the actor that is to answer.
  Result<R, ActorError> wait_blocking() { return wait_for_blocking(no_timeout); }
  template <typename Rep, typename Period>
  Result<R, ActorError> wait_for_blocking(std::chrono::duration<Rep, Period> limit) {
    detail::require_no_worker("PendingReply::wait_blocking");
    if (!is_ready()) {
      detail::CellBase const* const caller = detail::CellBase::running();
      if (caller != nullptr && caller == target_) return Unexpected(ActorError::Kind::deadlock);
      std::int64_t timeout_ns = detail::limit_ns(limit);
      if (caller != nullptr) timeout_ns = caller->limit_by_deadline(timeout_ns);
      detail::ThreadWait wait(detail::Slot::empty);
      if (!wait.wait(envelope_->slot, timeout_ns)) {
        return Unexpected(ActorError::Kind::timeout);
      }
    }
    return take();
  }
  /// The reply is there (or was taken): awaiting does not suspend.
  [[nodiscard]] bool is_ready() const noexcept {
    return envelope_ == nullptr || envelope_->slot.is_done();
  }

 private:
  Result<R, ActorError> take() {
    if (envelope_ == nullptr) return Unexpected(ActorError::Kind::no_such_actor);  // taken before
    detail::ReplyEnvelope<R>& envelope = *std::exchange(envelope_, nullptr);
    Result<R, ActorError> result = std::move(*envelope.result);
    envelope.destroy();
    return result;
  }
  void const* target_;  // an identity, never dereferenced
  detail::ReplyEnvelope<R>* envelope_;
};

}  // namespace spawned
