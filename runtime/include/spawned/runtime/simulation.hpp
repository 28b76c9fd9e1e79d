// simulation: a program under a deterministic runtime. The seed decides everything.
//
// docs/design/simulation.md says what is simulated, and what not yet.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <spawned/runtime/simulation/options.hpp>
#include <spawned/runtime/simulation/report.hpp>
#include <spawned/runtime/task.hpp>

namespace spawned::simulation {

/// Makes the task that is simulated; called once for each run.
using Program = std::function<Task<void>()>;

/// Two runs from one seed differed: something besides the seed decides.
class NotDeterministic : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Runs `program` to its end on the calling thread: which unit of work runs next, and when time
/// moves, follows from `seed`. What it leaves behind is cancelled and run to its end, too.
///
/// The program is what runs on a real runtime, unchanged: actors, requests, timers, tasks,
/// channels.
///
/// Errors   InvalidSimulation; BlockingInWorker on a thread that works for a runtime. What goes
///          wrong in the program is in the Report.
/// Threads  several simulations may run at once, each on its own thread.
/// Example  tests/runtime/simulation_test.cpp
[[nodiscard]] Report run(std::uint64_t seed, Options const& options, Program const& program);
[[nodiscard]] inline Report run(std::uint64_t seed, Program const& program) {
  return run(seed, Options(), program);
}

/// Repeats a run from what it has chosen; beyond the end of `choices` everything is boring.
[[nodiscard]] Report replay(std::vector<std::uint32_t> const& choices, Options const& options,
                            Program const& program);
[[nodiscard]] inline Report replay(std::vector<std::uint32_t> const& choices,
                                   Program const& program) {
  return replay(choices, Options(), program);
}

/// What a search does beside running seeds.
struct ExploreOptions : Options {
  std::uint64_t seeds = 1000;  ///< runs at most
  std::uint64_t first_seed = 1;
  /// A mark that sometimes() has never hit in any run is a failure.
  bool marks_required = false;
};

/// What explore() has found.
struct Findings {
  std::uint64_t runs = 0;   ///< until the failure, or in all
  std::uint64_t steps = 0;  ///< in all of them
  /// The first run that failed, or the last that passed.
  Report report;
  /// If it failed: the same failure with as few other than boring choices as were found.
  Report shrunk;
  std::vector<Mark> marks;  ///< of all runs together
  bool marks_required = false;

  /// The marks that were never hit.
  [[nodiscard]] std::vector<std::string> missed() const;
  [[nodiscard]] bool passed() const {
    return report.passed() && (!marks_required || missed().empty());
  }
  /// For people: the failure, how to repeat it, and the story of the shrunk run.
  [[nodiscard]] std::string to_string() const;
};

/// Runs seeds from `first_seed` on, until one fails; then looks for the simplest run that fails in
/// the same way.
[[nodiscard]] Findings explore(ExploreOptions const& options, Program const& program);
[[nodiscard]] inline Findings explore(Program const& program) {
  return explore(ExploreOptions(), program);
}

/// Runs a seed twice, with blocks of memory in opposite orders of their addresses. Errors:
/// NotDeterministic, with the first step that differs.
void check_determinism(std::uint64_t seed, Options const& options, Program const& program);
inline void check_determinism(std::uint64_t seed, Program const& program) {
  check_determinism(seed, Options(), program);
}

}  // namespace spawned::simulation
