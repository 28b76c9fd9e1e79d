#include <spawned/actors/detail/cell.hpp>

namespace spawned::detail {

// Continuations are the first in the inbox, in the order asked for.
void CellBase::continue_with(Envelope& envelope) {
  CellExtra* own = nullptr;
  try {
    own = &extra();
  } catch (...) {
    (void)envelope.deliver(this, envelope, Operation::destroy);
    throw;
  }
  insert_mail(envelope, envelope, own->continuations);
  ++own->continuations;
}

void CellBase::continuation_begins() noexcept { --extra_or_null()->continuations; }

void CellBase::drop_continuations() noexcept {
  std::uint32_t& left = extra_or_null()->continuations;
  for (; left != 0; --left) {
    Envelope& envelope = *inbox_;
    inbox_ = envelope.next.get();
    (void)envelope.deliver(this, envelope, Operation::discard);
  }
}

// A message in work that is still in the mailbox word leaves it: with the inbox filled, the actor
// is not given up after it.
void CellBase::insert_mail(Envelope& first, Envelope& last, std::uint32_t place) noexcept {
  if (in_place_ != nullptr) take_out(*in_place_);
  Envelope* before = nullptr;
  Envelope* behind = inbox_;
  for (std::uint32_t n = place; n != 0; --n) {
    before = behind;
    behind = behind->next.get();
  }
  last.next.set(behind);
  if (before == nullptr) {
    inbox_ = &first;
  } else {
    before->next.set(&first);
  }
}

}  // namespace spawned::detail
