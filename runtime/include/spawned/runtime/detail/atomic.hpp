// The atomics shim: every shared word of the library is declared through this header.
//
// In production the names are the standard ones and cost nothing. Where SPAWNED_MODEL is defined
// they are the model checker's, which sees each access (docs/design/model-checking.md). That is why
// no other file includes <atomic> and why shared but non-atomic data is kept in SharedCell.
#pragma once

#if defined(SPAWNED_MODEL)
#include <spawned/testing/detail/shim.hpp>
#else

#include <atomic>
#include <cstdint>

namespace spawned::detail {

template <typename T>
using atomic = std::atomic<T>;

using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

/// A plain value that one thread writes and another reads, ordered by some atomic access elsewhere.
template <typename T>
class SharedCell {
 public:
  constexpr SharedCell() noexcept = default;
  constexpr explicit SharedCell(T value) noexcept : value_(value) {}
  T get() const noexcept { return value_; }
  void set(T value) noexcept { value_ = value; }

 private:
  T value_{};
};

/// Tells the core that this is a spin loop.
inline void cpu_pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// How often a lock that spins does so before it looks again.
inline constexpr int pauses_of_a_spin = 16;

/// How often a thread that waits for an answer looks for it before it sleeps.
inline constexpr int looks_before_sleep = 1000;

/// Gives the processor away; used when a spin has lasted so long that the holder must be off-core.
void yield_thread() noexcept;

}  // namespace spawned::detail

#endif
