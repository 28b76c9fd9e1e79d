#include <spawned/runtime/clock.hpp>

#include <ctime>
#include <stdexcept>

#include "scheduler/scheduler.hpp"

namespace spawned {

namespace {

std::chrono::nanoseconds read_clock(clockid_t id) noexcept {
  timespec moment{};
  clock_gettime(id, &moment);
  return std::chrono::seconds(moment.tv_sec) + std::chrono::nanoseconds(moment.tv_nsec);
}

class RealClock final : public Clock {
 public:
  [[nodiscard]] Duration now() const noexcept override { return read_clock(CLOCK_MONOTONIC); }
  [[nodiscard]] Duration utc_now() const noexcept override { return read_clock(CLOCK_REALTIME); }
};

}  // namespace

std::shared_ptr<Clock> real_clock() {
  static std::shared_ptr<Clock> const clock = std::make_shared<RealClock>();
  return clock;
}

// Orderings.
//   moved     advance() RMWs now_ns_ (seq_cst)  ->  now() loads now_ns_ (seq_cst).
//             Who sees the later time also sees what was done before the clock was moved. Part of
//             the total order of idle.hpp: time moves before wake_all() reads who is parked,
//             a worker looks at it after announce().
Clock::Duration ManualClock::now() const noexcept {
  return Duration(now_ns_.load(detail::memory_order_seq_cst));  // moved
}

Clock::Duration ManualClock::utc_now() const noexcept { return now(); }

bool ManualClock::on_idle(Duration next) noexcept {
  if (mode_ != Mode::auto_advance) return false;
  std::int64_t before = now_ns_.load(detail::memory_order_relaxed);  // the CAS checks it
  while (before < next.count()) {
    if (now_ns_.compare_exchange_weak(before, next.count(), detail::memory_order_seq_cst,
                                      detail::memory_order_relaxed)) {  // moved
      break;
    }
  }
  return true;
}

void ManualClock::advance(Duration step) {
  if (step < Duration::zero()) {
    throw std::invalid_argument("ManualClock::advance: the step is negative; time only moves on");
  }
  detail::SpinGuard const guard(lock_);
  for (detail::Scheduler* scheduler : schedulers_) {
    if (scheduler != nullptr) scheduler->stamp_timers();
  }
  now_ns_.fetch_add(step.count(), detail::memory_order_seq_cst);  // moved
  for (detail::Scheduler* scheduler : schedulers_) {
    if (scheduler != nullptr) scheduler->wake_all();
  }
}

void ManualClock::attach(detail::Scheduler& scheduler) {
  detail::SpinGuard const guard(lock_);
  for (detail::Scheduler*& place : schedulers_) {
    if (place == nullptr) {
      place = &scheduler;
      return;
    }
  }
  throw std::length_error("ManualClock: at most 16 runtimes may share one clock");
}

void ManualClock::detach(detail::Scheduler& scheduler) noexcept {
  detail::SpinGuard const guard(lock_);
  for (detail::Scheduler*& place : schedulers_) {
    if (place == &scheduler) place = nullptr;
  }
}

}  // namespace spawned
