// The clock seam: the only place the library takes the time from.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned {

namespace detail {
class Scheduler;
}

/// Where a runtime takes the time from. Timers, timeouts and log stamps all go through it.
class Clock {
 public:
  using Duration = std::chrono::nanoseconds;

  Clock() = default;
  Clock(Clock const&) = delete;
  Clock& operator=(Clock const&) = delete;
  virtual ~Clock() = default;

  /// Monotonic time since some fixed moment. Any thread; cost of the real one: 25 ns.
  [[nodiscard]] virtual Duration now() const noexcept = 0;

  /// Time since 1970-01-01 UTC, for log lines.
  [[nodiscard]] virtual Duration utc_now() const noexcept = 0;

  /// True when time only moves by calls of the clock itself, so that nobody may sleep for it.
  [[nodiscard]] virtual bool is_virtual() const noexcept { return false; }

  /// Called by a runtime when all its workers are idle, none of its blocking jobs run, and its next
  /// timer is due at `next`. A virtual clock may jump there and return true.
  virtual bool on_idle(Duration next) noexcept {
    (void)next;
    return false;
  }

  // A runtime that uses the clock, to be told when virtual time moves.
  virtual void attach(detail::Scheduler& scheduler) { (void)scheduler; }
  virtual void detach(detail::Scheduler& scheduler) noexcept { (void)scheduler; }
};

/// The machine's clock: CLOCK_MONOTONIC and CLOCK_REALTIME.
[[nodiscard]] std::shared_ptr<Clock> real_clock();

/// A clock for tests: time stands still until someone moves it.
///
/// With `auto_advance`, it jumps to the next timer whenever every worker of its runtime is idle and
/// no blocking job runs, so that a test of an hour's time-outs takes no time. Threads outside the
/// runtime are not seen: while one of them is about to send something, time may already have moved.
///
/// Example   tests/runtime/time_test.cpp
class ManualClock final : public Clock {
 public:
  enum class Mode : std::uint8_t { manual, auto_advance };

  explicit ManualClock(Mode mode = Mode::manual) noexcept : mode_(mode) {}

  [[nodiscard]] Duration now() const noexcept override;
  [[nodiscard]] Duration utc_now() const noexcept override;
  [[nodiscard]] bool is_virtual() const noexcept override { return true; }
  bool on_idle(Duration next) noexcept override;

  /// Moves time forward by `step` (negative: std::invalid_argument). Timers armed before the call
  /// count from the time before it. Returns before the timers that became due have fired.
  void advance(Duration step);

  void attach(detail::Scheduler& scheduler) override;
  void detach(detail::Scheduler& scheduler) noexcept override;

 private:
  static constexpr int max_runtimes = 16;

  detail::atomic<std::int64_t> now_ns_{0};
  Mode mode_;
  mutable detail::SpinLock lock_;  // guards schedulers_
  detail::Scheduler* schedulers_[max_runtimes] = {};
};

}  // namespace spawned
