#include "scheduler/monitor.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <spawned/runtime/detail/futex.hpp>
#include <spawned/runtime/log.hpp>

#include "scheduler/scheduler.hpp"

namespace spawned::detail {

namespace {

// The processor time a thread has used, ns. The thread has not been joined.
std::int64_t processor_time(std::thread& thread) noexcept {
  clockid_t clock{};
  timespec used{};
  if (pthread_getcpuclockid(thread.native_handle(), &clock) != 0) return 0;
  if (clock_gettime(clock, &used) != 0) return 0;  // waiver G23: a thread's time, not the time
  return std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

// The thread runs or waits for a processor, as the kernel says; else it is blocked in a call.
bool is_runnable(int thread_id) noexcept {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread_id);
  int const file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char text[128];
  ssize_t const length = read(file, text, sizeof(text) - 1);
  close(file);
  if (length <= 0) return false;
  text[length] = '\0';
  char const* const name_end = std::strrchr(text, ')');  // "12 (the name) R ..."
  return name_end != nullptr && name_end[1] == ' ' && name_end[2] == 'R';
}

std::string readable(std::int64_t ns) {
  char text[32];
  if (ns < 1'000'000'000) {
    std::snprintf(text, sizeof(text), "%lld ms", static_cast<long long>(ns / 1'000'000));
  } else {
    std::snprintf(text, sizeof(text), "%.1f s", static_cast<double>(ns) / 1e9);
  }
  return text;
}

}  // namespace

void Monitor::start() {
  RuntimeOptions const& options = runtime_.options();
  rescue_after_ = options.rescue_after.count();
  warn_after_ = options.slow_turn_warning.count();
  if (rescue_after_ == 0 && warn_after_ == 0) return;
  if (warn_after_ != 0 && options.slow_turn_stack_signal != 0) {
    stack_.acquire(options.slow_turn_stack_signal);
  }
  std::int64_t const first = rescue_after_ == 0 ? warn_after_
                             : warn_after_ == 0 ? rescue_after_
                                                : std::min(rescue_after_, warn_after_);
  tick_ns_ = std::clamp<std::int64_t>(first / 2, 1'000'000, 5'000'000);
  watches_.resize(std::size_t{options.workers} + options.spare_workers_max);
  thread_ = std::thread([this] { run(); });
}

void Monitor::stop() noexcept {
  stopping_.store(true, memory_order_relaxed);  // ordered by bell
  ring();
  if (thread_.joinable()) thread_.join();
}

void Monitor::ring() noexcept {
  asleep_.store(false, memory_order_seq_cst);  // asleep: one waker is enough
  bell_.fetch_add(1, memory_order_release);    // bell
  futex_wake_one(bell_);
}

void Monitor::run() noexcept {
  pthread_setname_np(pthread_self(), (runtime_.options().name.substr(0, 11) + "-mon").c_str());
  WorkerLocal local;  // so that what is logged carries the runtime's time
  local.scheduler = &runtime_;
  current_worker = &local;
  // Real time on purpose: this is about threads that do not come back.
  Clock& real = *real_clock();
  while (!stopping_.load(memory_order_relaxed)) {                 // ordered by bell
    std::uint32_t const bell = bell_.load(memory_order_acquire);  // bell
    bool quiet = false;
    try {
      quiet = look(real.now().count());
    } catch (...) {
      log::error("spawned", "no memory to report a long turn");
    }
    if (quiet) {
      asleep_.store(true, memory_order_seq_cst);  // asleep
      if (runtime_.idle.all_parked()) futex_wait(bell_, bell);
      asleep_.store(false, memory_order_seq_cst);  // asleep
    } else {
      futex_wait(bell_, bell, tick_ns_);
    }
  }
  current_worker = nullptr;
}

// True: nothing ran since the last look, and nothing is left to do here.
bool Monitor::look(std::int64_t now) {
  std::uint64_t turns = 0;
  std::uint32_t const slots = runtime_.worker_slots();
  for (std::uint32_t i = 0; i < slots; ++i) {
    watch(i, now);
    turns += watches_[i].turns;
  }
  balance(now);
  bool const idle = turns == turns_seen_ && active_spares_ == 0 && blocked_count() == 0;
  turns_seen_ = turns;
  return idle && runtime_.idle.all_parked();
}

void Monitor::watch(std::uint32_t index, std::int64_t now) {
  Worker& worker = runtime_.worker(index);
  Watch& watch = watches_[index];
  Sight sight{.turns = worker.turns(),
              .step = worker.activity.step(),
              .id = worker.activity.id(),
              .count = worker.activity.count()};
  bool const same_turn =
      sight.step != nullptr && worker.turns() == sight.turns && sight.turns == watch.turns;
  bool const same_step = same_turn && sight.count == watch.count;
  if (!same_step) {
    if (!watch.warned.empty()) warn_over(index, watch, now);
    watch.count = sight.count;
    watch.step_since = now;
    watch.step_cpu = unknown;
    watch.next_warning = warn_after_;
  }
  if (!same_turn) {
    set_blocked(worker, watch, false);
    watch.turns = sight.turns;
    watch.turn_since = now;
    watch.turn_cpu = unknown;
    watch.next_question = 0;
    return;
  }
  std::int64_t turn = now - watch.turn_since;
  std::int64_t step = now - watch.step_since;
  longest_turn_ns_.store(std::max(longest_turn_ns(), turn), memory_order_relaxed);  // one writer
  std::int64_t const cpu = processor_time(worker.thread);
  if (watch.turn_cpu == unknown) watch.turn_cpu = cpu;
  if (watch.step_cpu == unknown) watch.step_cpu = cpu;
  bool const may_block = rescue_after_ != 0 && !watch.blocked && turn >= rescue_after_;
  bool const may_warn = same_step && warn_after_ != 0 && step >= watch.next_warning;
  if ((may_block || may_warn) && !is_stuck(worker, watch, now)) {
    turn = cpu - watch.turn_cpu;  // what it has waited for a processor does not count
    step = cpu - watch.step_cpu;
  }
  if (may_block && turn >= rescue_after_) set_blocked(worker, watch, true);
  serve(worker);
  if (may_warn && step >= watch.next_warning) warn(index, watch, sight, step);
}

// A long turn is spent in a call that blocks. Asking the kernel costs microseconds, so a thread
// that computes or waits for a processor is asked about less often than looked at.
bool Monitor::is_stuck(Worker const& worker, Watch& watch, std::int64_t now) const noexcept {
  if (now < watch.next_question) return false;
  if (!is_runnable(worker.thread_id())) return true;
  watch.next_question = now + 2 * tick_ns_;
  return false;
}

void Monitor::set_blocked(Worker& worker, Watch& watch, bool blocked) noexcept {
  if (watch.blocked == blocked) return;
  watch.blocked = blocked;
  std::uint32_t const count = blocked_count();
  // The count first, so that who sees it wrong sees it too large and looks in vain.
  if (blocked) blocked_.store(count + 1, memory_order_relaxed);  // one writer
  worker.set_blocked(blocked);
  if (!blocked) blocked_.store(count - 1, memory_order_relaxed);  // one writer
}

// A turn does not end: somebody should be awake who takes what waits there.
void Monitor::serve(Worker& worker) noexcept {
  bool waiting = worker.has_waiting();
  if (!waiting && worker.is_blocked() && !worker.timers.empty()) {
    worker.timers.stamp(runtime_.clock());
    waiting = worker.timers.next_deadline_ns() <= runtime_.clock().now().count();
  }
  if (waiting) (void)runtime_.idle.notify_one();
}

// As many workers shall be free to run as the runtime was given.
void Monitor::balance(std::int64_t now) {
  std::uint32_t const workers = runtime_.worker_count();
  std::uint32_t const slots = runtime_.worker_slots();
  std::uint32_t available = 0;
  for (std::uint32_t i = 0; i < slots; ++i) {
    Watch& watch = watches_[i];
    if (i >= workers && watch.retiring && runtime_.worker(i).is_dormant()) {
      watch.retiring = false;
      --active_spares_;
    } else if (watch.retiring) {
      retire(i);  // it may have missed the request, just before it parked
    }
    bool const takes_part = i < workers || (!runtime_.worker(i).is_dormant() && !watch.retiring);
    if (takes_part && !watch.blocked) ++available;
  }
  if (available <= workers) surplus_since_ = unknown;
  for (; available < workers; ++available) {
    if (!call_spare()) return;
  }
  if (available == workers) return;
  if (surplus_since_ == unknown) surplus_since_ = now;
  if (now - surplus_since_ < linger * rescue_after_) return;
  for (std::uint32_t i = slots; i-- > workers && available > workers;) {
    if (watches_[i].blocked || watches_[i].retiring || runtime_.worker(i).is_dormant()) continue;
    watches_[i].retiring = true;
    retire(i);
    --available;
  }
}

bool Monitor::call_spare() noexcept {
  std::uint32_t const slots = runtime_.worker_slots();
  for (std::uint32_t i = runtime_.worker_count(); i < slots; ++i) {
    Worker const& worker = runtime_.worker(i);
    if (worker.is_dormant()) return activate(i);
  }
  Worker const* const made = runtime_.add_spare();
  if (made != nullptr) return activate(made->index);
  if (runtime_.options().spare_workers_max == 0) return false;
  report("all " + std::to_string(slots - runtime_.worker_count()) +
         " spare workers are blocked too (RuntimeOptions::spare_workers_max); others must wait");
  return false;
}

bool Monitor::activate(std::uint32_t index) noexcept {
  Worker& worker = runtime_.worker(index);
  runtime_.idle.join(index);
  // Counted before it runs: who has seen its work done sees the rescue too.
  rescues_.store(rescues() + 1, memory_order_relaxed);  // one writer
  if (worker.thread.joinable()) {
    worker.activate();
  } else {
    try {
      worker.activate();
      worker.thread = std::thread([&worker] { worker.run(); });
    } catch (...) {
      worker.make_dormant();
      runtime_.idle.leave();
      rescues_.store(rescues() - 1, memory_order_relaxed);  // one writer
      report("a worker is blocked, and no thread for a spare worker can be started");
      return false;
    }
  }
  ++active_spares_;
  return true;
}

void Monitor::retire(std::uint32_t index) noexcept {
  runtime_.worker(index).ask_to_retire();
  if (!runtime_.idle.wake(index)) (void)runtime_.idle.notify_one();
}

// Of what may go on for long: once in ten seconds.
void Monitor::report(std::string const& text) noexcept {
  std::int64_t const now = real_clock()->now().count();
  if (now < next_report_) return;
  next_report_ = now + 10'000'000'000;
  log::error("spawned", text);
}

void Monitor::warn(std::uint32_t index, Watch& watch, Sight const& sight, std::int64_t for_ns) {
  bool const first = watch.warned.empty();
  watch.next_warning = std::max(watch.next_warning, for_ns) * warning_growth;
  watch.warned = sight.step->describe(*sight.step, sight.id);
  log::warn("spawned", watch.warned + " has been running for " + readable(for_ns) +
                           " without a break on worker " + std::to_string(index) +
                           ", which it blocks");
  if (first && stack_.is_acquired()) log_stack(runtime_.worker(index), watch, sight);
}

void Monitor::log_stack(Worker& worker, Watch const& watch, Sight const& sight) {
  if (!log::enabled(log::Level::warn, "spawned")) return;
  ThreadStack::Answer const answer = stack_.take(
      worker.thread, stack_patience,
      {.worker = &worker, .turns = sight.turns, .step = sight.step, .count = sight.count});
  log::warn("spawned",
            watch.warned + (answer.taken ? ": the stack of worker " : ": no stack of worker ") +
                std::to_string(worker.index) + (answer.taken ? ":" : ": ") + answer.text);
}

void Monitor::warn_over(std::uint32_t index, Watch& watch, std::int64_t now) {
  std::string const who = std::move(watch.warned);
  watch.warned.clear();
  log::warn("spawned", who + " ran for " + readable(now - watch.step_since) + " on worker " +
                           std::to_string(index));
}

}  // namespace spawned::detail
