#include <spawned/actors/detail/cell.hpp>

#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/detail/mail_queue.hpp>
#include <spawned/actors/detail/simulated_turn.hpp>
#include <spawned/actors/detail/supervised.hpp>
#include <spawned/actors/detail/watch.hpp>
#include <spawned/actors/request.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/detail/simulated.hpp>
#include <spawned/runtime/errors.hpp>
#include <spawned/runtime/log.hpp>

namespace spawned::detail {

namespace {

// Ids come in blocks, so that starting an actor touches no shared word.
std::uint64_t next_real_identity() noexcept {
  constexpr std::uint64_t block = 4096;
  static atomic<std::uint64_t> blocks{0};
  struct Range {
    std::uint64_t next = 0;
    std::uint64_t end = 0;
  };
  constinit static thread_local Range range;
  if (range.next == range.end) {
    range.next = blocks.fetch_add(block, memory_order_relaxed) + 1;  // only distinctness matters
    range.end = range.next + block;
  }
  return range.next++;
}

// Equal runs have equal ids.
std::uint64_t simulated_identity() noexcept {
  return simulated != nullptr ? simulated->next_actor_id() : next_real_identity();
}

class StopEnvelope final : public Envelope {
 public:
  explicit StopEnvelope(ExitReason reason) noexcept
      : Envelope(&deliver_stop), reason_(std::move(reason)) {}

 private:
  static Turn deliver_stop(CellBase* cell, Envelope& envelope, Operation operation) {
    auto& self = static_cast<StopEnvelope&>(envelope);
    ExitReason reason = std::move(self.reason_);
    if (operation == Operation::handle) {
      cell->take_out(envelope);
      if (simulated != nullptr) cell->attend_to(CellBase::Attention::asked);
    }
    pool_delete(&self);
    return operation == Operation::handle ? cell->stop_with(std::move(reason)) : Turn::next;
  }
  ExitReason reason_;
};

}  // namespace

std::uint64_t next_identity(CellBase const& where) noexcept {
  return where.home->stepwise() ? simulated_identity() : next_real_identity();
}

CellBase::CellBase(Executor& where, ActorKind const& actor_kind) noexcept
    : ExecutionContext(where, actor_kind, &run_turn),
      mailbox_(actor_kind.init == nullptr ? Mailbox::Start::idle : Mailbox::Start::running),
      detects_cycles_(where.detects_cycles()),
      started_(actor_kind.init == nullptr),
      id_{where.stepwise() ? simulated_identity() : next_real_identity()} {
  if (detects_cycles_) await_checks = finds_cycles;
}

CellBase::~CellBase() {
  if (Ancestor* const own_parent = parent()) own_parent->release();
  CellExtra* const own = extra_.load(memory_order_relaxed);  // the last owner
  if (own == nullptr) return;
  if (own->as_ancestor != nullptr) own->as_ancestor->release();
  pool_delete(own);
}

CellExtra& CellBase::extra() {
  CellExtra* found = extra_or_null();
  if (found != nullptr) return *found;
  auto* const made = pool_new<CellExtra>();
  if (extra_.compare_exchange_strong(found, made, memory_order_acq_rel,
                                     memory_order_acquire)) {  // extra
    return *made;
  }
  pool_delete(made);
  return *found;
}

// A reference to this actor's record as an ancestor; on its own turn.
Ancestor* CellBase::ancestor() {
  Ancestor*& record = extra().as_ancestor;
  if (record == nullptr) {
    std::string own_name = std::string(actor_kind().type_name) + "#" + std::to_string(id_.value);
    record =
        pool_new<Ancestor>(std::move(own_name), parent() != nullptr ? parent()->retain() : nullptr);
  }
  return record->retain();
}

std::string CellBase::describe_ancestors() const {
  return parent() != nullptr ? parent()->describe() : std::string();
}

std::string_view CellBase::name() const noexcept {
  CellExtra const* const own = extra_or_null();
  return own != nullptr ? std::string_view(own->options.name) : std::string_view();
}

void CellBase::launch() {
  bool const has_init = !started_;
  if (home->stepwise()) attend_to(Attention::stepwise);
  CellBase* const starter = running();
  if (starter != nullptr && !supervised_) parent_ = starter->ancestor();
  if (!live_add(*this, starter == nullptr)) {
    throw RuntimeEnded("start");
  }
  if (has_init) schedule_spawned(*this);
}

void CellBase::abandon() noexcept {
  actor_kind().destroy_state(*this);
  Watch::forget_all(*this);
  if (handles_.drop_strong()) release_memory();
  release_memory();
}

Turn CellBase::start_coroutine(std::coroutine_handle<> frame, Turn (*after)(CellBase&)) {
  auto root = std::coroutine_handle<PromiseBase>::from_address(frame.address());
  root.promise().context = this;
  coroutine_ = frame;
  after_coroutine_ = after;
  coroutine_step_.store(current_worker->activity.step(), memory_order_relaxed);  // for reports
  return resume_chain(frame, *this) ? after(*this) : Turn::away;
}

void CellBase::run_turn(Runnable& runnable) noexcept {
  auto& self = static_cast<CellBase&>(runnable);
  current_worker->activity.identify(self.id_.value);
  Turn turn = Turn::next;
  unsigned handled = 0;
  if (self.coroutine_) [[unlikely]] {
    handled = 1;
    self.wait_gate();
    if (self.has_attention(Attention::lethal) && !self.resumes_doomed) [[unlikely]] {
      turn = self.abort_callback();
    } else {
      current_worker->activity.begin(
          *self.coroutine_step_.load(memory_order_relaxed));  // the owner's own
      if (!resume_chain(self.resume_point.get(), self)) return;
      turn = self.after_coroutine_(self);
      if (self.supervised_ && turn == Turn::next) self.tell_up();
    }
  } else if (!self.started_) [[unlikely]] {
    self.started_ = true;
    handled = 1;  // others may come between init and the first message, too
    if (self.concluded_) return self.finish_slot();
    if (self.has_attention(Attention::lethal)) [[unlikely]] {
      self.answer_ = ActorError::Kind::init_failed;
      turn = Turn::stop;
    } else {
      turn = self.actor_kind().init != nullptr ? self.actor_kind().init(self) : Turn::next;
      if (self.supervised_ && turn == Turn::next) self.tell_up();
    }
  }
  self.work_through(turn, handled);
}

// The actor's turn, from the answer of one callback to the next, until it is suspended, idle, ended
// or has used its budget.
void CellBase::work_through(Turn turn, unsigned handled) noexcept {
  for (;; ++handled) {
    if (turn == Turn::away) return;
    if (turn == Turn::stop || ending_or_stopping_) {
      if (end_turn() == Turn::next) finish_end();
      return;
    }
    std::uint16_t const attention = attention_.load(memory_order_relaxed);  // a hint, or our own
    if (attention != 0) [[unlikely]] {
      turn = attend();
      if (turn != Turn::next) continue;
      if ((attention & Attention::queued) != 0 && inbox_ == nullptr) {
        turn = serve_queue(handled);
        continue;
      }
    }
    Envelope* envelope = inbox_;
    if (envelope == nullptr) {
      envelope = mailbox_.peek();
      if (envelope == nullptr) {
        if (mailbox_.go_idle(nullptr)) return;
        continue;
      }
      if (envelope->next.get() != nullptr) envelope = inbox_ = mailbox_.take_all();
    }
    if (handled >= budget) {
      schedule_last(*this);
      return;
    }
    if (attention != 0) [[unlikely]] {
      if ((attention & Attention::stepwise) != 0) {
        if (handled != 0) {
          schedule_last(*this);
          return;
        }
        envelope = choose_mail(envelope);
        if ((attention & Attention::crash) != 0) {
          turn = crash_at(*envelope);
          continue;
        }
      }
      look_up_before(*envelope);
    }
    if (envelope == inbox_) {
      inbox_ = envelope->next.get();
    } else {
      in_place_ = envelope;  // alone: it stays in the mailbox word until leave()
    }
    publish_hand_off();  // the turn goes on: the last reply's receiver need not wait for its end
    turn = envelope->deliver(this, *envelope, Operation::handle);
  }
}

// The rare features' part in the turn; attention_ says that some are in use.
void CellBase::look_up_after_callback() noexcept {
  if (CellExtra* const own = extra_or_null()) own->idle.after_callback();
}
void CellBase::look_up_before(Envelope const& envelope) noexcept {
  if (CellExtra* const own = extra_or_null()) own->idle.before_callback(*this, envelope);
}

// Teardown, once. Called again when a coroutine teardown has finished.
Turn CellBase::end_turn() noexcept {
  if (has_attention(Attention::lethal | Attention::call_scoped)) [[unlikely]] {
    end_call_scope();
    if (is_exiting()) accept_exit();
  }
  if (ending_) return Turn::next;
  drop_deadline();
  ending_ = ending_or_stopping_ = true;
  current = nullptr;
  publish_hand_off();  // user code follows, if only a destructor
  if (skip_teardown_ || actor_kind().teardown == nullptr) return Turn::next;
  clear_cancel();
  return actor_kind().teardown(*this);
}

void CellBase::finish_end() noexcept {
  if (supervised_) return end_of_incarnation();
  actor_kind().destroy_state(*this);
  end_actor();
  live_remove(*this);
  release_memory();
}

// The state is gone. What is left is what others see: mail, names, links, waiters.
void CellBase::end_actor() noexcept {
  Envelope* const unread = is_queued() ? mail_queue().close(mailbox_) : mailbox_.close();
  discard(inbox_);
  discard(unread);
  CellExtra* const extra = extra_or_null();
  if (extra != nullptr) {
    extra->dependants.close();
    extra->idle.end();
    extra->end_hooks.run_all(*this);
  }
  Envelope* const held = std::exchange(held_reply_, nullptr);
  while (!waiters_.close()) Watch::fire_all(*this, reason_);
  if (held != nullptr) {
    (void)held->deliver(this, *held, exited_ ? Operation::discard : Operation::finish);
  }
  if (extra != nullptr && extra->own_home) home->retire();
}

void CellBase::discard(Envelope* unread) noexcept {
  while (unread != nullptr) {
    Envelope& envelope = *unread;
    unread = envelope.next.get();
    publish_hand_off();
    (void)envelope.deliver(this, envelope, Operation::discard);
  }
}

Turn CellBase::fail(std::string_view during, Envelope* reply) noexcept {
  std::exception_ptr const exception = std::current_exception();
  try {
    std::rethrow_exception(exception);
  } catch (Cancelled const&) {
    if (ending_) return Turn::next;  // in teardown: reason and held reply keep their place
    return stop_with(ExitReason::shutdown(), reply);
  } catch (...) {
    // Everything else is a crash, whatever its type.
  }
  ExitReason reason(exception);
  std::size_t unread = 0;
  for (Envelope const* envelope = inbox_; envelope != nullptr; envelope = envelope->next.get()) {
    ++unread;
  }
  if (is_queued()) unread = mail_queue().unread();
  log_crash(*this, during, reason, unread);
  if (simulated != nullptr)
    tell_of_crash(*this, during, reason,
                  reply == nullptr && !supervised_ && !waiters_.has_members());
  if (ending_) {  // in teardown: the reply held back keeps its place
    reason_ = std::move(reason);
    return Turn::next;
  }
  return stop_with(std::move(reason), reply);
}

std::string CellBase::describe() const {
  std::string text =
      "actor " + std::string(actor_kind().type_name) + "#" + std::to_string(id_.value);
  if (!name().empty()) text.append(" (").append(name()).append(")");
  return text;
}

std::string CellBase::describe_work() const {
  Step const* const running = step_on_workers(home->runtime(), id_.value, &describe_actor_step);
  Step const* const suspended = coroutine_step_.load(memory_order_relaxed);  // for reports
  Step const* const step = running != nullptr ? running : suspended;
  if (step == nullptr) return describe();
  std::string const how = running == nullptr && !has_attention(Attention::off_workers)
                              ? ", suspended"
                              : "";  // nobody looks at other threads
  return describe() + " in " + std::string(step->name) + how;
}

Turn CellBase::deliver_shutdown(CellBase* cell, Envelope& envelope, Operation operation) {
  if (operation != Operation::handle) return Turn::next;
  cell->take_out(envelope);
  if (simulated != nullptr) cell->attend_to(Attention::asked);
  return cell->stop_with(ExitReason::shutdown());
}

void request_actor_end(ExecutionContext& context, UnreadMail mail) noexcept {
  auto& cell = static_cast<CellBase&>(context);
  // Cancel first: the teardown that the stop leads to has its time. The stop is posted once; who
  // asks again cuts a teardown short that takes too long.
  bool const first = !cell.shutdown_sent_.exchange(true, memory_order_relaxed);  // before the RMW
  if (mail == UnreadMail::cancel) {
    cell.request_cancel();
    cell.cancel_token_soon();
  }
  cell.attend_to(CellBase::Attention::runtime_ends);
  if (mail == UnreadMail::discard) cell.attend_to(CellBase::Attention::discard);
  cell.unpark();
  if (first) (void)cell.push(cell.shutdown_);
}

std::string describe_actor(ExecutionContext const& context) {
  return static_cast<CellBase const&>(context).describe_work();
}

std::string describe_actor_step(Step const& step, std::uint64_t id) {
  return "actor " + std::string(step.type) + "#" + std::to_string(id) + " in " +
         std::string(step.name);
}

bool post_stop(CellBase& cell, ExitReason reason) {
  Envelope& envelope = *pool_new<StopEnvelope>(std::move(reason));
  if (cell.push(envelope)) return true;
  (void)envelope.deliver(nullptr, envelope, Operation::destroy);
  return false;
}

void log_unused(CellBase const& cell, std::string_view message) noexcept {
  try {
    log::warn("spawned", cell.describe() + " does not use message " + std::string(message));
  } catch (...) {
    log::warn("spawned", "an actor does not use a message; no memory to name it");
  }
}

ActorError refused_error(CellBase& cell, Pushed how) {
  if (how == Pushed::ended) return dead_actor_error(cell);
  if (how == Pushed::no_room) cell.mail_queue().count_rejected();
  return ActorError::Kind::mailbox_full;
}

ActorError dead_actor_error(CellBase& cell) {
  // The mailbox closes a moment before the reason is published to everybody; both are written by
  // then, and the mailbox word orders them.
  // An actor that never came up says so to late callers too: whether the start's failure or the
  // request was faster makes no difference to the caller.
  ActorError const answer = cell.unread_answer();
  if (answer.kind() != ActorError::Kind::stopped) return answer;
  return {ActorError::Kind::no_such_actor, cell.exit_reason()};
}

Turn PingEnvelope::deliver_ping(CellBase* cell, Envelope& envelope, Operation operation) {
  auto& self = static_cast<PingEnvelope&>(envelope);
  switch (operation) {
    case Operation::handle: {
      Turn const turn = cell->leave(envelope);
      self.result.emplace();
      self.reply(true);
      return turn;
    }
    case Operation::discard:
      self.reply_error(cell->unread_answer());
      break;
    case Operation::destroy:
      pool_delete(&self);
      break;
    case Operation::drop:
    case Operation::finish:
    case Operation::identify:
      break;
  }
  return Turn::next;
}

PendingReply<void> send_ping(CellBase& cell) {
  ReplyEnvelope<void>& ping = *pool_new<PingEnvelope>();
  if (!cell.push(ping)) {
    ping.result.emplace(Unexpected(dead_actor_error(cell)));
    (void)ping.slot.complete();
  }
  return {cell, ping};
}

}  // namespace spawned::detail
