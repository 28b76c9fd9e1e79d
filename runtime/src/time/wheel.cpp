#include "time/wheel.hpp"

#include <algorithm>
#include <bit>

#include <spawned/runtime/clock.hpp>

namespace spawned::detail {

namespace {

// The first tick that is not before the deadline.
constexpr std::int64_t tick_after(std::int64_t deadline_ns) noexcept {
  if (deadline_ns <= 0) return 0;
  return (deadline_ns - 1) / TimerWheel::tick_ns + 1;
}

}  // namespace

TimerWheel::TimerWheel() noexcept = default;

void TimerWheel::link(Head& head, TimerEntry& entry) noexcept {
  entry.previous = head.previous;
  entry.next = &head;
  head.previous->next = &entry;
  head.previous = &entry;
}

void TimerWheel::unlink(TimerEntry& entry) noexcept {
  entry.previous->next = entry.next;
  entry.next->previous = entry.previous;
  if (entry.list < unstamped_slot && entry.previous == entry.next) {
    unsigned const level = entry.list / slots;
    unsigned const index = entry.list % slots;
    if (entry.next == &lists_[level][index]) occupied_[level] &= ~(std::uint64_t{1} << index);
  }
}

void TimerWheel::place(TimerEntry& entry) noexcept {
  if (entry.when <= elapsed_) {
    entry.list = due_slot;
    link(due_, entry);
    return;
  }
  // Two years of ticks. One slot of the top level less than a full round: an entry must not land in
  // the slot of the present, where next_tick() would take it for the nearest.
  constexpr std::int64_t longest =
      (std::int64_t{1} << (6 * levels)) - (std::int64_t{1} << (6 * (levels - 1)));
  std::int64_t const when = entry.when - elapsed_ > longest ? elapsed_ + longest : entry.when;
  auto const differing = static_cast<std::uint64_t>(elapsed_ ^ when) | (slots - 1);
  unsigned level = (63U - static_cast<unsigned>(std::countl_zero(differing))) / 6;
  if (level >= levels) level = levels - 1;
  unsigned const index = static_cast<unsigned>(when >> (6 * level)) & (slots - 1);
  entry.list = static_cast<std::uint16_t>(level * slots + index);
  occupied_[level] |= std::uint64_t{1} << index;
  link(lists_[level][index], entry);
}

void TimerWheel::arm_after(TimerEntry& entry, std::int64_t duration_ns) noexcept {
  SpinGuard guard(lock_);
  entry.wheel = this;
  entry.armed = true;
  entry.when = duration_ns;
  entry.list = unstamped_slot;
  link(unstamped_, entry);
  count_.store(count_.load(memory_order_relaxed) + 1, memory_order_relaxed);  // under the lock
}

void TimerWheel::arm_at(TimerEntry& entry, std::int64_t deadline_ns) noexcept {
  SpinGuard guard(lock_);
  entry.wheel = this;
  entry.armed = true;
  entry.when = tick_after(deadline_ns);
  place(entry);
  count_.store(count_.load(memory_order_relaxed) + 1, memory_order_relaxed);  // under the lock
}

void TimerWheel::cancel(TimerEntry& entry) noexcept {
  SpinGuard guard(lock_);
  if (!entry.armed) return;
  entry.armed = false;
  unlink(entry);
  count_.store(count_.load(memory_order_relaxed) - 1, memory_order_relaxed);  // under the lock
}

std::int64_t TimerWheel::time_left(TimerEntry const& entry, std::int64_t now_ns) const noexcept {
  SpinGuard const guard(lock_);
  if (!entry.armed) return -1;
  if (entry.list == unstamped_slot) return entry.when;
  if (entry.when > INT64_MAX / tick_ns) return INT64_MAX;
  return std::max<std::int64_t>(entry.when * tick_ns - now_ns, 0);
}

void TimerWheel::stamp_locked(std::int64_t now_ns) noexcept {
  while (unstamped_.next != &unstamped_) {
    TimerEntry& entry = *unstamped_.next;
    unlink(entry);
    std::int64_t deadline = 0;
    if (__builtin_add_overflow(now_ns, entry.when, &deadline)) deadline = INT64_MAX;
    entry.when = tick_after(deadline);
    place(entry);
  }
}

void TimerWheel::stamp(std::int64_t now_ns) noexcept {
  SpinGuard guard(lock_);
  stamp_locked(now_ns);
}

void TimerWheel::stamp(Clock const& clock) noexcept {
  SpinGuard guard(lock_);
  stamp_locked(clock.now().count());
}

// The earliest tick at which a slot must be looked at, or `none`.
std::int64_t TimerWheel::next_tick() const noexcept {
  if (due_.next != &due_) return elapsed_;
  for (unsigned level = 0; level < levels; ++level) {
    if (occupied_[level] == 0) continue;
    unsigned const shift = 6 * level;
    unsigned const here = static_cast<unsigned>(elapsed_ >> shift) & (slots - 1);
    auto const ahead = static_cast<unsigned>(
        std::countr_zero(std::rotr(occupied_[level], static_cast<int>(here))));
    unsigned const index = (here + ahead) % slots;
    std::int64_t const slot_range = std::int64_t{1} << shift;
    std::int64_t const level_range = slot_range << 6;
    std::int64_t tick = (elapsed_ & ~(level_range - 1)) + index * slot_range;
    if (tick <= elapsed_) tick += level_range;  // only the top level wraps round
    return tick;
  }
  return none;
}

void TimerWheel::expire_list(Head& head, RunnableChain& chain, std::uint64_t& fired) noexcept {
  // Entries move to a private list first: one that is not due yet may be placed in this very slot
  // again when the top level wraps round.
  Head moving;
  if (head.next == &head) return;
  moving.next = head.next;
  moving.previous = head.previous;
  moving.next->previous = &moving;
  moving.previous->next = &moving;
  head.next = head.previous = &head;
  while (moving.next != &moving) {
    TimerEntry& entry = *moving.next;
    entry.previous->next = entry.next;
    entry.next->previous = entry.previous;
    if (entry.when > elapsed_) {
      place(entry);
      continue;
    }
    entry.armed = false;
    count_.store(count_.load(memory_order_relaxed) - 1, memory_order_relaxed);  // under the lock
    ++fired;
    if (Runnable* const work = entry.fire(entry)) chain.append(*work);
  }
}

std::uint64_t TimerWheel::poll(std::int64_t now_ns, RunnableChain& chain) noexcept {
  SpinGuard guard(lock_);
  return poll_locked(now_ns, chain);
}

std::uint64_t TimerWheel::poll(Clock const& clock, RunnableChain& chain) noexcept {
  SpinGuard guard(lock_);
  return poll_locked(clock.now().count(), chain);
}

std::uint64_t TimerWheel::poll_locked(std::int64_t now_ns, RunnableChain& chain) noexcept {
  stamp_locked(now_ns);
  std::int64_t const now_tick = now_ns / tick_ns;
  std::uint64_t fired = 0;
  expire_list(due_, chain, fired);
  for (;;) {
    std::int64_t const tick = next_tick();
    if (tick > now_tick) break;
    elapsed_ = tick;
    for (unsigned level = 0; level < levels; ++level) {
      // The slot of each level whose range begins at this tick.
      unsigned const shift = 6 * level;
      if ((tick & ((std::int64_t{1} << shift) - 1)) != 0) break;
      unsigned const index = static_cast<unsigned>(tick >> shift) & (slots - 1);
      if ((occupied_[level] & (std::uint64_t{1} << index)) == 0) continue;
      occupied_[level] &= ~(std::uint64_t{1} << index);
      expire_list(lists_[level][index], chain, fired);
    }
    expire_list(due_, chain, fired);
  }
  if (now_tick > elapsed_) elapsed_ = now_tick;
  return fired;
}

std::int64_t TimerWheel::next_deadline_ns() const noexcept {
  SpinGuard guard(lock_);
  std::int64_t const tick = next_tick();
  return tick == none ? none : tick * tick_ns;
}

}  // namespace spawned::detail
