// suspend() and resume(): an actor that takes no mail until it is told to.
//
// The state is in two bits of attention_, so that every transition is one read-modify-write of one
// word and no wake-up can fall between two:
//
//   suspended  parked  means                                            set by
//   0          0       it runs as others do                             take_up()
//   1          0       it parks before its next message                 suspend(), unpark()
//   1          1       parked: in no queue, and nobody's turn; the      park()
//                      mailbox word is not idle, so mail only gathers
//   0          1       never
//
// Whoever clears `parked` queues the actor, and nobody else does: so it is queued once. park() sets
// it only if none of Attention::unsuspendable is there. Exit signals and the end of the runtime set
// one of these first and call unpark() then: either park() sees the bit, or unpark() sees `parked`.
//
// An envelope marks the place in the mail. The owner looks at attention_ before it takes a message;
// what the suspender sends afterwards lies behind the envelope, and the owner looks once more.
#include <spawned/actors/suspend.hpp>

#include <cstdint>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/detail/scheduling.hpp>

namespace spawned::detail {

struct CellBase::SuspendEnvelope final : Envelope {
  SuspendEnvelope() noexcept : Envelope(&deliver_suspension) {}

  static Turn deliver_suspension(CellBase* cell, Envelope& envelope, Operation operation) {
    if (operation == Operation::handle) cell->take_out(envelope);
    pool_delete(static_cast<SuspendEnvelope*>(&envelope));
    return Turn::next;
  }
};

bool CellBase::is_suspension(Envelope const& envelope) noexcept {
  return envelope.deliver == &SuspendEnvelope::deliver_suspension;
}

bool CellBase::suspend() {
  if (has_ended()) return false;
  auto* const mark = pool_new<SuspendEnvelope>();
  std::uint16_t const before =
      attention_.fetch_or(Attention::suspended, memory_order_relaxed);  // ordered by the mail
  if (!push(*mark)) {
    pool_delete(mark);
    return false;
  }
  return (before & Attention::unsuspendable) == 0;
}

bool CellBase::take_up() noexcept {
  simulated_touches_all(false);
  constexpr std::uint16_t both = Attention::suspended | Attention::parked;
  std::uint16_t const before =
      attention_.fetch_and(static_cast<std::uint16_t>(~both), memory_order_acquire);  // parked
  if ((before & Attention::parked) != 0) schedule(*this);
  return (before & Attention::suspended) != 0 && !has_ended();
}

// Owner, between two messages. True: the actor is given up, do not touch it any more.
bool CellBase::park() noexcept {
  std::uint16_t seen = attention_.load(memory_order_relaxed);  // the CAS checks it
  do {
    if ((seen & Attention::suspended) == 0 || (seen & Attention::unsuspendable) != 0) return false;
  } while (!attention_.compare_exchange_weak(
      seen, static_cast<std::uint16_t>(seen | Attention::parked), memory_order_release,
      memory_order_relaxed));  // parked
  return true;
}

// For those who have set one of Attention::unsuspendable.
void CellBase::unpark() noexcept {
  std::uint16_t const before = attention_.fetch_and(static_cast<std::uint16_t>(~Attention::parked),
                                                    memory_order_acquire);  // parked
  if ((before & Attention::parked) != 0) schedule(*this);
}

}  // namespace spawned::detail
