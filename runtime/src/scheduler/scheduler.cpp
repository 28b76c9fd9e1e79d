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

constexpr std::size_t report_most = 10;  // names in one report

std::string as_lines(std::vector<std::string> const& names) {
  std::string lines;
  for (std::string const& name : names) lines += "\n  " + name;
  return lines;
}

std::string seconds_since(std::chrono::nanoseconds start) {
  std::string text =
      std::to_string(static_cast<double>((real_clock()->now() - start).count()) / 1e9);
  text.resize(text.size() - 3);  // milliseconds
  return text;
}

}  // namespace

Scheduler::Scheduler(RuntimeOptions options, Simulated* driver, bool has_workers)
    : Executor(*this, options.detect_cycles, driver != nullptr),
      idle(options.workers, options.spare_workers_max),
      living(options.workers + 1),
      blocking(*this, options.name, options.blocking_threads_max,
               options.blocking_keep_alive.count()),
      dedicated(*this),
      timekeeper(*this),
      monitor(*this),
      options_(std::move(options)),
      driver_(driver),
      has_workers_(has_workers && options_.workers != 0),
      workers_(std::size_t{options_.workers} + options_.spare_workers_max),
      seed_(options_.seed != 0 ? options_.seed : reinterpret_cast<std::uintptr_t>(this)),
      virtual_time_(options_.clock->is_virtual()) {
  if (options_.pin_workers) processors_ = allowed_processors();
  for (std::uint32_t i = 0; i < options_.workers; ++i) add_worker(i, Worker::Kind::permanent);
  options_.clock->attach(*this);
  if (driver != nullptr) return;
  try {
    for (std::uint32_t i = 0; i < options_.workers; ++i) {
      worker(i).thread = std::thread([&self = worker(i)] { self.run(); });
    }
    if (options_.workers != 0) monitor.start();
  } catch (...) {
    stop_workers();
    options_.clock->detach(*this);
    throw;
  }
}

Scheduler::~Scheduler() {
  (void)shut_down({.deadline = options_.shutdown_timeout});
  options_.clock->detach(*this);
  while (entries_.load(memory_order_acquire) != 0) yield_thread();  // entry
}

void Scheduler::add_worker(std::uint32_t index, Worker::Kind kind) {
  seed_ = seed_ * 6364136223846793005ULL + 1442695040888963407ULL;  // Knuth's MMIX generator
  workers_[index] = std::make_unique<Worker>(*this, index, seed_, kind);
  slots_.store(index + 1, memory_order_release);  // slots
}

Worker* Scheduler::add_spare() noexcept {
  std::uint32_t const index = worker_slots();
  if (index == workers_.size()) return nullptr;
  try {
    add_worker(index, Worker::Kind::spare);
  } catch (...) {
    return nullptr;
  }
  return workers_[index].get();
}

void Scheduler::post(Runnable& work) noexcept {
  if (driver_ != nullptr && simulated == driver_) return driver_->post(work);
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

bool Scheduler::live_add(ExecutionContext& context, bool root) noexcept {
  if (driver_ != nullptr) [[unlikely]]
    driver_->lives(context);
  Worker const* const worker = own_worker();
  std::uint32_t const shard = root                ? living.root_shard()
                              : worker != nullptr ? std::min(worker->index, worker_count())
                                                  : worker_count();
  switch (living.add(context, shard)) {
    case LiveList::Added::open:
      return true;
    case LiveList::Added::closing:
      context.kind->request_end(context, UnreadMail::cancel);
      return true;
    case LiveList::Added::sealed:
      break;
  }
  return false;
}

void Scheduler::stamp_timers() noexcept {
  std::int64_t const now = clock().now().count();
  for (std::uint32_t i = 0; i < worker_count(); ++i) worker(i).timers.stamp(now);
}

bool Scheduler::advance_virtual_time() noexcept {
  if (!idle.try_hold()) return false;
  std::uint64_t const outside = outside_.load(memory_order_seq_cst);  // outside
  bool moved = false;
  if (outside % one_outside_start == 0 && !injector.has_work()) {
    std::int64_t next = timekeeper.next_deadline_ns();
    for (std::uint32_t i = 0; i < worker_count(); ++i) {
      worker(i).timers.stamp(clock().now().count());
      next = std::min(next, worker(i).timers.next_deadline_ns());
    }
    // No thread outside has started in between: `next` is the earliest of all timers.
    moved = next != TimerWheel::none &&
            outside_.load(memory_order_seq_cst) == outside &&  // outside
            clock().on_idle(std::chrono::nanoseconds(next));
  }
  idle.release();
  if (moved) wake_all();
  return moved;
}

// False: something still lived (`roots_only`: a root) when the time was over.
bool Scheduler::wait_for_the_living(std::int64_t timeout_ns, bool roots_only) noexcept {
  if (driver_ != nullptr) return driver_->run_until_ended(roots_only, timeout_ns);
  // Real time on purpose: this is about threads that do not come back.
  Clock& real = *real_clock();
  std::int64_t const deadline =
      timeout_ns < 0 ? INT64_MAX : real.now().count() + std::min(timeout_ns, INT64_MAX / 4);
  for (;;) {
    std::uint32_t const seen = living.changes();
    if (roots_only ? !living.roots_left() : living.count() == 0) return true;
    std::int64_t const left = deadline - real.now().count();
    if (left <= 0) return false;
    living.wait_change(seen, left);
  }
}

// Waits for all that lives, which has been asked to end. False: it took longer than `patience`.
bool Scheduler::outlive_the_living(std::string const& who, std::int64_t patience,
                                   ShutdownReport& report) {
  bool in_time = true;
  while (!wait_for_the_living(patience, false)) {
    in_time = false;
    patience = std::max<std::int64_t>(patience, 1'000'000'000);
    std::vector<std::string> const names = living.describe(report_most);
    log::error("spawned", who + std::to_string(living.count()) + " still run after " +
                              seconds_since(report.started) + " s:" + as_lines(names));
    if (report.late.empty()) report.late = names;
    living.close();  // asks again: a teardown has had its time
  }
  return in_time;
}

ShutdownReport Scheduler::shut_down(ShutdownOptions const& options) {
  std::scoped_lock const lock(shut_down_mutex_);
  ShutdownReport report;
  report.started = real_clock()->now();
  if (ended()) return report;
  std::int64_t const patience = std::max<std::int64_t>(options.deadline.count(), 1'000'000);
  std::string const who = "runtime \"" + options_.name + "\" cannot end: ";
  refusing_.store(true, memory_order_relaxed);  // a courtesy: who comes too late is ended
  living.begin_end(options.mail);
  bool in_time = wait_for_the_living(options.deadline.count(), true);
  if (!in_time) {
    report.late = living.describe(report_most);
    log::error("spawned", who + std::to_string(living.count()) + " still run after " +
                              seconds_since(report.started) +
                              " s and are cancelled now:" + as_lines(report.late));
  }
  living.close();
  in_time = outlive_the_living(who, in_time ? patience : 1'000'000'000, report) && in_time;
  while (!blocking.stop(patience)) {
    in_time = false;
    log::error("spawned",
               who + std::to_string(blocking.counters().threads) + " blocking threads still work");
  }
  // What the last blocking jobs, or threads outside, have started meanwhile.
  do {
    in_time = outlive_the_living(who, patience, report) && in_time;
  } while (!living.seal());
  while (!dedicated.wait_until_none(patience)) {
    log::error("spawned",
               who + std::to_string(dedicated.count()) + " threads of actors still work");
  }
  timekeeper.stop();
  stop_workers();
  report.in_time = in_time;
  return report;
}

void Scheduler::stop_workers() noexcept {
  stopping_.store(true, memory_order_seq_cst);  // stop
  monitor.stop();                               // from here on no spare is started
  wake_all();
  for (std::uint32_t i = 0; i < worker_slots(); ++i) {
    worker(i).activate();
    if (worker(i).thread.joinable()) worker(i).thread.join();
  }
}

RuntimeCounters Scheduler::counters() const {
  RuntimeCounters result;
  for (std::uint32_t i = 0; i < worker_count(); ++i) {
    result.workers.push_back(worker(i).counters());
  }
  for (std::uint32_t i = worker_count(); i < worker_slots(); ++i) {
    ++result.spare_workers;
    if (!worker(i).is_dormant()) ++result.active_spares;
    result.spare_turns += worker(i).turns();
  }
  result.blocked_workers = monitor.blocked_count();
  result.rescues = monitor.rescues();
  result.longest_turn = std::chrono::nanoseconds(monitor.longest_turn_ns());
  BlockingPool::Counters const pool = blocking.counters();
  result.live = living.count();
  result.injection_depth = injector.size();
  result.blocking_threads = pool.threads;
  result.blocking_idle = pool.idle;
  result.blocking_queued = pool.queued;
  return result;
}

bool live_add(ExecutionContext& context, bool root) noexcept {
  return context.home->runtime().live_add(context, root);
}
void live_remove(ExecutionContext& context) noexcept {
  Scheduler& scheduler = context.home->runtime();
  if (Simulated* const driver = scheduler.driver()) [[unlikely]]
    driver->ended(context);
  scheduler.living.remove(context);
}

Step const* step_on_workers(Scheduler& runtime, std::uint64_t id,
                            decltype(Step::describe) describe) noexcept {
  for (std::uint32_t i = 0; i < runtime.worker_slots(); ++i) {
    Activity const& activity = runtime.worker(i).activity;
    Step const* const step = activity.step();
    if (step != nullptr && step->describe == describe && activity.id() == id) return step;
  }
  return nullptr;
}

void require_running(Scheduler& scheduler, char const* what) {
  if (scheduler.refusing()) throw RuntimeEnded(what);
}

Clock& clock_of(Scheduler& scheduler) noexcept { return scheduler.clock(); }

unsigned worker_count_of(Scheduler const& scheduler) noexcept { return scheduler.worker_count(); }

Executor& workers_of(Scheduler& scheduler, char const* what) {
  if (!scheduler.has_workers()) {
    throw std::logic_error(std::string(what) +
                           " needs workers, and this runtime has none (it is one of the threads "
                           "flavour): use a Runtime of the tasks flavour");
  }
  return scheduler;
}

Executor& blocking_executor(Scheduler& scheduler) { return scheduler.blocking; }
Executor& dedicated_executor(Scheduler& scheduler) {
  if (scheduler.driver() != nullptr) return scheduler.driver()->dedicated();
  return scheduler.dedicated.start();
}

void submit_blocking(Scheduler& scheduler, Runnable& job) { scheduler.blocking.submit(job); }

}  // namespace spawned::detail
