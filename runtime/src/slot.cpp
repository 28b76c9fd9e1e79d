#include <spawned/runtime/detail/slot.hpp>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/detail/futex.hpp>
#include <spawned/runtime/detail/wait_list.hpp>

#include "scheduler/scheduler.hpp"

namespace spawned::detail {

bool SlotWait::suspend(std::coroutine_handle<> handle, ExecutionContext& context, Slot& slot,
                       std::int64_t timeout_ns, bool cancellable) noexcept {
  context_ = &context;
  slot_ = &slot;
  context.resume_point.set(handle);
  context.close_gate();
  if (!slot.begin_wait(*this)) {  // the value is there already
    context.open_gate();
    return false;
  }
  if (cancellable) {
    if (!context.begin_wait(*this)) {
      bool const still_ours = slot.stop_waiting(give_up_);
      if (still_ours) outcome_.set(WaitOutcome::cancelled);
      context.open_gate();
      return !still_ours || context.suspend_doomed();  // else the completer has queued the context
    }
    holds_.set(registered);
  }
  commit(timeout_ns);
  return true;
}

bool SlotWait::sleep(std::coroutine_handle<> handle, ExecutionContext& context, Slot& slot,
                     std::int64_t ns, bool absolute) noexcept {
  outcome_.set(WaitOutcome::timed_out);
  if (!absolute && ns <= 0) {
    context_ = &context;
    if (!context.is_cancelled()) return false;
    outcome_.set(WaitOutcome::cancelled);
    context.resume_point.set(handle);
    return context.suspend_doomed();
  }
  if (!prepare(handle, context, slot)) return refused();
  holds_.set(static_cast<std::uint8_t>(holds_.get() | timed));
  if (absolute) {
    timer_arm_at(*this, ns);
  } else {
    timer_arm_after(*this, ns);
  }
  context.open_gate();
  return true;
}

bool SlotWait::retract() noexcept {
  bool const still_ours = slot_->stop_waiting(Slot::abandoned);
  if (still_ours) {
    context_->end_wait(*this);
    holds_.set(0);
  }
  context_->open_gate();
  return !still_ours;
}

void SlotWait::on_complete(SlotWaiter& self, bool turn_ends) noexcept {
  ExecutionContext& context = *static_cast<SlotWait&>(self).context_;
  if (turn_ends) {
    hand_off(context);
  } else {
    schedule(context);
  }
}

void SlotWait::on_complete_reported(SlotWaiter& self, bool turn_ends) noexcept {
  static_cast<SlotWait&>(self).given_up_.store(true, memory_order_relaxed);  // one word
  on_complete(self, turn_ends);
}

void SlotWait::on_cancel(Wait& self) noexcept {
  auto& wait = static_cast<SlotWait&>(self);
  if (!wait.give_up()) return;
  wait.outcome_.set(WaitOutcome::cancelled);
  schedule(*wait.context_);
}

Runnable* SlotWait::on_timer(TimerEntry& self) noexcept {
  auto& wait = static_cast<SlotWait&>(self);
  if (!wait.give_up()) return nullptr;
  wait.outcome_.set(WaitOutcome::timed_out);
  return wait.context_;
}

bool ThreadWait::wait(Slot& slot, std::int64_t timeout_ns) noexcept {
  if (!slot.begin_wait(*this)) return true;
  return block(slot, timeout_ns);
}

ThreadWait::ThreadWait(Slot::State give_up) noexcept
    : SlotWaiter(&on_complete), TimerEntry(&on_timer), give_up_(give_up) {
  Scheduler* const home = simulated != nullptr ? &simulated->scheduler() : current_scheduler();
  if (home != nullptr && home->clock().is_virtual()) virtual_home_ = home;
}

bool ThreadWait::block(Slot& slot, std::int64_t timeout_ns) noexcept {
  // Two thread wake-ups cost 50 us, an answer often less: look for it a while first.
  if (virtual_home_ != nullptr) return block_virtual(slot, timeout_ns);
  for (int spins = 0; spins < looks_before_sleep; ++spins) {
    if (woken_.load(memory_order_acquire) != 0) return true;  // woken
    cpu_pause();
  }
  return block_real(slot, timeout_ns);
}

bool ThreadWait::block_real(Slot& slot, std::int64_t timeout_ns) noexcept {
  if (timeout_ns < 0) {
    while (woken_.load(memory_order_acquire) == 0) futex_wait(woken_, 0);  // woken
    return true;
  }
  // A thread outside the runtime lives in real time. Signals end futex_wait early.
  Clock const& clock = *real_clock();
  std::int64_t const start = clock.now().count();
  while (woken_.load(memory_order_acquire) == 0) {  // woken
    std::int64_t const left = timeout_ns - (clock.now().count() - start);
    if (left > 0) {
      futex_wait(woken_, 0, left);
    } else if (slot.stop_waiting(give_up_)) {
      return false;
    } else {  // the completer is on its way to this object
      while (woken_.load(memory_order_acquire) == 0) futex_wait(woken_, 0);  // woken
    }
  }
  return true;
}

// While it waits, the thread counts as idle; whoever wakes it makes it count as busy before it is
// up, so that time does not move in between.
bool ThreadWait::block_virtual(Slot& slot, std::int64_t timeout_ns) noexcept {
  slot_ = &slot;
  if (timeout_ns >= 0) virtual_home_->timekeeper.arm_after(*this, timeout_ns);
  if (Simulated* const driver = virtual_home_->driver()) {
    driver->block(woken_);
  } else {
    virtual_home_->outside_stops();
    while (woken_.load(memory_order_acquire) == 0) futex_wait(woken_, 0);  // woken
  }
  if (timeout_ns >= 0) timer_cancel(*this);
  return woken_.load(memory_order_acquire) == completed;  // woken
}

void ThreadWait::wake(std::uint32_t outcome) noexcept {
  Scheduler* const home = virtual_home_;
  if (home != nullptr && home->driver() != nullptr) {
    woken_.store(outcome, memory_order_release);  // woken
    return home->driver()->wake(woken_);
  }
  if (home != nullptr) home->outside_starts();
  woken_.store(outcome, memory_order_release);  // woken
  // The thread may be gone by now; waking an address nobody sleeps on is harmless.
  futex_wake_one(woken_);
}

void ThreadWait::on_complete(SlotWaiter& self, bool /*turn_ends*/) noexcept {
  static_cast<ThreadWait&>(self).wake(completed);
}

Runnable* ThreadWait::on_timer(TimerEntry& self) noexcept {
  auto& wait = static_cast<ThreadWait&>(self);
  if (wait.slot_->stop_waiting(wait.give_up_)) wait.wake(timed_out);
  return nullptr;
}

void ThreadWait::sleep(std::int64_t duration_ns) noexcept {
  if (duration_ns <= 0) return;
  Slot slot;
  ThreadWait wait;
  slot.start_waiting(wait);
  (void)(wait.virtual_home_ != nullptr ? wait.block_virtual(slot, duration_ns)
                                       : wait.block_real(slot, duration_ns));
}

// Under the lock: at the ring's end, which is also its front for who makes it first_.
void WaitList::insert(Member& member) noexcept {
  if (first_ == nullptr) {
    first_ = member.previous = member.next = &member;
  } else {
    member.next = first_;
    member.previous = first_->previous;
    member.previous->next = member.next->previous = &member;
  }
  member.linked = true;
}

void WaitList::unlink(Member& member) noexcept {
  if (first_ == &member) first_ = member.next != &member ? member.next : nullptr;
  member.previous->next = member.next;
  member.next->previous = member.previous;
  member.linked = false;
  if (member.guest) {
    guests_.store(guests_.load(memory_order_relaxed) - 1,
                  memory_order_relaxed);  // under this lock
  }
}

bool WaitList::add(Node& node) noexcept {
  SpinGuard const guard(lock_);
  if (closed_.load(memory_order_relaxed)) return false;  // written under this lock
  insert(node);
  return true;
}

bool WaitList::take(Member& member) noexcept {
  SpinGuard const guard(lock_);
  if (!member.linked) return false;
  unlink(member);
  return true;
}

bool WaitList::close() noexcept {
  SpinGuard const guard(lock_);
  if (first_ != nullptr && first_->guest) return false;
  closed_.store(true, memory_order_release);  // closed
  while (first_ != nullptr) {
    auto& node = static_cast<Node&>(*first_);
    unlink(node);
    (void)node.slot.complete();  // a waiter that gave up takes our lock before it goes
  }
  return true;
}

// Under the lock.
void WaitList::insert_guest(Member& guest) noexcept {
  insert(guest);
  first_ = &guest;
  guests_.store(guests_.load(memory_order_relaxed) + 1, memory_order_relaxed);  // under this lock
}

WaitList::Member* WaitList::drain_guest() noexcept {
  SpinGuard const guard(lock_);
  Member* const guest = first_;
  if (guest == nullptr || !guest->guest) return nullptr;
  draining_ = true;
  unlink(*guest);
  return guest;
}

void WaitList::end_drain() noexcept {
  SpinGuard const guard(lock_);
  draining_ = false;
}

WaitList::Pair::Pair(WaitList& first, WaitList& second) noexcept : first_(first), second_(second) {
  bool const in_order =
      reinterpret_cast<std::uintptr_t>(&first) < reinterpret_cast<std::uintptr_t>(&second);
  (in_order ? first : second).lock_.lock();
  (in_order ? second : first).lock_.lock();
}

WaitList::Pair::~Pair() {
  first_.lock_.unlock();
  second_.lock_.unlock();
}

bool WaitList::Pair::add(Member& of_first, Member& of_second) noexcept {
  if (first_.closed_.load(memory_order_relaxed) ||  // written under these locks
      second_.closed_.load(memory_order_relaxed)) {
    return false;
  }
  first_.insert_guest(of_first);
  second_.insert_guest(of_second);
  return true;
}

std::uint32_t WaitList::Pair::take(Member& of_first, Member& of_second) noexcept {
  std::uint32_t taken = 0;
  if (of_first.linked) {
    first_.unlink(of_first);
    ++taken;
  }
  if (of_second.linked) {
    second_.unlink(of_second);
    ++taken;
  }
  return taken;
}

bool wait_blocking(WaitList& list, std::int64_t timeout_ns) noexcept {
  WaitList::Node node;
  if (!list.add(node)) return true;
  ThreadWait wait;
  bool const happened = wait.wait(node.slot, timeout_ns);
  list.remove(node);
  return happened;
}

}  // namespace spawned::detail
