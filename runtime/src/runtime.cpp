#include <spawned/runtime/runtime.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <sched.h>
#include <unistd.h>

#include <spawned/runtime/log.hpp>

#include "scheduler/scheduler.hpp"

namespace spawned {

bool default_detect_cycles() noexcept {
#ifdef NDEBUG
  return false;
#else
  return true;
#endif
}

namespace {

// The processors a container's quota pays for, rounded up; 0 when there is no quota.
unsigned quota_processors() {
  std::ifstream v2("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (v2 >> quota >> period && quota != "max" && period > 0) {
    return static_cast<unsigned>((std::stod(quota) + period - 1) / period);
  }
  std::ifstream v1_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream v1_period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double allowed = 0;
  if (v1_quota >> allowed && v1_period >> period && allowed > 0 && period > 0) {
    return static_cast<unsigned>((allowed + period - 1) / period);
  }
  return 0;
}

constexpr unsigned workers_most = 256;
constexpr unsigned blocking_most = 10'000;
constexpr unsigned spares_most = 1024;
constexpr auto spin_most = std::chrono::milliseconds(10);
constexpr auto longest_wait = std::chrono::hours(24 * 365);

void check_count(char const* field, unsigned value, unsigned most) {
  if (value < 1 || value > most) {
    throw InvalidOptions("RuntimeOptions", field, "1 to " + std::to_string(most),
                         std::to_string(value));
  }
}

void check_duration(char const* field, std::chrono::nanoseconds value,
                    std::chrono::nanoseconds most, char const* allowed) {
  if (value < std::chrono::nanoseconds::zero() || value > most) {
    throw InvalidOptions("RuntimeOptions", field, allowed, std::to_string(value.count()) + " ns");
  }
}

void check_stack_signal(int signal) {
  if (signal == 0 || (signal >= SIGRTMIN && signal <= SIGRTMAX)) return;
  throw InvalidOptions("RuntimeOptions", "slow_turn_stack_signal",
                       "0, or SIGRTMIN to SIGRTMAX (" + std::to_string(SIGRTMIN) + " to " +
                           std::to_string(SIGRTMAX) + ")",
                       std::to_string(signal));
}

RuntimeOptions checked(RuntimeOptions options) {
  check_count("blocking_threads_max", options.blocking_threads_max, blocking_most);
  check_duration("spin", options.spin, spin_most, "0 to 10 ms");
  check_duration("blocking_keep_alive", options.blocking_keep_alive, longest_wait, "0 to 365 days");
  check_duration("shutdown_timeout", options.shutdown_timeout, longest_wait, "0 to 365 days");
  check_duration("rescue_after", options.rescue_after, longest_wait, "0 to 365 days");
  check_duration("slow_turn_warning", options.slow_turn_warning, longest_wait, "0 to 365 days");
  if (options.spare_workers_max > spares_most) {
    throw InvalidOptions("RuntimeOptions", "spare_workers_max",
                         "0 to " + std::to_string(spares_most),
                         std::to_string(options.spare_workers_max));
  }
  check_stack_signal(options.slow_turn_stack_signal);
  if (options.clock == nullptr) options.clock = real_clock();
  return options;
}

}  // namespace

unsigned default_worker_count() noexcept {
  unsigned count = 0;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) count = static_cast<unsigned>(CPU_COUNT(&set));
  try {
    if (unsigned const quota = quota_processors(); quota != 0) count = std::min(count, quota);
  } catch (...) {
    // An unreadable quota file: the affinity is all we know.
  }
  return std::clamp(count, 1U, workers_most);
}

InvalidOptions::InvalidOptions(std::string const& options, std::string field, std::string allowed,
                               std::string const& given)
    : std::invalid_argument(options + "::" + field + " is " + given + "; allowed: " + allowed),
      field_(std::move(field)),
      allowed_(std::move(allowed)) {}

Runtime::Runtime(RuntimeOptions options) {
  check_count("workers", options.workers, workers_most);
  if (detail::Simulated* const driver = detail::simulate_next_runtime()) {
    options = checked(std::move(options));
    make_driven({driver}, std::move(options));
    return;
  }
  scheduler_.reset(new detail::Scheduler(checked(std::move(options))));
}

Runtime::Runtime(detail::NoWorkers /*tag*/, RuntimeOptions options) {
  options.workers = 0;
  if (detail::Simulated* const driver = detail::simulate_next_runtime()) {
    make_driven({driver, false}, std::move(options));
    return;
  }
  scheduler_.reset(new detail::Scheduler(checked(std::move(options))));
}

Runtime::Runtime(detail::Driven tag, RuntimeOptions options) {
  make_driven(tag, std::move(options));
}

void Runtime::make_driven(detail::Driven tag, RuntimeOptions options) {
  options.workers = 1;
  options.spare_workers_max = 0;
  options.pin_workers = false;
  options.rescue_after = options.slow_turn_warning = std::chrono::nanoseconds(0);
  if (options.clock == nullptr || !options.clock->is_virtual()) options.clock = tag.driver->clock();
  scheduler_.reset(new detail::Scheduler(checked(std::move(options)), tag.driver, tag.has_workers));
  tag.driver->attach(*scheduler_);
}

Runtime::~Runtime() = default;

void Runtime::Delete::operator()(detail::Scheduler* scheduler) const noexcept {
  if (scheduler->own_worker() != nullptr) {
    log::error("spawned",
               "a Runtime was destroyed by one of its own workers, which would wait for itself: "
               "destroy it from the thread that made it");
    std::fputs("spawned: a Runtime was destroyed by one of its own workers\n", stderr);
    std::abort();
  }
  detail::Simulated* const driver = scheduler->driver();
  delete scheduler;
  if (driver != nullptr) driver->runtime_ended();
}

bool Runtime::shutdown() {
  if (scheduler_->own_worker() != nullptr) throw BlockingInWorker("Runtime::shutdown");
  return scheduler_->shut_down({.deadline = scheduler_->options().shutdown_timeout}).in_time;
}

ShutdownReport Runtime::shutdown(ShutdownOptions options) {
  if (scheduler_->own_worker() != nullptr) throw BlockingInWorker("Runtime::shutdown");
  if (options.deadline < std::chrono::nanoseconds::zero()) {
    throw InvalidOptions("ShutdownOptions", "deadline", "not negative",
                         std::to_string(options.deadline.count()) + " ns");
  }
  return scheduler_->shut_down(options);
}

RuntimeCounters Runtime::counters() const { return scheduler_->counters(); }
Clock& Runtime::clock() const noexcept { return scheduler_->clock(); }
unsigned Runtime::worker_count() const noexcept { return scheduler_->worker_count(); }

}  // namespace spawned
