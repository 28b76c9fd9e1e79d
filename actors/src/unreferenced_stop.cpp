#include <spawned/actors/detail/unreferenced_stop.hpp>

#include <spawned/runtime/detail/pool.hpp>

namespace spawned::detail {

void UnreferencedStop::post(CellBase& cell) noexcept {
  if (posted_.exchange(true, memory_order_acq_rel)) return;  // posted
  (void)cell.push(*this);
}

Turn UnreferencedStop::deliver_unreferenced(CellBase* cell, Envelope& envelope,
                                            Operation operation) {
  if (operation != Operation::handle) return Turn::next;
  auto& self = static_cast<UnreferencedStop&>(envelope);
  cell->take_out(envelope);                            // first: from now on it may be posted again
  self.posted_.exchange(false, memory_order_acq_rel);  // posted
  return cell->is_referenced() ? Turn::next : cell->stop_with(ExitReason::normal());
}

UnreferencedStop* make_unreferenced_stop() { return pool_new<UnreferencedStop>(); }

CellExtra::~CellExtra() {
  if (unreferenced_stop != nullptr) pool_delete(unreferenced_stop);
}

void CellBase::last_ref_gone() noexcept {
  CellExtra const* const own = extra_or_null();
  if (own != nullptr && own->unreferenced_stop != nullptr) own->unreferenced_stop->post(*this);
  release_memory();
}

}  // namespace spawned::detail
