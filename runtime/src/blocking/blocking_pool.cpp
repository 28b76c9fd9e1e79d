#include "blocking/blocking_pool.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include <pthread.h>

#include <spawned/runtime/log.hpp>

#include "scheduler/scheduler.hpp"

namespace spawned::detail {

BlockingPool::BlockingPool(Scheduler& owner, std::string name, unsigned threads_max,
                           std::int64_t keep_alive_ns)
    : Executor(owner, static_cast<Executor&>(owner).detects_cycles(),
               static_cast<Executor&>(owner).stepwise()),
      owner_(owner),
      name_(std::move(name)),
      threads_max_(threads_max),
      keep_alive_ns_(keep_alive_ns) {}

BlockingPool::~BlockingPool() {
  while (!stop(1'000'000'000)) {
  }
}

void BlockingPool::submit(Runnable& job) {
  if (owner_.driver() != nullptr) return owner_.driver()->run_blocking(job);
  if (!enqueue(job, true)) job.run(job);
}

void BlockingPool::post(Runnable& turn) noexcept {
  if (owner_.driver() != nullptr) return owner_.driver()->run_blocking(turn);
  Scheduler::Entry const entry(owner_);  // the runtime may end as soon as the turn has run
  if (enqueue(turn, false)) return;
  owner_.outside_starts();
  run_turn(turn);
  owner_.outside_stops();
}

// False: the pool has stopped, the caller runs the job.
bool BlockingPool::enqueue(Runnable& job, bool must_have_thread) {
  std::scoped_lock const lock(mutex_);
  if (stopping_) return false;
  if (idle_ > wakes_due_) {
    ++wakes_due_;
    work_or_stop_.notify_one();
  } else if (threads_ < threads_max_) {
    ++threads_;
    try {
      std::thread([this] { work(); }).detach();  // stop() waits for threads_ == 0
    } catch (...) {
      --threads_;
      if (threads_ == 0) {
        if (must_have_thread) throw;
        log::error("spawned", "no thread for an actor on the blocking pool can be started");
      }
    }
  }
  owner_.outside_starts();
  queue_.append(job);
  ++queued_;
  return true;
}

// A turn of an actor works for the runtime; a job of spawn_blocking is outside of it.
void BlockingPool::run_turn(Runnable& turn) noexcept {
  WorkerLocal local;
  local.scheduler = &owner_;
  local.running = &turn;
  WorkerLocal* const before = std::exchange(current_worker, &local);
  turn.run(turn);
  current_worker = before;
}

void BlockingPool::work() noexcept {
  pthread_setname_np(pthread_self(), (name_.substr(0, 13) + "-b").c_str());
  std::unique_lock lock(mutex_);
  for (;;) {
    if (Runnable* const job = queue_.take_first()) {
      --queued_;
      lock.unlock();
      if (job->home == nullptr) {
        job->run(*job);
      } else {
        run_turn(*job);
      }
      owner_.outside_stops();
      lock.lock();
      continue;
    }
    if (stopping_) break;
    ++idle_;
    auto const keep_alive = std::chrono::nanoseconds(keep_alive_ns_);
    bool const woken =
        work_or_stop_.wait_for(lock, keep_alive, [this] { return wakes_due_ != 0 || stopping_; });
    --idle_;
    if (wakes_due_ != 0) --wakes_due_;
    if (!woken) break;
  }
  --threads_;
  thread_left_.notify_all();
}

bool BlockingPool::stop(std::int64_t timeout_ns) noexcept {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  work_or_stop_.notify_all();
  return thread_left_.wait_for(lock, std::chrono::nanoseconds(timeout_ns),
                               [this] { return threads_ == 0; });
}

BlockingPool::Counters BlockingPool::counters() const {
  std::scoped_lock const lock(mutex_);
  return {.threads = threads_, .idle = idle_, .queued = queued_};
}

}  // namespace spawned::detail
