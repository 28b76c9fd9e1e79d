#include <spawned/runtime/simulation/test.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/runtime.hpp>

#include "scheduler/scheduler.hpp"
#include "simulation/checks.hpp"
#include "simulation/describe.hpp"

namespace spawned::simulation {

namespace {

constexpr std::chrono::minutes patience(1);

// How the program on the real runtime has ended.
struct End {
  std::mutex mutex;  // guards all below
  std::condition_variable changed;
  bool ended = false;
  std::exception_ptr exception;
};

Task<void> tell_the_end(Task<void> program, End& end) {
  std::exception_ptr exception;
  try {
    co_await std::move(program);
  } catch (...) {
    exception = std::current_exception();
  }
  std::scoped_lock const lock(end.mutex);
  end.ended = true;
  end.exception = exception;
  end.changed.notify_all();
}

RuntimeOptions with_virtual_time() {
  RuntimeOptions options;
  options.clock = std::make_shared<ManualClock>(ManualClock::Mode::auto_advance);
  return options;
}

// Makes the program on a worker, as a simulation does.
Task<void> make_and_run(Program const& program) { co_await program(); }

}  // namespace

bool tests_run_for_real() noexcept {
  char const* const text = std::getenv("SPAWNED_SIM_REAL");
  return text != nullptr && *text != '\0' && std::string_view(text) != "0";
}

Findings run_for_real(Program const& program) {
  static std::mutex one_at_a_time;
  std::scoped_lock const turn(one_at_a_time);
  Findings findings;
  findings.runs = 1;
  Report& report = findings.report;
  report.strategy = "on a real runtime";
  RealRun const run;
  End end;
  {
    Runtime runtime(with_virtual_time());
    auto const handle = runtime.spawn(tell_the_end(make_and_run(program), end));
    std::unique_lock lock(end.mutex);
    if (!end.changed.wait_for(lock, patience, [&end] { return end.ended; })) {
      report.outcome = Outcome::deadlock;
      report.problem = "the program has not ended within a minute on a real runtime; there are:";
      for (std::string const& name : runtime.scheduler().living.describe(20)) {
        report.problem += "\n  " + name;
      }
    }
  }
  findings.marks = run.marks();
  report.marks = findings.marks;
  if (!report.passed()) return findings;
  report.problem = run.problem();
  if (!report.problem.empty()) {
    report.outcome = Outcome::violated;
  } else if (end.exception != nullptr) {
    report.outcome = Outcome::failed;
    report.problem = what_of(end.exception);
  }
  if (!report.passed()) report.problem += " (on a real runtime)";
  return findings;
}

Findings test(std::string_view name, ExploreOptions const& options, Program const& program) {
  if (tests_run_for_real()) return run_for_real(program);
  ExploreOptions named = options;
  named.name = name;
  return explore(named, program);
}

}  // namespace spawned::simulation
