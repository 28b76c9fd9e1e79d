// A lock for sections of some tens of nanoseconds: timer wheels, wait lists, lists of the living.
//
// Orderings.
//   section   unlock() stores (release)  ->  lock() exchanges (acquire).
//             What one holder wrote, the next holder sees.
#pragma once

#include <spawned/runtime/detail/atomic.hpp>

namespace spawned::detail {

class SpinLock {
 public:
  void lock() noexcept {
    unsigned looks = 0;
    while (locked_.exchange(true, memory_order_acquire)) {  // section
      do back_off(looks++);
      while (locked_.load(memory_order_relaxed));  // only a hint: the exchange decides
    }
  }

  void unlock() noexcept { locked_.store(false, memory_order_release); }  // section

 private:
  // Who looks often takes the line away from the holder, who then needs longer: two threads that
  // push into one bounded mailbox do half as much again if they look after one pause.
  static void back_off(unsigned looks) noexcept {
    if (looks >= 20) return yield_thread();
    for (int i = 0; i < pauses_of_a_spin; ++i) cpu_pause();
  }

  atomic<bool> locked_{false};
};

/// Holds a SpinLock for a scope (std::lock_guard without <mutex>, which costs 20,000 lines).
class SpinGuard {
 public:
  explicit SpinGuard(SpinLock& lock) noexcept : lock_(lock) { lock_.lock(); }
  ~SpinGuard() { lock_.unlock(); }
  SpinGuard(SpinGuard const&) = delete;
  SpinGuard& operator=(SpinGuard const&) = delete;

 private:
  SpinLock& lock_;
};

}  // namespace spawned::detail
