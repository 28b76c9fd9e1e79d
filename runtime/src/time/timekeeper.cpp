#include "time/timekeeper.hpp"

#include <algorithm>
#include <string>

#include <pthread.h>
#include <sys/prctl.h>

#include <spawned/runtime/log.hpp>

#include "scheduler/scheduler.hpp"

namespace spawned::detail {

void Timekeeper::arm_at(TimerEntry& entry, std::int64_t deadline_ns) noexcept {
  wheel_.arm_at(entry, deadline_ns);
  if (!running_.load(memory_order_acquire)) start();                     // bell
  if (sleeping_until_.load(memory_order_seq_cst) > deadline_ns) wake();  // promise
}

void Timekeeper::arm_after(TimerEntry& entry, std::int64_t duration_ns) noexcept {
  std::int64_t deadline = 0;
  if (__builtin_add_overflow(runtime_.clock().now().count(), std::max<std::int64_t>(duration_ns, 0),
                             &deadline)) {
    deadline = INT64_MAX;
  }
  arm_at(entry, deadline);
}

void Timekeeper::start() noexcept {
  std::scoped_lock const lock(start_mutex_);
  if (running_.load(memory_order_relaxed) || stopping_.load(memory_order_relaxed))
    return;  // locked
  runtime_.outside_starts();
  try {
    thread_ = std::thread([this] { run(); });
  } catch (...) {
    // The timers stay armed; the next one tries again.
    log::error("spawned", "the thread for timers outside the workers cannot be started");
    runtime_.outside_stops();
    return;
  }
  running_.store(true, memory_order_release);  // bell
}

void Timekeeper::wake() noexcept {
  bell_.fetch_add(1, memory_order_release);  // bell
  futex_wake_one(bell_);
}

void Timekeeper::stop() noexcept {
  std::scoped_lock const lock(start_mutex_);
  stopping_.store(true, memory_order_seq_cst);  // promise
  wake();
  if (thread_.joinable()) thread_.join();
  running_.store(false, memory_order_release);  // bell
}

void Timekeeper::run() noexcept {
  pthread_setname_np(pthread_self(), (runtime_.options().name.substr(0, 10) + "-time").c_str());
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  WorkerLocal local;
  local.scheduler = &runtime_;
  current_worker = &local;
  bool const virtual_time = runtime_.clock().is_virtual();
  while (!stopping_.load(memory_order_seq_cst)) {                 // promise
    std::uint32_t const bell = bell_.load(memory_order_acquire);  // bell
    RunnableChain due;
    std::int64_t const now = runtime_.clock().now().count();
    (void)wheel_.poll(now, due);
    bool const found = due.first != nullptr;
    while (Runnable* const work = due.take_first()) {
      if (work->home == nullptr) {
        work->run(*work);
      } else {
        schedule(*work);
      }
    }
    if (found) continue;
    std::int64_t const next = wheel_.next_deadline_ns();
    sleeping_until_.store(next, memory_order_seq_cst);  // promise
    if (wheel_.next_deadline_ns() >= next && next > now) {
      if (virtual_time) {
        runtime_.timekeeper_stops();
        if (!runtime_.advance_virtual_time() && runtime_.clock().now().count() == now) {
          futex_wait(bell_, bell);
        }
        runtime_.outside_starts();
      } else {
        futex_wait(bell_, bell, next == TimerWheel::none ? wait_forever : next - now);
      }
    }
    sleeping_until_.store(awake, memory_order_seq_cst);  // promise
  }
  current_worker = nullptr;
  runtime_.outside_stops();
}

}  // namespace spawned::detail
