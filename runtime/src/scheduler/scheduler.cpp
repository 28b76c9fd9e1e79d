#include "scheduler/scheduler.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include <sched.h>

#include <spawned/runtime/detail/spin_lock.hpp>
#include <spawned/runtime/log.hpp>

namespace spawned::detail {

namespace {

std::vector<int> allowed_processors() {
  std::vector<int> allowed;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    for (int i = 0; i < CPU_SETSIZE; ++i) {
      if (CPU_ISSET(static_cast<unsigned>(i), &set)) allowed.push_back(i);
    }
  }
  return allowed;
}

}  // namespace

Scheduler::Scheduler(RuntimeOptions options)
    : Executor(*this, options.detect_cycles),
      idle(options.workers),
      living(options.workers + 1),
      blocking(*this, options.name, options.blocking_threads_max,
               options.blocking_keep_alive.count()),
      dedicated(*this),
      timekeeper(*this),
      options_(std::move(options)),
      virtual_time_(options_.clock->is_virtual()) {
  if (options_.pin_workers) processors_ = allowed_processors();
  std::uint64_t seed = options_.seed != 0 ? options_.seed : reinterpret_cast<std::uintptr_t>(this);
  for (std::uint32_t i = 0; i < options_.workers; ++i) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;  // Knuth's MMIX generator
    workers_.push_back(std::make_unique<Worker>(*this, i, seed));
  }
  options_.clock->attach(*this);
  try {
    for (auto& worker : workers_) {
      worker->thread = std::thread([&self = *worker] { self.run(); });
    }
  } catch (...) {
    stop_workers();
    options_.clock->detach(*this);
    throw;
  }
}

Scheduler::~Scheduler() {
  shut_down();
  options_.clock->detach(*this);
  while (entries_.load(memory_order_acquire) != 0) yield_thread();  // entry
}

void Scheduler::post(Runnable& work) noexcept {
  Entry const entry(*this);
  injector.push(work);
  (void)idle.notify_one();
}

Worker* Scheduler::own_worker() const noexcept {
  WorkerLocal* const local = current_worker;
  return local != nullptr && local->executor == this ? static_cast<Worker*>(local) : nullptr;
}

int Scheduler::processor_for(std::uint32_t index) const noexcept {
  return processors_.empty() ? -1 : processors_[index % processors_.size()];
}

bool Scheduler::live_add(ExecutionContext& context) noexcept {
  Worker const* const worker = own_worker();
  std::uint32_t const shard = worker != nullptr ? worker->index : worker_count();
  switch (living.add(context, shard)) {
    case LiveList::Added::open:
      return true;
    case LiveList::Added::closing:
      context.kind->request_end(context);
      return true;
    case LiveList::Added::sealed:
      break;
  }
  return false;
}

void Scheduler::stamp_timers() noexcept {
  std::int64_t const now = clock().now().count();
  for (auto& worker : workers_) worker->timers.stamp(now);
}

bool Scheduler::advance_virtual_time() noexcept {
  if (idle.parked_count() != worker_count() || !timekeeper.is_idle() || blocking.busy() != 0 ||
      outside_busy_.load(memory_order_seq_cst) != 0 || injector.has_work()) {  // outside
    return false;
  }
  std::int64_t next = timekeeper.next_deadline_ns();
  for (auto& worker : workers_) {
    worker->timers.stamp(clock().now().count());
    next = std::min(next, worker->timers.next_deadline_ns());
  }
  if (next == TimerWheel::none || !clock().on_idle(std::chrono::nanoseconds(next))) return false;
  wake_all();
  return true;
}

// False: something still lived when the time was over.
bool Scheduler::wait_for_the_living(std::int64_t timeout_ns) noexcept {
  // Real time on purpose: this is about threads that do not come back.
  Clock& real = *real_clock();
  std::int64_t const deadline =
      timeout_ns < 0 ? INT64_MAX : real.now().count() + std::min(timeout_ns, INT64_MAX / 4);
  for (;;) {
    std::uint32_t const seen = living.changes();
    if (living.count() == 0) return true;
    std::int64_t const left = deadline - real.now().count();
    if (left <= 0) return false;
    living.wait_change(seen, left);
  }
}

// Waits for all that lives, which has been asked to end. False: it took longer than the timeout.
bool Scheduler::outlive_the_living(std::string const& who) {
  std::int64_t patience = options_.shutdown_timeout.count();
  bool in_time = true;
  while (!wait_for_the_living(patience)) {
    in_time = false;
    patience = std::max<std::int64_t>(patience, 1'000'000'000);
    std::string report = who + std::to_string(living.count()) + " still run after being cancelled:";
    for (std::string const& name : living.describe(10)) report += "\n  " + name;
    log::error("spawned", report);
    living.close();  // asks again: a teardown has had its time
  }
  return in_time;
}

bool Scheduler::shut_down() {
  std::scoped_lock const lock(shut_down_mutex_);
  if (ended()) return true;
  std::int64_t const patience =
      std::max<std::int64_t>(options_.shutdown_timeout.count(), 1'000'000);
  std::string const who = "runtime \"" + options_.name + "\" cannot end: ";
  living.close();
  bool in_time = outlive_the_living(who);
  while (!blocking.stop(patience)) {
    in_time = false;
    log::error("spawned",
               who + std::to_string(blocking.counters().threads) + " blocking threads still work");
  }
  // What the last blocking jobs, or threads outside, have started meanwhile.
  do {
    in_time = outlive_the_living(who) && in_time;
  } while (!living.seal());
  while (!dedicated.wait_until_none(patience)) {
    log::error("spawned",
               who + std::to_string(dedicated.count()) + " threads of actors still work");
  }
  timekeeper.stop();
  stop_workers();
  return in_time;
}

void Scheduler::stop_workers() noexcept {
  stopping_.store(true, memory_order_seq_cst);  // stop
  wake_all();
  for (auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

RuntimeCounters Scheduler::counters() const {
  RuntimeCounters result;
  for (auto const& worker : workers_) result.workers.push_back(worker->counters());
  BlockingPool::Counters const pool = blocking.counters();
  result.live = living.count();
  result.injection_depth = injector.size();
  result.blocking_threads = pool.threads;
  result.blocking_idle = pool.idle;
  result.blocking_queued = pool.queued;
  return result;
}

bool live_add(ExecutionContext& context) noexcept {
  return context.home->runtime().live_add(context);
}
void live_remove(ExecutionContext& context) noexcept {
  context.home->runtime().living.remove(context);
}

void require_running(Scheduler& scheduler, char const* what) {
  if (scheduler.ended()) throw RuntimeEnded(what);
}

Executor& workers_of(Scheduler& scheduler, char const* what) {
  if (scheduler.worker_count() == 0) {
    throw std::logic_error(std::string(what) +
                           " needs workers, and this runtime has none (it is one of the threads "
                           "flavour): use a Runtime of the tasks flavour");
  }
  return scheduler;
}

Executor& blocking_executor(Scheduler& scheduler) { return scheduler.blocking; }
Executor& dedicated_executor(Scheduler& scheduler) { return scheduler.dedicated.start(); }

void submit_blocking(Scheduler& scheduler, Runnable& job) { scheduler.blocking.submit(job); }

}  // namespace spawned::detail
