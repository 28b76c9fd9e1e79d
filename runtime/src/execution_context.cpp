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

void ExecutionContext::request_cancel() noexcept {
  std::uintptr_t value = wait_.load(memory_order_relaxed);  // the CAS checks it
  std::uintptr_t wanted = 0;
  do {
    if ((value & cancelled_bit) != 0) return;  // somebody did it, or is doing it
    wanted = value | cancelled_bit | (value != 0 ? busy_bit : 0);
  } while (!wait_.compare_exchange_weak(value, wanted, memory_order_acq_rel,
                                        memory_order_relaxed));  // slot
  if (value == 0) return;  // not suspended: seen at the next await
  auto& wait = *reinterpret_cast<Wait*>(value);
  wait.cancel(wait);
  wait_.fetch_and(~busy_bit, memory_order_acq_rel);  // release
}

void ExecutionContext::end_wait_slowly() noexcept {
  // Cancelled. Once no canceller is busy, only the flag stays.
  for (int spins = 0; (wait_.load(memory_order_acquire) & busy_bit) != 0; ++spins) {  // release
    if (spins < 100) {
      cpu_pause();
    } else {
      yield_thread();
    }
  }
  wait_.store(cancelled_bit, memory_order_release);  // sticky, and nobody else writes it now
}

}  // namespace spawned::detail
