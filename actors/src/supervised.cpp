#include <spawned/actors/detail/supervised.hpp>

#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/detail/watch.hpp>

namespace spawned::detail {

Ancestor* CellBase::parent() const noexcept { return supervised_ ? record_->ancestor : parent_; }

void CellBase::supervise(Supervised& record) noexcept {
  supervised_ = true;
  record_ = &record;
  up_ = actor_kind().init == nullptr;
}

// On the actor's turn, when a callback is done and it goes on.
void CellBase::tell_up() noexcept {
  if (!std::exchange(up_, true)) record_->operations->up(*record_);
}

// From here on no exit signal is accepted, and one that was on its way has arrived. False: no
// memory.
bool CellBase::shut_exit_door() noexcept {
  CellExtra* more = nullptr;
  try {
    more = &extra();
  } catch (...) {
    return false;
  }
  auto expected = CellExtra::ExitPhase::none;
  if (!more->exit_phase.compare_exchange_strong(expected, CellExtra::ExitPhase::delivered,
                                                memory_order_acquire,
                                                memory_order_acquire)) {                    // door
    while (more->exit_phase.load(memory_order_acquire) == CellExtra::ExitPhase::claimed) {  // door
      yield_thread();
    }
  }
  return true;
}

// The last turn of an incarnation.
void CellBase::end_of_incarnation() noexcept {
  actor_kind().destroy_state(*this);
  record_->operations->ending(*record_, reason_, !up_);
  if (!shut_exit_door()) return finish_slot();
  CellExtra& more = *extra_or_null();
  more.idle.end_incarnation();
  more.dependants.close();
  drop_continuations();
  while (waiters_.guest_count() != 0) Watch::fire_all(*this, reason_);
  if (Envelope* const held = std::exchange(held_reply_, nullptr)) {
    (void)held->deliver(this, *held, exited_ ? Operation::discard : Operation::finish);
  }
  if (!record_->operations->down(*record_)) finish_slot();
}

void CellBase::finish_slot() noexcept {
  end_actor();
  live_remove(*this);
  Supervised& record = *record_;
  parent_ = record.ancestor != nullptr ? record.ancestor->retain() : nullptr;
  supervised_ = false;
  record.operations->gone(record);
  release_memory();
}

void CellBase::conclude() noexcept {
  started_ = false;
  concluded_ = true;
  schedule(*this);
}

void CellBase::restart() noexcept {
  reason_ = {};
  answer_ = ActorError::Kind::stopped;
  started_ = up_ = actor_kind().init == nullptr;
  ending_ = ending_or_stopping_ = skip_teardown_ = exited_ = false;
  current = nullptr;
  drop_deadline();
  CellExtra& more = *extra_or_null();
  more.timed_out = false;
  more.traps_exits.store(false, memory_order_relaxed);  // as at the start
  more.dependants.reopen();
  attention_.fetch_and(
      static_cast<std::uint16_t>(~(Attention::lethal | Attention::call_scoped | Attention::asked)),
      memory_order_relaxed);  // ordered by the run queue
  absolve();
  more.exit_phase.store(CellExtra::ExitPhase::none, memory_order_release);  // door
  schedule(*this);
}

}  // namespace spawned::detail
