// The atomics shim: every shared word of the library is declared through this header.
//
// In production the names are the standard ones and cost nothing. A model checker replaces this one
// header to see each access, which is why no other file includes <atomic> and why shared but
// non-atomic data is kept in SharedCell.
#pragma once

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

}  // namespace spawned::detail
