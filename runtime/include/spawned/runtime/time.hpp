// sleep, sleep_until, timeout, interval: time for tasks.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/errors.hpp>
#include <spawned/runtime/result.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/task.hpp>

namespace spawned {

/// A moment of a runtime's clock.
using TimePoint = std::chrono::time_point<Clock, std::chrono::nanoseconds>;

/// The time of the calling thread's runtime. Errors: NoRuntime. Cost: 25 ns.
[[nodiscard]] TimePoint now();

namespace detail {

/// The time of a runtime. Any thread.
[[nodiscard]] std::int64_t clock_now_ns(Scheduler& scheduler) noexcept;

/// Any duration in ns; what does not fit becomes the nearest that does (292 years).
template <typename Rep, typename Period>
[[nodiscard]] std::int64_t to_ns(std::chrono::duration<Rep, Period> duration) noexcept {
  constexpr double most = 9.2e9;  // seconds that fit into 63 bits of ns
  double const seconds = std::chrono::duration<double>(duration).count();
  if (seconds >= most) return std::numeric_limits<std::int64_t>::max();
  if (seconds <= -most) return std::numeric_limits<std::int64_t>::min();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

/// A wait that only the clock or a cancellation ends.
class SleepAwaiter {
 public:
  SleepAwaiter(std::int64_t ns, bool absolute) noexcept
      : wait_(Slot::abandoned), ns_(ns), absolute_(absolute) {}
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <runtime_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
    return wait_.sleep(waiter, *waiter.promise().context, slot_, ns_, absolute_);
  }
  void await_resume() {
    if (wait_.finish() == WaitOutcome::cancelled) throw Cancelled();
  }

 private:
  Slot slot_;
  SlotWait wait_;
  std::int64_t ns_;
  bool absolute_;
};

}  // namespace detail

/// Suspends the task for at least `duration`; zero or less: not at all.
///
/// Units    resolution 1 ms, never early.
/// Resumes  on the worker whose wheel held the timer, or on a thief.
/// Cancel   throws Cancelled at once.
/// Cost     no allocation; arming and ending are O(1).
template <typename Rep, typename Period>
[[nodiscard("co_await it")]] detail::SleepAwaiter sleep(
    std::chrono::duration<Rep, Period> duration) noexcept {
  return detail::SleepAwaiter(detail::to_ns(duration), false);
}

/// Suspends the task until its runtime's clock shows `moment`. Otherwise as sleep().
[[nodiscard("co_await it")]] inline detail::SleepAwaiter sleep_until(TimePoint moment) noexcept {
  return detail::SleepAwaiter(moment.time_since_epoch().count(), true);
}

/// Runs `task` for at most `limit`.
///
/// Awaiting  yields its value, or WaitError::timeout. An exception of the task passes through.
/// Cancel    At the time limit, and when the caller is cancelled, the task is cancelled and waited
///           for: it has ended, locals destroyed, when timeout() returns. A task that refuses to
///           end holds timeout() up, and the death of an actor by an exit signal too. What it
///           throws after the time limit is dropped.
/// Cost      the task gets a context of its own, as with spawn().
template <typename Rep, typename Period, typename T>
Task<Result<T, WaitError>> timeout(std::chrono::duration<Rep, Period> limit, Task<T> task) {
  std::int64_t const limit_ns = detail::to_ns(limit);
  JoinHandle<T> child = spawn(std::move(task));
  detail::WaitOutcome const outcome = co_await child.wait_within(limit_ns < 0 ? 0 : limit_ns);
  if (outcome != detail::WaitOutcome::completed) child.cancel();
  while (!child.is_finished()) (void)co_await child.wait_within(detail::no_deadline);
  co_await detail::DoomPoint();
  if (outcome == detail::WaitOutcome::timed_out) co_return Unexpected(WaitError::timeout);
  if (outcome == detail::WaitOutcome::cancelled) {
    detail::ExecutionContext& self = co_await detail::ThisContext();
    detail::report_cancelled(self);
    co_return Unexpected(WaitError::cancelled);
  }
  Result<T, JoinError> result = child.take();
  if (!result) {
    if (!result.error().is_cancelled()) result.error().raise();
    co_return Unexpected(WaitError::cancelled);
  }
  if constexpr (std::is_void_v<T>) {
    co_return Result<T, WaitError>();
  } else {
    co_return std::move(*result);
  }
}

/// What an Interval does with ticks that nobody awaited in time.
enum class MissedTicks : std::uint8_t {
  skip,   ///< drop them; the next tick is the next multiple of the period
  burst,  ///< deliver them one after the other without waiting, until it has caught up
};

/// A periodic timer without drift: tick n is due at start + n * period.
class Interval {
 public:
  Interval(std::int64_t start_ns, std::int64_t period_ns, MissedTicks missed) noexcept
      : next_ns_(start_ns), period_ns_(period_ns), missed_(missed) {}

  /// Awaiting it suspends until the next tick is due; the first is due at once. Otherwise as
  /// sleep().
  [[nodiscard("co_await it")]] detail::SleepAwaiter tick() noexcept;

 private:
  std::int64_t next_ns_;
  std::int64_t period_ns_;
  MissedTicks missed_;
};

namespace detail {
[[nodiscard]] Interval make_interval(std::int64_t period_ns, MissedTicks missed);
}

/// Errors  std::invalid_argument for a period of zero or less; NoRuntime outside a runtime.
template <typename Rep, typename Period>
[[nodiscard]] Interval interval(std::chrono::duration<Rep, Period> period,
                                MissedTicks missed = MissedTicks::skip) {
  return detail::make_interval(detail::to_ns(period), missed);
}

}  // namespace spawned
