#include <spawned/actors/detail/end_hooks.hpp>

#include <spawned/actors/detail/cell.hpp>

namespace spawned::detail {

// Under the lock. A hook that is listed has a `next`: the last one's is itself.
void EndHooks::unlink(EndHook& hook) noexcept {
  EndHook* const next = hook.next != &hook ? hook.next : nullptr;
  (hook.previous == nullptr ? first_ : hook.previous->next) =
      next != nullptr || hook.previous == nullptr ? next : hook.previous;
  if (next != nullptr) next->previous = hook.previous;
  hook.next = nullptr;
}

bool EndHooks::add(CellBase& cell, EndHook& hook) noexcept {
  SpinGuard const guard(lock_);
  if (phase_ == Phase::unused) {
    phase_ = cell.confirm_open() ? Phase::open : Phase::closed;
  }
  if (phase_ == Phase::closed) return false;
  hook.previous = nullptr;
  hook.next = first_ != nullptr ? first_ : &hook;
  if (first_ != nullptr) first_->previous = &hook;
  first_ = &hook;
  return true;
}

bool EndHooks::remove(EndHook& hook) noexcept {
  SpinGuard const guard(lock_);
  if (hook.next == nullptr) return false;
  unlink(hook);
  return true;
}

void EndHooks::run_all(CellBase& cell) noexcept {
  for (;;) {
    EndHook* hook = nullptr;
    {
      SpinGuard const guard(lock_);
      phase_ = Phase::closed;
      hook = first_;
      if (hook == nullptr) return;
      unlink(*hook);
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
