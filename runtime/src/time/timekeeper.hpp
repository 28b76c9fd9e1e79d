// Timekeeper: the timers of those who have no wheel of their own. Actors on threads of their own or
// on the blocking pool, and threads outside the runtime, arm here. One thread, started by the
// first.
//
// sleeping_until_ is what the thread last promised to look at the wheel by, in ns: `awake` while it
// is not about to sleep, and so looks again in any case.
//
// Orderings.
//   promise   The thread stores sleeping_until_ (seq_cst), then looks at the wheel once more; who
//             arms links the entry under the wheel's lock, then loads sleeping_until_ (seq_cst).
//             The two sections of the lock are ordered: either the thread's second look finds the
//             entry, or the load comes after the store, sees a later time, and wakes the thread.
//   bell      wake() adds to bell_ (release)  ->  run() loads bell_ (acquire).
//             The thread looks at the wheel after it has read the bell it then sleeps on.
//
// Under virtual time the thread counts as one outside of the workers (Scheduler::outside_starts)
// while it is awake. It tries to move time after it has stopped to count, as workers do after
// announce(); the last of all sees the others.
#pragma once

#include <cstdint>
#include <mutex>
#include <thread>

#include <spawned/runtime/detail/futex.hpp>
#include <spawned/runtime/detail/timer.hpp>

#include "time/wheel.hpp"

namespace spawned::detail {

class Timekeeper {
 public:
  explicit Timekeeper(Scheduler& runtime) noexcept : runtime_(runtime) {}
  Timekeeper(Timekeeper const&) = delete;
  Timekeeper& operator=(Timekeeper const&) = delete;
  ~Timekeeper() { stop(); }

  /// Arms for a point of the runtime's clock. Any thread.
  void arm_at(TimerEntry& entry, std::int64_t deadline_ns) noexcept;
  void arm_after(TimerEntry& entry, std::int64_t duration_ns) noexcept;

  /// Virtual time has moved, or the runtime ends.
  void wake() noexcept;
  void stop() noexcept;

  /// For the driver of a simulated runtime, which has no thread for it: takes what is due.
  std::size_t poll(std::int64_t now_ns, RunnableChain& due) noexcept {
    return wheel_.empty() ? 0 : wheel_.poll(now_ns, due);
  }
  [[nodiscard]] std::int64_t next_deadline_ns() const noexcept { return wheel_.next_deadline_ns(); }

 private:
  static constexpr std::int64_t awake = INT64_MIN;

  void start() noexcept;
  void run() noexcept;

  Scheduler& runtime_;
  TimerWheel wheel_;
  atomic<std::int64_t> sleeping_until_{awake};
  atomic<std::uint32_t> bell_{0};
  atomic<bool> running_{false};
  atomic<bool> stopping_{false};
  std::mutex start_mutex_;
  std::thread thread_;
};

}  // namespace spawned::detail
