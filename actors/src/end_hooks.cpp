#include <spawned/actors/detail/end_hooks.hpp>

#include <spawned/actors/detail/cell.hpp>

namespace spawned::detail {

bool EndHooks::add(CellBase& cell, EndHook& hook) noexcept {
  SpinGuard const guard(lock_);
  if (phase_ == Phase::unused) {
    phase_ = cell.confirm_open() ? Phase::open : Phase::closed;
  }
  if (phase_ == Phase::closed) return false;
  ring_insert(hooks_, hook);
  return true;
}

bool EndHooks::remove(EndHook& hook) noexcept {
  SpinGuard const guard(lock_);
  if (!is_in_ring(hook)) return false;
  ring_remove(hook);
  return true;
}

void EndHooks::run_all(CellBase& cell) noexcept {
  for (;;) {
    EndHook* hook = nullptr;
    {
      SpinGuard const guard(lock_);
      phase_ = Phase::closed;
      if (is_ring_empty(hooks_)) return;
      hook = static_cast<EndHook*>(hooks_.next);
      ring_remove(*hook);
    }
    hook->run(*hook, cell);
  }
}

bool add_end_hook(CellBase& cell, EndHook& hook) { return cell.extra().end_hooks.add(cell, hook); }

bool remove_end_hook(CellBase& cell, EndHook& hook) noexcept {
  CellExtra* const extra = cell.extra_or_null();
  return extra != nullptr && extra->end_hooks.remove(hook);
}

}  // namespace spawned::detail
