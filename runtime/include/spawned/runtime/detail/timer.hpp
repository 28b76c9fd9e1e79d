// Timer entries: what a suspended await links into a worker's timing wheel.
#pragma once

#include <cstdint>

namespace spawned::detail {

class TimerWheel;
struct Runnable;
class Scheduler;

/// One armed timer. Lives in the frame or object that armed it and is unlinked before that dies.
struct TimerEntry {
  /// Called under the wheel's lock when the timer expires: decides the race with other wakers and
  /// returns what to queue, or nullptr. Must not block, allocate or call the wheel.
  using Fire = Runnable* (*)(TimerEntry&) noexcept;

  explicit TimerEntry(Fire function) noexcept : fire(function) {}
  TimerEntry(TimerEntry const&) = delete;
  TimerEntry& operator=(TimerEntry const&) = delete;

  TimerEntry* previous = nullptr;
  TimerEntry* next = nullptr;
  std::int64_t when = 0;        // a duration in ns while unstamped, then the tick of expiry
  TimerWheel* wheel = nullptr;  // set once, by arming
  Fire fire;
  std::uint16_t list = 0;  // which list of the wheel holds it
  bool armed = false;      // guarded by the wheel's lock

 protected:
  ~TimerEntry() = default;
};

/// Arms on the calling worker's wheel: expires `duration_ns` after the worker next reads the clock,
/// so never early. Cost: a lock, two links; the clock is not read. On a thread of the runtime that
/// is no worker, the timekeeper's wheel is used, and the clock is read.
void timer_arm_after(TimerEntry& entry, std::int64_t duration_ns) noexcept;

/// Arms for a point of the scheduler's clock.
void timer_arm_at(TimerEntry& entry, std::int64_t deadline_ns) noexcept;

/// The same from any thread, also outside the runtime.
void timer_arm_after_on(Scheduler& scheduler, TimerEntry& entry, std::int64_t duration_ns) noexcept;
void timer_arm_at_on(Scheduler& scheduler, TimerEntry& entry, std::int64_t deadline_ns) noexcept;

/// Unlinks; afterwards the entry does not fire and is not firing. O(1). Any thread.
void timer_cancel(TimerEntry& entry) noexcept;

/// How long an armed timer has to go at `now_ns`, or -1 when it is not armed. Any thread.
[[nodiscard]] std::int64_t timer_time_left(TimerEntry const& entry, std::int64_t now_ns) noexcept;

}  // namespace spawned::detail
