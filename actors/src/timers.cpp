#include <spawned/actors/timers.hpp>

#include <stdexcept>
#include <string>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/log.hpp>

namespace spawned {

CancelResult TimerHandle::cancel() noexcept {
  if (timer_ == nullptr || !timer_->group().cancel(*timer_)) return CancelResult::too_late;
  return CancelResult::cancelled;
}

std::optional<std::chrono::nanoseconds> TimerHandle::time_left() const noexcept {
  std::int64_t const left = timer_ == nullptr ? -1 : detail::time_left(*timer_);
  if (left < 0) return std::nullopt;
  return std::chrono::nanoseconds(left);
}

TimerState TimerHandle::state() const noexcept {
  if (timer_ == nullptr) return TimerState::none;
  switch (timer_->group().state(*timer_)) {
    case detail::Dependant::State::sent:
    case detail::Dependant::State::finished:
      return TimerState::sent;
    case detail::Dependant::State::cancelled:
      return TimerState::cancelled;
    case detail::Dependant::State::actor_ended:
      return TimerState::actor_ended;
    default:
      return TimerState::waiting;
  }
}

std::optional<ActorError> TimerHandle::error() const {
  if (state() != TimerState::actor_ended) return std::nullopt;
  return detail::dead_actor_error(*timer_->target);
}

std::uint64_t TimerHandle::missed() const noexcept {
  if (timer_ == nullptr || !timer_->repeats) return 0;
  return static_cast<detail::IntervalTimer&>(*timer_).missed();
}

namespace detail {

std::int64_t require_delay(char const* what, std::int64_t ns) {
  if (ns < 0) {
    throw std::invalid_argument(std::string(what) + ": the delay is negative (" +
                                std::to_string(ns) +
                                " ns); give zero for a message that is to go at once");
  }
  return ns;
}

std::int64_t require_period(std::int64_t ns) {
  if (ns <= 0) {
    throw std::invalid_argument("send_interval: the period must be longer than zero, not " +
                                std::to_string(ns) + " ns");
  }
  return ns;
}

void TimedDependant::disarm(Dependant& self) noexcept {
  timer_cancel(static_cast<TimedDependant&>(self));
}

Runnable* TimedDependant::on_expiry(TimerEntry& entry) noexcept {
  auto& self = static_cast<TimedDependant&>(entry);
  return self.group().expire(self);
}

bool TimedDependant::keep_or_disarm() noexcept {
  if (group().keep(*this)) return true;
  disarm(*this);
  return false;
}

void TimedDependant::arm(std::int64_t delay_ns) noexcept {
  if (current_worker != nullptr && current_worker->executor == target->home) {
    // A worker of the actor's home: its runtime waits for this turn to end.
    timer_arm_after(*this, delay_ns);
    if (!keep_or_disarm()) operations->let_go(*this);
    return;
  }
  if (!group().pin(*target)) {
    (void)group().keep(*this);  // notes the actor's end
    operations->let_go(*this);
    return;
  }
  bool const kept = group().keep(*this);
  if (kept) timer_arm_after_on(target->home->runtime(), *this, delay_ns);
  group().unpin();
  if (!kept) operations->let_go(*this);
}

std::int64_t time_left(TimedDependant& timer) noexcept {
  auto* const interval = timer.repeats ? &static_cast<IntervalTimer&>(timer) : nullptr;
  Dependants& group = timer.group();
  std::int64_t next_ns = 0;
  if (!group.pin_waiting(timer, interval == nullptr ? next_ns : interval->next_ns_, next_ns)) {
    return -1;
  }
  std::int64_t const now_ns = clock_of(timer.target->home->runtime()).now().count();
  std::int64_t left = 0;
  if (interval == nullptr) {
    left = timer_time_left(timer, now_ns);
  } else if (next_ns > now_ns) {  // the wheel may be changed by now: run_due() arms anew
    left = next_ns - now_ns;
  }
  group.unpin();
  return left;
}

void MessageTimer::start(std::int64_t delay_ns) noexcept {
  if (delay_ns > 0) {
    arm(delay_ns);
    return;
  }
  if (group().begin_send(*this, true)) {
    send(*this);
  } else {
    let_go(*this);
  }
}

void MessageTimer::send(Dependant& dependant) noexcept {
  auto& self = static_cast<MessageTimer&>(dependant);
  if (self.target->push(self)) return;
  self.group().note_end(self);
  (void)self.deliver(self.target, self, Operation::discard);
}

void MessageTimer::let_go(Dependant& dependant) noexcept {
  auto& self = static_cast<MessageTimer&>(dependant);
  (void)self.deliver(nullptr, self, Operation::discard);
}

void MessageTimer::identify(Dependant& dependant) noexcept {
  auto& self = static_cast<MessageTimer&>(dependant);
  (void)self.deliver(nullptr, self, Operation::identify);
}

void MessageTimer::destroy(Dependant& dependant) noexcept {
  auto& self = static_cast<MessageTimer&>(dependant);
  (void)self.deliver(nullptr, self, Operation::destroy);
}

void IntervalTimer::start() noexcept {
  if (!group().pin(*target)) {
    (void)group().keep(*this);  // notes the actor's end
    operations->let_go(*this);
    return;
  }
  // First kept, then armed: as soon as it is armed, run_due() may arm and keep it anew. Nobody ends
  // it in between, because the actor is pinned and the handle is not out yet.
  bool const kept = group().keep(*this);
  Scheduler& runtime = target->home->runtime();
  if (__builtin_add_overflow(clock_of(runtime).now().count(), period_ns_, &next_ns_)) {
    next_ns_ = INT64_MAX;
  }
  if (kept) timer_arm_at_on(runtime, *this, next_ns_);
  group().unpin();
  if (!kept) operations->let_go(*this);
}

void IntervalTimer::send_tick() noexcept {
  if (!burst_ && tick_waits_.load(memory_order_relaxed)) {  // an old value will do
    count_missed(1);
    return;
  }
  try {
    Envelope& tick = make_(*this);
    if (!target->push(tick)) (void)tick.deliver(target, tick, Operation::discard);
  } catch (...) {
    count_missed(1);
    log::error("spawned", "send_interval: a message could not be copied; its tick is missed");
  }
}

// The next tick, or under `skip` the next that is not over yet.
void IntervalTimer::plan_next() noexcept {
  std::int64_t const late = now().time_since_epoch().count() - next_ns_;
  std::int64_t const over = burst_ || late < period_ns_ ? 0 : late / period_ns_;
  if (over != 0) count_missed(over);
  std::int64_t step = 0;
  if (__builtin_mul_overflow(over + 1, period_ns_, &step) ||
      __builtin_add_overflow(next_ns_, step, &next_ns_)) {
    next_ns_ = INT64_MAX;  // 292 years
  }
}

void IntervalTimer::send(Dependant& dependant) noexcept {
  auto& self = static_cast<IntervalTimer&>(dependant);
  self.send_tick();
  if (!self.group().resume(self)) {
    self.operations->let_go(self);
    return;
  }
  self.hold();  // as soon as it is armed it may come to its end
  self.plan_next();
  timer_arm_at(self, self.next_ns_);
  if (!self.keep_or_disarm()) self.operations->let_go(self);
  self.drop();
}

}  // namespace detail

}  // namespace spawned
