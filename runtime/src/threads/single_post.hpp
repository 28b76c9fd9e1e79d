// SinglePost: how a thread gets its next unit of work when there is never more than one.
//
//   word_         set by                                  means
//   idle (0)      the thread, when it takes a unit        it runs, or looks for the next one
//   posted (1)    post()                                  the unit is to be taken
//   asleep (2)    the thread, by a CAS from idle          it sleeps on the word
//   retired (3)   retire()                                the thread is to leave
// A unit is posted by nobody twice, so one place is queue enough. The thread takes it by exchanging
// `posted` for `idle`; a post while it runs is found afterwards. It falls asleep only by a CAS that
// fails if a unit was posted meanwhile, and the poster that replaces `asleep` wakes it: no wake-up
// is lost. The object outlives its use, because a poster may still be on its way to the futex when
// the unit has run and the thread has left. A stale wake-up is harmless.
//
// Orderings.
//   posted    post() exchanges word_ (release)  ->  wait() exchanges word_ (acquire).
//             The thread sees what the poster wrote, work_ included.
//             That the next poster writes work_ after the thread has read it, is the unit's doing:
//             who posts it knows that it has run, from the unit's own words.
#pragma once

#include <cstdint>

#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/futex.hpp>

namespace spawned::detail {

/// `spins_most`: looks before the thread sleeps.
template <typename T, int spins_most>
class SinglePost {
 public:
  /// Any thread that may post the unit.
  void post(T& work) noexcept {
    work_.set(&work);
    put(posted);
  }
  /// Instead of a post, and the last call.
  void retire() noexcept { put(retired); }

  /// The thread: the next unit, or nullptr when it is to leave.
  [[nodiscard]] T* wait() noexcept {
    for (int spins = 0;; ++spins) {
      std::uint32_t const seen = word_.load(memory_order_relaxed);  // the exchange below decides
      if (seen == posted || seen == retired) {
        if (word_.exchange(idle, memory_order_acquire) == retired) return nullptr;  // posted
        return work_.get();
      }
      if (spins < spins_most) {
        cpu_pause();
        continue;
      }
      std::uint32_t expected = idle;
      if (seen == asleep || word_.compare_exchange_strong(expected, asleep, memory_order_relaxed,
                                                          memory_order_relaxed)) {  // a number
        futex_wait(word_, asleep);
      }
    }
  }

  /// For the next thread, before it runs.
  void reset() noexcept { word_.store(idle, memory_order_relaxed); }  // published with the thread

 private:
  static constexpr std::uint32_t idle = 0;
  static constexpr std::uint32_t posted = 1;
  static constexpr std::uint32_t asleep = 2;
  static constexpr std::uint32_t retired = 3;

  void put(std::uint32_t what) noexcept {
    if (word_.exchange(what, memory_order_release) == asleep) futex_wake_one(word_);  // posted
  }

  alignas(64) atomic<std::uint32_t> word_{idle};
  SharedCell<T*> work_;
};

}  // namespace spawned::detail
