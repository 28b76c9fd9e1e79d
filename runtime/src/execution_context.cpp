#include <spawned/runtime/detail/execution_context.hpp>

namespace spawned::detail {

void ExecutionContext::wait_gate_slowly() const noexcept {
  for (int spins = 0; gate_closed_.load(memory_order_acquire); ++spins) {  // gate
    if (spins < 100) {
      cpu_pause();
    } else {
      yield_thread();
    }
  }
}

void ExecutionContext::cancel_with(std::uintptr_t bits) noexcept {
  simulated_touches_all(false);
  std::uintptr_t value = wait_.load(memory_order_relaxed);  // the CAS checks it
  std::uintptr_t wanted = 0;
  bool wakes = false;
  do {
    if ((value & bits) == bits) return;  // somebody did it, or is doing it
    // Who finds it cancelled only adds to that: the Wait is used up, or another call uses it.
    wakes = (value & cancelled_bit) == 0 && (value & ~all_bits) != 0;
    wanted = value | bits | (wakes ? busy_bit : 0);
  } while (!wait_.compare_exchange_weak(value, wanted, memory_order_acq_rel,
                                        memory_order_relaxed));  // slot
  if (!wakes) return;  // not suspended: seen at the next await
  auto& wait = *reinterpret_cast<Wait*>(value & ~all_bits);
  wait.cancel(wait);
  wait_.fetch_and(~busy_bit, memory_order_release);  // release
}

void ExecutionContext::end_wait_slowly() noexcept {
  // Cancelled. Once no canceller is busy, only the flags stay; one may still be added.
  for (int spins = 0; (wait_.load(memory_order_relaxed) & busy_bit) != 0; ++spins) {  // see below
    if (spins < 100) {
      cpu_pause();
    } else {
      yield_thread();
    }
  }
  wait_.fetch_and(cancelled_bit | doomed_bit, memory_order_acquire);  // release
}

bool ExecutionContext::suspend_doomed() noexcept {
  if (!is_doomed()) return false;
  close_gate();
  schedule(*this);
  open_gate();
  return true;
}

}  // namespace spawned::detail
