// simulation: a program under a deterministic runtime. The seed decides everything.
//
// docs/design/simulation.md says what is simulated, and what not yet.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <spawned/runtime/simulation/options.hpp>
#include <spawned/runtime/simulation/program.hpp>
#include <spawned/runtime/simulation/report.hpp>
#include <spawned/runtime/simulation/scenario.hpp>
#include <spawned/runtime/simulation/search.hpp>

namespace spawned::simulation {

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

/// What explore() has found.
struct Findings {
  std::uint64_t runs = 0;   ///< until the failure, or in all
  std::uint64_t steps = 0;  ///< in all of them
  Coverage coverage;
  /// The first run that failed, or the last that passed.
  Report report;
  /// If it failed: the same failure with as few other than boring choices as were found.
  Report shrunk;
  std::uint64_t shrink_runs = 0;  ///< that it took to find it
  /// Of `shrunk`, as it goes into SPAWNED_SIM_REPLAY: "@file" if it was written to one.
  std::string trace;
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
/// the same way: with fewest choices that are not boring, then fewest steps. Of several seeds that
/// fail it is the smallest, however many processes run them.
///
/// If SPAWNED_SIM_REPLAY names Options::name, only that run is run, and its story is written to
/// stderr; the failure text says the command.
///
/// Errors   InvalidSimulation, also for environment variables; std::system_error if a process
///          cannot be made; InvalidTrace and TraceMismatch (simulation/replay.hpp);
///          NotDeterministic if a failure does not repeat.
[[nodiscard]] Findings explore(ExploreOptions const& options, Program const& program);
[[nodiscard]] inline Findings explore(Program const& program) {
  return explore(ExploreOptions(), program);
}

/// Writes what explore() has found into files of `directory`, which it makes, named by the
/// scenario: .txt, the text with the whole story; .mmd, a Mermaid diagram; .json, for Perfetto;
/// .trace. Returns their paths. Errors: std::system_error.
std::vector<std::string> write_report(Findings const& findings, std::string const& directory);

/// Runs a seed twice, with blocks of memory in opposite orders of their addresses. Errors:
/// NotDeterministic, with the first step that differs.
void check_determinism(std::uint64_t seed, Options const& options, Program const& program);
inline void check_determinism(std::uint64_t seed, Program const& program) {
  check_determinism(seed, Options(), program);
}

}  // namespace spawned::simulation
