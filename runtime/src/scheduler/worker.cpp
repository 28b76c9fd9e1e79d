#include "scheduler/worker.hpp"

#include <algorithm>
#include <utility>

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <spawned/runtime/detail/futex.hpp>
#include <spawned/runtime/detail/pool.hpp>

#include "scheduler/scheduler.hpp"
#include "scheduler/thread_stack.hpp"

namespace spawned::detail {

constinit thread_local WorkerLocal* current_worker = nullptr;
constinit thread_local Simulated* simulated = nullptr;

void simulated_touches_all(bool from_now_on) noexcept {
  if (simulated != nullptr) simulated->touches_all(from_now_on);
}
void simulated_waits_not(ExecutionContext& waiter) noexcept {
  if (simulated != nullptr) simulated->waits_not(waiter);
}

Worker::Worker(Scheduler& home, std::uint32_t number, std::uint64_t seed, Kind kind)
    : index(number), kind_(kind), random_(seed | 1) {
  scheduler = &home;
  executor = &home;
  wheel = kind == Kind::permanent ? &timers : nullptr;
}

void Worker::run() noexcept {
  RuntimeOptions const& options = scheduler->options();
  bool const spare = kind_ == Kind::spare;
  pthread_setname_np(
      pthread_self(),
      (options.name.substr(0, 10) + (spare ? "-s" : "-w") + std::to_string(index)).c_str());
  thread_id_.store(gettid(), memory_order_relaxed);  // a number
  if (options.slow_turn_stack_signal != 0) admit_stack_signal(options.slow_turn_stack_signal);
  if (int const processor = scheduler->processor_for(index); processor >= 0 && !spare) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(processor), &set);
    pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
  }
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // 50 us by default, too late for a 1 ms wheel
  current_worker = this;
  for (;;) {
    Runnable* work = help_wanted_ ? nullptr : take_soon();
    if (work == nullptr) work = next_work();
    if (work == nullptr) break;
    turns_.add(1);
    running = work;
    work->run(*work);
  }
  current_worker = nullptr;
}

// The hot path: what the turn before left for right now, as long as it has its share.
inline Runnable* Worker::take_soon() noexcept {
  if (local_turns_ >= local_turns_max) return nullptr;
  Runnable* work = hand_off;
  if (work != nullptr) {
    hand_off = nullptr;
  } else {
    if (run_next_.load(memory_order_relaxed) == nullptr) return nullptr;  // a hint: only we fill it
    work = run_next_.exchange(nullptr, memory_order_acquire);             // run_next
    if (work == nullptr) return nullptr;
  }
  ++local_turns_;
  return work;
}

// What to run next, in this order: the hand-off of the turn before, the run-next slot, the oldest
// of the own deque, the injection queue, due timers, other workers. nullptr: the runtime stops.
Runnable* Worker::next_work() noexcept {
  running = nullptr;
  for (;;) {
    Runnable* work = take_local();
    if (kind_ == Kind::spare && retire_asked_.load(memory_order_relaxed)) {  // a request
      if (work != nullptr) deque.push(work);
      retire();
      if (scheduler->stopping()) return nullptr;
      continue;
    }
    if (work == nullptr) {
      activity.end();
      if (drain_injected() || expire_timers()) continue;
      work = search();
    }
    if (work != nullptr) {
      if (searching_) leave_search();
      if (help_wanted_) call_help();
      return work;
    }
    if (scheduler->stopping()) return nullptr;
    park();
  }
}

Runnable* Worker::take_local() noexcept {
  if (local_turns_ >= local_turns_max) {
    // Hand-offs and run-next units had their share: they queue up behind the others.
    if (hand_off != nullptr) deque.push(std::exchange(hand_off, nullptr));
    if (Runnable* const next = run_next_.exchange(nullptr, memory_order_acquire)) {  // run_next
      deque.push(next);
    }
    maintain();
  } else {
    if (Runnable* const work = take_soon()) return work;
    if (--until_maintenance_ == 0) maintain();
  }
  local_turns_ = 0;
  return deque.take_oldest();
}

std::size_t Worker::take_all(std::int64_t now_ns, RunnableChain& chain) noexcept {
  if (hand_off != nullptr) chain.append(*std::exchange(hand_off, nullptr));
  if (Runnable* const next = take_run_next()) chain.append(*next);
  while (Runnable* const work = deque.take_oldest()) chain.append(*work);
  while (scheduler->injector.has_work()) {
    Runnable* work = nullptr;
    if (scheduler->injector.take(&work, 1) == 1) chain.append(*work);
  }
  if (timers.empty()) return 0;
  std::size_t const fired = timers.poll(now_ns, chain);
  timers_fired_.add(fired);
  return fired;
}

// Keeps outside work and timers from starving behind a busy deque.
void Worker::maintain() noexcept {
  until_maintenance_ = maintenance_period;
  (void)drain_injected();
  (void)expire_timers();
  (void)serve_blocked();
}

// Moves this worker's share of the injection queue into its deque.
bool Worker::drain_injected() noexcept {
  if (!scheduler->injector.has_work()) return false;
  std::size_t const share = scheduler->injector.size() / scheduler->worker_count() + 1;
  std::array<Runnable*, raid_max> items;
  std::size_t const count = scheduler->injector.take(items.data(), std::min(share, raid_max));
  if (count == 0) return false;
  injected_.add(count);
  for (std::size_t i = 0; i < count; ++i) deque.push(items[i]);
  if (count > 1) help_wanted_ = true;
  return true;
}

bool Worker::expire_timers() noexcept {
  if (timers.empty()) return false;
  RunnableChain due;
  timers_fired_.add(timers.poll(scheduler->clock().now().count(), due));
  if (due.first == nullptr) return false;
  while (Runnable* const work = due.take_first()) deque.push(work);
  help_wanted_ = true;
  return true;
}

// What waits at workers that are blocked and that no raid on a deque finds: their run-next units
// and their timers. One load when nobody is blocked.
bool Worker::serve_blocked() noexcept {
  if (scheduler->monitor.blocked_count() == 0) return false;
  bool found = false;
  for (std::uint32_t i = 0; i < scheduler->worker_slots(); ++i) {
    Worker& other = scheduler->worker(i);
    if (&other == this || !other.is_blocked()) continue;
    RunnableChain due;
    if (!other.timers.empty()) timers_fired_.add(other.timers.poll(scheduler->clock(), due));
    while (Runnable* const work = due.take_first()) {
      deque.push(work);
      found = true;
    }
    if (Runnable* const work = other.take_run_next()) {
      deque.push(work);
      found = true;
      stolen_.add(1);
    }
  }
  help_wanted_ |= found;
  return found;
}

// The deque holds work beyond what runs now: perhaps wake somebody for it.
void Worker::call_help() noexcept {
  help_wanted_ = false;
  evictions_ = 0;
  if (!deque.empty() && scheduler->idle.notify_if_idle()) wakes_sent_.add(1);
}

// The spawner may compute for long before it looks at its queues again: somebody should be awake
// who can take the task when it sees that the turn does not end.
void Worker::call_for_spawned() noexcept {
  if (scheduler->idle.notify_if_idle()) wakes_sent_.add(1);
}

void Worker::displace_next(Runnable& work, bool spawned) noexcept {
  // The newcomer runs next; what it displaces queues up. If a thief was faster there is nothing to
  // displace.
  if (Runnable* const displaced = run_next_.exchange(&work, memory_order_acq_rel)) {  // run_next
    deque.push(displaced);
    // A spawned task is asked-for parallelism. A woken one mostly runs here in a moment, so its
    // wake-up call waits for the end of the turn, unless the turn produces many.
    help_wanted_ = true;
    if (spawned || ++evictions_ >= eviction_notify) call_help();
  }
}

void Worker::push_last(Runnable& work) noexcept {
  deque.push(&work);
  help_wanted_ = true;
}

std::uint32_t Worker::random_below(std::uint32_t bound) noexcept {
  random_ ^= random_ << 13;  // xorshift64
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return static_cast<std::uint32_t>((random_ >> 32) * bound >> 32);
}

Runnable* Worker::raid(Worker& victim) noexcept {
  std::size_t moved = 0;
  Runnable* const work = victim.deque.steal_half_into(deque, raid_max, &moved);
  if (work != nullptr) {
    steals_.add(1);
    stolen_.add(moved);
  }
  return work;
}

// Looks at the other workers: for as long as the spin option says if this worker becomes the one
// searcher, else once. The searcher's last pass also takes a run-next unit whose owner has not
// finished a turn since the first pass; before, taking it would only move a ping-pong between
// cores.
Runnable* Worker::search() noexcept {
  std::uint32_t const workers = scheduler->worker_slots();
  if (!searching_) searching_ = scheduler->idle.try_start_searching();

  constexpr std::int64_t ns_per_pass = 30;  // a pause and a look
  std::int64_t const passes = searching_ ? 1 + scheduler->options().spin.count() / ns_per_pass : 1;
  Worker& suspect =
      scheduler->worker(workers > 1 ? (index + 1 + random_below(workers - 1)) % workers : index);
  std::uint64_t const suspect_turns = suspect.turns_.get();
  for (std::int64_t pass = 0; pass < passes; ++pass) {
    if (drain_injected() || (pass == 0 && serve_blocked())) {
      if (Runnable* const work = deque.take_oldest()) return work;
    }
    std::uint32_t const first = random_below(workers);
    for (std::uint32_t i = 0; i < workers; ++i) {
      Worker& victim = scheduler->worker((first + i) % workers);
      if (&victim == this || victim.deque.empty()) continue;
      if (Runnable* const work = raid(victim)) return work;
    }
    if (scheduler->stopping()) return nullptr;
    cpu_pause();
  }
  if (&suspect == this || passes == 1) return nullptr;
  Runnable* const work = suspect.steal_run_next(suspect_turns);
  if (work != nullptr) {
    steals_.add(1);
    stolen_.add(1);
  }
  return work;
}

// idle.hpp, case 1: the last searcher that leaves looks again on behalf of late notifiers.
void Worker::leave_search() noexcept {
  searching_ = false;
  if (!scheduler->idle.stop_searching()) return;
  if (!is_work_elsewhere() && deque.empty()) return;
  if (scheduler->idle.notify_one()) wakes_sent_.add(1);
}

Runnable* Worker::steal_run_next(std::uint64_t turns_seen) noexcept {
  if (turns_.get() != turns_seen) return nullptr;
  if (run_next_.load(memory_order_relaxed) == nullptr) return nullptr;  // a hint
  return run_next_.exchange(nullptr, memory_order_acquire);             // run_next
}

Runnable* Worker::take_run_next() noexcept {
  if (run_next_.load(memory_order_relaxed) == nullptr) return nullptr;  // a hint
  return run_next_.exchange(nullptr, memory_order_acquire);             // run_next
}

bool Worker::has_waiting() const noexcept {
  return !deque.empty() || run_next_.load(memory_order_relaxed) != nullptr;  // a hint
}

bool Worker::is_work_elsewhere() const noexcept {
  if (scheduler->injector.has_work()) return true;
  bool const blocked = scheduler->monitor.blocked_count() != 0;
  for (std::uint32_t i = 0; i < scheduler->worker_slots(); ++i) {
    Worker const& other = scheduler->worker(i);
    if (&other == this) continue;
    if (!other.deque.empty()) return true;
    if (blocked && other.is_blocked() && other.has_waiting()) return true;
  }
  return false;
}

// When this worker must be up for a timer. A spare is up for those of the blocked, too.
std::int64_t Worker::next_timer(std::int64_t now_ns) noexcept {
  if (kind_ == Kind::permanent) {
    if (timers.empty()) return TimerWheel::none;
    timers.stamp(now_ns);
    return timers.next_deadline_ns();
  }
  std::int64_t next = TimerWheel::none;
  for (std::uint32_t i = 0; i < scheduler->worker_count(); ++i) {
    Worker& other = scheduler->worker(i);
    if (!other.is_blocked() || other.timers.empty()) continue;
    other.timers.stamp(scheduler->clock());
    next = std::min(next, other.timers.next_deadline_ns());
  }
  return next;
}

// A spare hands what waits here to the others.
void Worker::give_back() noexcept {
  if (hand_off != nullptr) deque.push(std::exchange(hand_off, nullptr));
  if (Runnable* const next = take_run_next()) deque.push(next);
  bool any = false;
  while (Runnable* const work = deque.take_oldest()) {
    scheduler->injector.push(*work);
    any = true;
  }
  if (searching_) leave_search();
  if (any) (void)scheduler->idle.notify_one();
}

// Back into the pool of spares, until activate(). The order is that of the notes in idle.hpp: give
// back, stop searching, leave.
void Worker::retire() noexcept {
  activity.end();
  give_back();
  help_wanted_ = false;
  local_turns_ = 0;
  pool_flush();
  scheduler->idle.leave();
  // Whoever parked while this spare took part could not move virtual time.
  if (scheduler->clock().is_virtual()) scheduler->wake_all();
  retire_asked_.store(false, memory_order_relaxed);  // ordered by life
  life_.store(dormant, memory_order_release);        // life
  while (life_.load(memory_order_acquire) == dormant && !scheduler->stopping()) {  // life
    futex_wait(life_, dormant);
  }
}

void Worker::activate() noexcept {
  // The monitor may have asked twice, the second time just before the spare was dormant.
  retire_asked_.store(false, memory_order_relaxed);  // ordered by life
  life_.store(active, memory_order_release);         // life
  futex_wake_one(life_);
}

void Worker::park() noexcept {
  pool_flush();
  std::int64_t timeout_ns = wait_forever;
  bool const virtual_time = scheduler->clock().is_virtual();
  std::int64_t const before = scheduler->clock().now().count();
  std::int64_t const deadline = next_timer(before);
  if (deadline != TimerWheel::none && !virtual_time) {
    timeout_ns = std::max<std::int64_t>(0, deadline - before);
  }

  scheduler->idle.announce(index);
  if (searching_) {
    searching_ = false;
    (void)scheduler->idle.stop_searching();
  }
  // The second look of idle.hpp: after announce(), every later notifier finds this worker.
  bool const found = is_work_elsewhere();
  bool stay = found || scheduler->stopping();
  if (!stay && virtual_time) {
    // Due already: time moved after the timers were looked at and before this worker announced
    // itself, so that nobody will wake it for them.
    stay = deadline <= before || scheduler->advance_virtual_time() ||
           scheduler->clock().now().count() != before;
  }
  if (!stay) {
    parks_.add(1);
    scheduler->idle.sleep(index, timeout_ns);
    if (!virtual_time) {
      parked_ns_.add(static_cast<std::uint64_t>(scheduler->clock().now().count() - before));
    }
  }
  searching_ = scheduler->idle.retract(index, found);
  scheduler->monitor.on_unpark();
}

WorkerCounters Worker::counters() const {
  return {.turns = turns_.get(),
          .injected = injected_.get(),
          .steals = steals_.get(),
          .stolen = stolen_.get(),
          .parks = parks_.get(),
          .wakes_sent = wakes_sent_.get(),
          .timers_fired = timers_fired_.get(),
          .queue_depth = deque.size(),
          .parked_time = std::chrono::nanoseconds(parked_ns_.get())};
}

// --- the calls of detail/scheduling.hpp and detail/timer.hpp ---

namespace {

// The calling thread as a worker of the unit's home, or nullptr.
inline Worker* worker_of(Runnable const& work) noexcept {
  WorkerLocal* const local = current_worker;
  return local != nullptr && local->executor == work.home ? static_cast<Worker*>(local) : nullptr;
}

}  // namespace

void schedule(Runnable& work) noexcept {
  if (Worker* const worker = worker_of(work)) {
    worker->push_next(work, false);
  } else {
    work.home->post(work);
  }
}

void schedule_spawned(Runnable& work) noexcept {
  if (Worker* const worker = worker_of(work)) {
    worker->push_next(work, true);
  } else {
    work.home->post(work);
  }
}

void schedule_last(Runnable& work) noexcept {
  if (Worker* const worker = worker_of(work)) {
    worker->push_last(work);
  } else {
    work.home->post(work);
  }
}

void timer_arm_after(TimerEntry& entry, std::int64_t duration_ns) noexcept {
  WorkerLocal& local = *current_worker;
  if (local.wheel != nullptr) [[likely]] {
    local.wheel->arm_after(entry, duration_ns < 0 ? 0 : duration_ns);
  } else {
    local.scheduler->timekeeper.arm_after(entry, duration_ns);
  }
}

void timer_arm_at(TimerEntry& entry, std::int64_t deadline_ns) noexcept {
  WorkerLocal& local = *current_worker;
  if (local.wheel != nullptr) {
    local.wheel->arm_at(entry, deadline_ns);
  } else {
    local.scheduler->timekeeper.arm_at(entry, deadline_ns);
  }
}

void timer_arm_after_on(Scheduler& scheduler, TimerEntry& entry,
                        std::int64_t duration_ns) noexcept {
  WorkerLocal* const local = current_worker;
  if (local != nullptr && local->wheel != nullptr && local->scheduler == &scheduler) {
    local->wheel->arm_after(entry, duration_ns < 0 ? 0 : duration_ns);
  } else {
    scheduler.timekeeper.arm_after(entry, duration_ns);
  }
}

void timer_arm_at_on(Scheduler& scheduler, TimerEntry& entry, std::int64_t deadline_ns) noexcept {
  WorkerLocal* const local = current_worker;
  if (local != nullptr && local->wheel != nullptr && local->scheduler == &scheduler) {
    local->wheel->arm_at(entry, deadline_ns);
  } else {
    scheduler.timekeeper.arm_at(entry, deadline_ns);
  }
}

void timer_cancel(TimerEntry& entry) noexcept { entry.wheel->cancel(entry); }

std::int64_t timer_time_left(TimerEntry const& entry, std::int64_t now_ns) noexcept {
  return entry.wheel->time_left(entry, now_ns);
}

}  // namespace spawned::detail
