// The awaiting side of a request.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <source_location>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/cycles.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/detail/wait_target.hpp>
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

/// The error of an envelope that push_mail() did not accept and that will not wait for room.
[[nodiscard]] ActorError refused_error(CellBase& cell, Pushed how);

/// After push_mail() said no_room: stands in line, in a block of its own that is left in `wait`
/// while it is in line (no_room).
[[nodiscard]] Pushed stand_in_line(CellBase& cell, Envelope& envelope, RoomWait*& wait) noexcept;
/// Ends that. True: the envelope was not accepted.
[[nodiscard]] bool leave_line(CellBase& cell, RoomWait& wait) noexcept;

/// Gives the request the deadline that `timeout_ns` from now is.
void stamp_deadline(RequestBase& request, std::int64_t timeout_ns) noexcept;

/// The error of a wait that time or a cancellation ended; throws Cancelled if one was reported
/// before.
[[nodiscard]] inline ActorError gave_up_error(WaitOutcome outcome, ExecutionContext& context) {
  if (outcome == WaitOutcome::timed_out) return ActorError::Kind::timeout;
  simulated_waits_not(context);
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
///            `stopped`          it ended with the request unread or unanswered or, by an exit
///                               signal, in the midst of it; at once.
///            `handler_failed`   its handler threw on this request; teardown has run.
///            `init_failed`, `init_no_success`  it never ran.
///            `unused`           its handler answered `unused`.
///            `mailbox_full`     its bounded mailbox had no room, or dropped the request. Under the
///                               policy `wait` the request waits for room within its time limit.
///            `unanswered`       its handler deferred the reply, and the ReplyTo was dropped.
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

  /// `where`: the line of the co_await.
  template <detail::runtime_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> caller,
                     std::source_location where = std::source_location::current()) noexcept {
    detail::ExecutionContext& context = *caller.promise().context;
    if (&context == cell_) {
      early_ = Early::self;
      return false;
    }
    if (context.await_checks != 0) [[unlikely]] {
      edge_ = detail::check_request(context, *cell_, *envelope_, wait_, timeout_ns_, where);
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
    if (detail::Pushed const how = cell_->push_mail(*envelope_, true);
        how != detail::Pushed::accepted) [[unlikely]] {
      if (!enter_line(how)) return wait_.retract();
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
  enum class Early : unsigned char { none, not_sent, self, cycle, refused, in_line };

  // Not accepted at once. True: it waits for room, or found some after all.
  [[gnu::noinline]] bool enter_line(detail::Pushed how) noexcept {
    if (how == detail::Pushed::no_room) how = detail::stand_in_line(*cell_, *envelope_, line_);
    if (how == detail::Pushed::accepted) return true;
    refused_ = how;
    early_ = how == detail::Pushed::no_room ? Early::in_line : Early::refused;
    return early_ == Early::in_line;
  }

  // Never sent, or answered: the envelope is ours. Given up: it is the actor's.
  [[gnu::noinline]] void let_go() noexcept {
    if (early_ == Early::in_line) {
      // Given up and let in, it is the actor's to free at any moment: do not look at it again.
      bool const answered = wait_.finish() == detail::WaitOutcome::completed;
      if (!detail::leave_line(*cell_, *line_) && !answered) return;
    } else if (early_ == Early::none && wait_.finish() != detail::WaitOutcome::completed) {
      return;
    }
    envelope_->destroy();
  }
  [[gnu::noinline]] Result<R, ActorError> early_result(detail::WaitOutcome outcome) {
    if (early_ == Early::self) return Unexpected(ActorError::Kind::deadlock);
    if (early_ == Early::cycle) return Unexpected(edge_->error());
    detail::simulated_waits_not(wait_.context());
    if (early_ == Early::in_line) return line_result(outcome);
    if (outcome == detail::WaitOutcome::cancelled) {
      detail::report_cancelled(wait_.context());
      return Unexpected(ActorError::Kind::cancelled);
    }
    return Unexpected(detail::refused_error(*cell_, refused_));
  }

  Result<R, ActorError> line_result(detail::WaitOutcome outcome) {
    early_ = Early::not_sent;
    bool const refused = detail::leave_line(*cell_, *line_);
    if (outcome == detail::WaitOutcome::completed) {
      detail::ReplyEnvelope<R>& envelope = *std::exchange(envelope_, nullptr);
      Result<R, ActorError> result = std::move(*envelope.result);
      envelope.destroy();
      return result;
    }
    if (!refused) envelope_ = nullptr;  // the actor owns it now
    return Unexpected(detail::gave_up_error(outcome, wait_.context()));
  }

  detail::CellBase* cell_;
  detail::CellGuard owned_;
  detail::ReplyEnvelope<R>* envelope_;
  std::int64_t timeout_ns_;
  detail::SlotWait wait_;
  detail::WaitEdge* edge_ = nullptr;  // of an actor, where cycles are looked for
  Early early_ = Early::not_sent;
  bool stamps_;
  detail::Pushed refused_;  // if early_ is refused
  detail::RoomWait* line_;  // if early_ is in_line
};

/// A request under way: what start_request returns.
///
/// Awaiting   `co_await pending` waits for the reply without a time limit; `wait_for(limit)` yields
///            `timeout` when the time is over, and the request lives on: wait again.
/// Dropping   gives the reply up.
/// Cancel     yields `cancelled`; the request lives on.
/// Errors     as RequestAwaitable. On `deadlock` the wait has not begun, and the request lives on.
/// Memory     with RuntimeOptions::detect_cycles it keeps the memory of the actor that is asked.
/// Source     gen_server:send_request/2, wait_response/2.
template <typename R>
class [[nodiscard("dropping it gives the reply up")]] PendingReply {
 public:
  using reply_type = R;

  PendingReply(detail::CellBase& target, detail::ReplyEnvelope<R>& envelope) noexcept
      : target_(target), envelope_(&envelope) {}
  PendingReply(PendingReply&& other) noexcept
      : target_(std::move(other.target_)), envelope_(std::exchange(other.envelope_, nullptr)) {}
  PendingReply& operator=(PendingReply&& other) noexcept {
    PendingReply old(std::move(*this));
    target_ = std::move(other.target_);
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
    Awaiter(Awaiter const&) = delete;
    Awaiter& operator=(Awaiter const&) = delete;
    ~Awaiter() {
      if (special_ == Special::edge) detail::WaitEdge::leave(edge_);
    }
    [[nodiscard]] bool await_ready() const noexcept { return pending_->is_ready(); }
    template <detail::runtime_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> caller,
                       std::source_location where = std::source_location::current()) noexcept {
      detail::ExecutionContext& context = *caller.promise().context;
      if (&context == pending_->target()) {
        special_ = Special::self;
        return false;
      }
      if (context.await_checks != 0) [[unlikely]] {
        detail::ReplyEnvelope<R>& request = *pending_->envelope_;
        edge_ = detail::check_pending(context, pending_->target_, request,
                                      {.wait = &wait_, .slot = &request.slot}, timeout_ns_, where);
        if (edge_ != nullptr) {
          special_ = Special::edge;
          if (edge_->closes_cycle()) return false;
        }
      }
      return wait_.suspend(caller, context, pending_->envelope_->slot, timeout_ns_);
    }
    Result<R, ActorError> await_resume() {
      detail::WaitOutcome const outcome = wait_.finish();
      if (special_ != Special::none) [[unlikely]] {
        if (special_ == Special::self) return Unexpected(ActorError::Kind::deadlock);
        if (edge_->closes_cycle()) return Unexpected(edge_->error());
        special_ = Special::none;
        detail::WaitEdge::leave(edge_);
      }
      if (outcome != detail::WaitOutcome::completed) {
        return Unexpected(detail::gave_up_error(outcome, wait_.context()));
      }
      return pending_->take();
    }

   private:
    enum class Special : unsigned char { none, self, edge };
    PendingReply* pending_;
    std::int64_t timeout_ns_;
    detail::SlotWait wait_;
    detail::WaitEdge* edge_;  // if special_ is edge: of an actor, where cycles are looked for
    Special special_ = Special::none;
  };
  Awaiter operator co_await() noexcept { return Awaiter(*this, detail::no_deadline); }
  template <typename Rep, typename Period>
  [[nodiscard("co_await it")]] Awaiter wait_for(std::chrono::duration<Rep, Period> limit) noexcept {
    return Awaiter(*this, detail::limit_ns(limit));
  }
  /// For threads outside the runtime and actors that may block: the same two, blocking.
  /// Errors  BlockingInWorker on a worker; `deadlock` as above.
  Result<R, ActorError> wait_blocking() { return wait_for_blocking(no_timeout); }
  template <typename Rep, typename Period>
  Result<R, ActorError> wait_for_blocking(std::chrono::duration<Rep, Period> limit) {
    detail::require_no_worker("PendingReply::wait_blocking");
    if (!is_ready()) {
      detail::CellBase* const caller = detail::CellBase::running();
      if (caller != nullptr && caller == target()) return Unexpected(ActorError::Kind::deadlock);
      std::int64_t timeout_ns = detail::limit_ns(limit);
      if (caller != nullptr) timeout_ns = caller->limit_by_deadline(timeout_ns);
      detail::ThreadWait wait(detail::Slot::empty);
      detail::WaitEdge* edge = nullptr;
      if (caller != nullptr) {
        edge =
            detail::WaitEdge::enter(*caller, target_, {.blocked = &wait, .slot = &envelope_->slot});
      }
      detail::EdgeGuard const left_before_the_reply_is_taken(edge);
      if (edge != nullptr && edge->closes_cycle()) return Unexpected(edge->error());
      if (caller != nullptr) detail::tell_blocking(*caller, target(), *envelope_);
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

  /// For the library: whom it asks, an identity; and the request, the caller's from now on, or null
  /// when the reply was taken.
  [[nodiscard]] void const* target() const noexcept { return target_.address(); }
  [[nodiscard]] detail::ReplyEnvelope<R>* release() && noexcept {
    return std::exchange(envelope_, nullptr);
  }

 private:
  Result<R, ActorError> take() {
    if (envelope_ == nullptr) return Unexpected(ActorError::Kind::no_such_actor);  // taken before
    detail::ReplyEnvelope<R>& envelope = *std::exchange(envelope_, nullptr);
    Result<R, ActorError> result = std::move(*envelope.result);
    envelope.destroy();
    return result;
  }
  detail::WaitTarget target_;
  detail::ReplyEnvelope<R>* envelope_;
};

namespace detail {

/// The wait is over, and nothing is known of the actor.
[[nodiscard]] inline bool gave_up_waiting(ActorError const& error) noexcept {
  return error == ActorError::Kind::timeout || error == ActorError::Kind::cancelled ||
         error == ActorError::Kind::deadlock;
}

/// Asks the actor to say that it has come so far; no limit of its mailbox applies.
[[nodiscard]] PendingReply<void> send_ping(CellBase& cell);

}  // namespace detail

}  // namespace spawned
