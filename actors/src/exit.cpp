// Exit signals and the cancellation token of a callback: what ends or interrupts an actor from
// outside. The protocol is described in docs/design/exit.md.
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/watch.hpp>
#include <spawned/runtime/cancellation.hpp>
#include <spawned/runtime/detail/pool.hpp>

namespace spawned::detail {

// Carries no reason: it makes the actor runnable, and keeps its place among the sender's messages.
struct CellBase::ExitEnvelope final : Envelope {
  ExitEnvelope() noexcept : Envelope(&deliver_exit) {}

  static Turn deliver_exit(CellBase* cell, Envelope& envelope, Operation operation) {
    bool const handle = operation == Operation::handle;
    if (handle) cell->take_out(envelope);
    pool_delete(static_cast<ExitEnvelope*>(&envelope));
    // One that is left of an earlier incarnation ends nobody.
    return handle && cell->has_attention(Attention::lethal) ? Turn::stop : Turn::next;
  }
};

void CellBase::adopt(CellExtra* options) noexcept {
  std::uint16_t bits = 0;
  if (options->options.backend != Backend::Async) bits |= Attention::off_workers;
  if (options->options.handler_timeout != std::chrono::nanoseconds::max()) {
    bits |= Attention::watched;
  }
  if (options->options.skip_expired) bits |= Attention::skip_expired;
  if (options->mail.get() != nullptr) {
    bits |= options->options.urgent_messages ? Attention::urgent : Attention::bounded;
  }
  extra_.store(options, memory_order_relaxed);   // the cell is nobody else's yet
  attention_.store(bits, memory_order_relaxed);  // nor is this
}

void CellBase::exit(ExitReason reason) {
  CellBase* const sender = running();
  if (reason.kind() != ExitReason::Kind::kill && traps_exits()) {
    if (sender != nullptr && Watch::is_parent(*sender, *this)) {
      (void)post_stop(*this, std::move(reason));
      return;
    }
    ActorId const from = sender != nullptr ? sender->id() : ActorId();
    actor_kind().post_exit(*this, EndNotice{from, std::move(reason)}, nullptr);
  } else if (reason.kind() != ExitReason::Kind::normal || sender == this) {
    if (reason.kind() == ExitReason::Kind::kill) reason = ExitReason::Kind::killed;
    exit_for_good(std::move(reason));
  }
}

void CellBase::exit_for_good(ExitReason reason) {
  if (has_ended() || is_exiting()) return;
  CellExtra& more = extra();
  auto* const envelope = pool_new<ExitEnvelope>();
  auto expected = CellExtra::ExitPhase::none;  // first come
  if (!more.exit_phase.compare_exchange_strong(expected, CellExtra::ExitPhase::claimed,
                                               memory_order_acquire,
                                               memory_order_relaxed)) {  // door
    pool_delete(envelope);
    return;
  }
  more.exit_reason = std::move(reason);
  attention_.fetch_or(Attention::lethal, memory_order_release);  // exit
  request_doom();
  std::optional<CancellationToken> token;
  {
    SpinGuard const guard(more.token_lock);
    token = more.token;
  }
  if (!push(*envelope)) pool_delete(envelope);
  unpark();
  if (token) token->cancel();
  more.exit_phase.store(CellExtra::ExitPhase::delivered, memory_order_release);  // door
}

// The run loop's part, for a callback that is suspended: its frame goes, with all it awaited.
Turn CellBase::abort_callback() noexcept {
  publish_hand_off();  // destructors are user code
  end_coroutine();
  if (ending_) return Turn::stop;  // in teardown: the reply held back keeps its place
  if (current == nullptr) {        // in init: no handler has been a coroutine yet
    answer_ = ActorError::Kind::init_failed;
    return Turn::stop;
  }
  MessageInfo const* const info = current_info();
  take_out(*current);
  if (info != nullptr && info->reply_tag == nullptr) {
    // A message whose handler had begun was not unread: no dead letter, as after a handler that
    // throws.
    Envelope& message = *std::exchange(current, nullptr);
    (void)message.deliver(nullptr, message, Operation::discard);
  } else {
    held_reply_ = current;
  }
  return Turn::stop;
}

void CellBase::accept_exit() noexcept {
  reason_ = extra_or_null()->exit_reason;
  skip_teardown_ = ending_or_stopping_ = exited_ = true;
}

// Between two messages, when some attention is asked for.
Turn CellBase::attend() noexcept {
  if (has_attention(Attention::lethal)) return Turn::stop;
  drop_deadline();
  if (has_attention(Attention::call_scoped)) end_call_scope();
  if (has_attention(Attention::watched)) extra_or_null()->timed_out = false;
  if (has_attention(Attention::discard)) return stop_with(ExitReason::shutdown());
  look_up_after_callback();
  if (has_attention(Attention::suspended)) {
    if (park()) return Turn::away;
    if (has_attention(Attention::lethal)) return Turn::stop;
  }
  return Turn::next;
}

CancellationToken CellBase::handler_token() {
  CellExtra& more = extra();
  CancellationToken made;
  {
    SpinGuard const guard(more.token_lock);
    if (more.token) return *more.token;
    more.token = made;
  }
  attention_.fetch_or(Attention::call_scoped, memory_order_relaxed);  // for the owner itself
  // Who cancels sets the flag first and looks for the token then; this thread does it the other way
  // round, and its look at the flag is a read-modify-write: one of the two sees the other.
  if (is_cancelled_now()) made.cancel();
  return made;
}

void CellBase::end_call_scope() noexcept {
  attention_.fetch_and(static_cast<std::uint16_t>(~Attention::call_scoped),
                       memory_order_relaxed);  // for the owner itself
  CellExtra* const more = extra_or_null();
  if (more == nullptr) return;
  std::optional<CancellationToken> old;
  SpinGuard const guard(more->token_lock);
  old.swap(more->token);
}

namespace {

struct TokenCanceller final : Runnable {
  TokenCanceller(Executor& where, CancellationToken what) noexcept
      : Runnable(&where, &run_cancel), token(std::move(what)) {}
  static void run_cancel(Runnable& runnable) noexcept {
    auto& self = static_cast<TokenCanceller&>(runnable);
    self.token.cancel();
    pool_delete(&self);
  }
  CancellationToken token;
};

}  // namespace

// For a caller that holds locks: callbacks of the token are user code.
void CellBase::cancel_token_soon() noexcept {
  CellExtra* const more = extra_or_null();
  if (more == nullptr) return;
  std::optional<CancellationToken> token;
  {
    SpinGuard const guard(more->token_lock);
    token = more->token;
  }
  if (!token || token->is_cancelled()) return;
  Executor& where =
      has_attention(Attention::off_workers) ? blocking_executor(home->runtime()) : *home;
  try {
    schedule(*pool_new<TokenCanceller>(where, std::move(*token)));
  } catch (...) {
    // No memory: the awaits of the handler are cancelled all the same.
  }
}

}  // namespace spawned::detail
