// TimerWheel: the timers of one worker. Six levels of 64 slots, one millisecond at the lowest.
//
// An entry whose duration is known but whose start is not ("unstamped") waits in a list of its own
// until the worker next reads the clock; only then is it hashed into a slot. Most request timeouts
// are cancelled before, so they cost two list operations and no clock.
//
// Threads.  Any, under one spin lock (empty() is a hint without it): a task that moved to another
//           worker cancels its timer here, a moving virtual clock stamps from outside, and while
//           the owner is blocked in a handler others poll.
// Cost      arm and cancel O(1); poll O(expired) + O(levels).
// Source    Varghese and Lauck, SOSP 1987; the level arithmetic is Tokio's.
#pragma once

#include <array>
#include <cstdint>

#include <spawned/runtime/detail/scheduling.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>
#include <spawned/runtime/detail/timer.hpp>

namespace spawned::detail {

class TimerWheel {
 public:
  static constexpr std::int64_t tick_ns = 1'000'000;
  static constexpr std::int64_t none = INT64_MAX;

  TimerWheel() noexcept;

  void arm_after(TimerEntry& entry, std::int64_t duration_ns) noexcept;
  void arm_at(TimerEntry& entry, std::int64_t deadline_ns) noexcept;
  void cancel(TimerEntry& entry) noexcept;

  /// How long `entry` has to go at `now_ns`, to the tick, or -1 when it is not armed.
  [[nodiscard]] std::int64_t time_left(TimerEntry const& entry, std::int64_t now_ns) const noexcept;

  /// Gives the unstamped entries their deadlines, counted from `now_ns`.
  void stamp(std::int64_t now_ns) noexcept;

  /// Stamps, expires what is due, and appends what to run to `chain`, earliest tick
  /// first; what was due when it was armed comes first, in the order of arming. Returns the number
  /// of timers that fired.
  std::uint64_t poll(std::int64_t now_ns, RunnableChain& chain) noexcept;

  /// The same for others than the wheel's owner: reads the clock under the lock, so that what the
  /// owner arms at the same time is not stamped with a moment before it was armed.
  void stamp(Clock const& clock) noexcept;
  std::uint64_t poll(Clock const& clock, RunnableChain& chain) noexcept;

  /// When poll() must be called next (ns), or `none`. Never later than the earliest timer;
  /// unstamped entries are not counted.
  [[nodiscard]] std::int64_t next_deadline_ns() const noexcept;

  /// A hint: no entry at all, so that nobody need read the clock.
  [[nodiscard]] bool empty() const noexcept {
    return count_.load(memory_order_relaxed) == 0;  // a hint
  }

 private:
  static constexpr unsigned levels = 6;
  static constexpr unsigned slots = 64;
  static constexpr std::uint16_t unstamped_slot = levels * slots;
  static constexpr std::uint16_t due_slot = unstamped_slot + 1;

  struct Head final : TimerEntry {
    Head() noexcept : TimerEntry(nullptr) { previous = next = this; }
  };

  void link(Head& head, TimerEntry& entry) noexcept;
  void unlink(TimerEntry& entry) noexcept;
  void place(TimerEntry& entry) noexcept;
  void stamp_locked(std::int64_t now_ns) noexcept;
  std::uint64_t poll_locked(std::int64_t now_ns, RunnableChain& chain) noexcept;
  [[nodiscard]] std::int64_t next_tick() const noexcept;
  void expire_list(Head& head, RunnableChain& chain, std::uint64_t& fired) noexcept;

  mutable SpinLock lock_;
  Head unstamped_;
  Head due_;
  std::int64_t elapsed_ = 0;  // ticks that are fully processed
  atomic<std::int64_t> count_{0};
  std::array<std::uint64_t, levels> occupied_{};
  std::array<std::array<Head, slots>, levels> lists_;
};

}  // namespace spawned::detail
