#include <spawned/runtime/time.hpp>

#include <stdexcept>

#include "scheduler/scheduler.hpp"

namespace spawned {

TimePoint now() { return TimePoint(detail::require_scheduler("now").clock().now()); }

detail::SleepAwaiter Interval::tick() noexcept {
  std::int64_t const due = next_ns_;
  std::int64_t from = due;  // the last tick that has gone by, missed ones included
  if (missed_ == MissedTicks::skip) {
    if (detail::Scheduler* const scheduler = detail::current_scheduler()) {
      std::int64_t const late = scheduler->clock().now().count() - due;
      if (late >= period_ns_) from = due + late / period_ns_ * period_ns_;
    }
  }
  if (__builtin_add_overflow(from, period_ns_, &next_ns_)) next_ns_ = INT64_MAX;  // 292 years
  return detail::SleepAwaiter(due, true);
}

namespace detail {

std::int64_t clock_now_ns(Scheduler& scheduler) noexcept { return scheduler.clock().now().count(); }

Interval make_interval(std::int64_t period_ns, MissedTicks missed) {
  if (period_ns <= 0) {
    throw std::invalid_argument("interval: the period must be longer than zero");
  }
  return Interval(require_scheduler("interval").clock().now().count(), period_ns, missed);
}

}  // namespace detail

}  // namespace spawned
