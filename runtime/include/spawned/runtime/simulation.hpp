// simulation: a program under a deterministic runtime. One thread; the seed decides everything.
//
// docs/design/simulation.md says what is simulated, and what not yet.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <spawned/runtime/task.hpp>

namespace spawned::simulation {

/// When virtual time moves.
enum class ClockMode : std::uint8_t {
  idle,         ///< only when nothing else can run
  adversarial,  ///< at any step, too, as if a processor were slow: timeouts race with what they
                ///< limit
};

/// What becomes of calls of the real world, which no seed decides: the real clock, sleeping threads,
/// new threads, sockets, random devices. Only a program that links spawned::simulation_interpose
/// knows of them; docs/design/simulation.md lists them.
enum class RealWorld : std::uint8_t {
  ignore,      ///< they happen
  warn,        ///< they happen, and each call site is logged once
  virtualise,  ///< clocks show virtual time, random numbers are drawn from the seed; the rest fails
  fail,        ///< the run ends after the present step with Outcome::real_world
};

struct Options {
  ClockMode clock = ClockMode::adversarial;
  /// Of the steps of an adversarial clock at which time moves to the next timer; 0 to 1.
  double clock_share = 0.15;
  /// A run that takes more steps has failed.
  std::uint64_t steps_max = 1'000'000;
  /// Keep what happened as text, in Report::story. Costs some hundred nanoseconds a step.
  bool story = false;
  RealWorld real_world = RealWorld::fail;
};

enum class Outcome : std::uint8_t {
  passed,
  failed,      ///< an exception left the program
  deadlock,    ///< nothing can run any more, and the program has not ended
  step_limit,  ///< Options::steps_max
  stuck_end,   ///< the program has ended, but something that it left behind does not end
  real_world,  ///< it has called the real world: see RealWorld
};
[[nodiscard]] char const* to_string(Outcome outcome) noexcept;

/// What a run was like.
struct Report {
  Outcome outcome = Outcome::passed;
  std::string problem;  ///< what failed, for people; empty if it passed
  std::uint64_t seed = 0;
  std::uint64_t steps = 0;
  std::uint64_t hash = 0;            ///< of all that happened: equal runs have equal hashes
  std::chrono::nanoseconds time{0};  ///< virtual, from the start
  /// What was chosen where there was a choice; 0 is the boring one. replay() repeats it.
  std::vector<std::uint32_t> choices;
  std::vector<std::string> story;  ///< see Options::story

  [[nodiscard]] bool passed() const noexcept { return outcome == Outcome::passed; }
};

/// Makes the task that is simulated; called once for each run.
using Program = std::function<Task<void>()>;

/// An option out of range.
class InvalidSimulation : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

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
/// wrong
///          in the program is in the Report.
/// Threads  several simulations may run at once, each on its own thread.
/// Limits   blocking jobs and actors with a thread of their own run on real threads and are not
///          deterministic yet; nor is I/O.
/// Example  tests/runtime/simulation_test.cpp
[[nodiscard]] Report run(std::uint64_t seed, Program const& program, Options const& options = {});

/// Repeats a run from what it has chosen; beyond the end of `choices` everything is boring.
[[nodiscard]] Report replay(std::vector<std::uint32_t> const& choices, Program const& program,
                            Options const& options = {});

/// What explore() has found.
struct Findings {
  std::uint64_t seeds = 0;  ///< tried
  std::uint64_t steps = 0;  ///< in all of them
  /// The first run that failed, or the last that passed.
  Report report;
  /// If it failed: the same failure with as few other than boring choices as were found.
  Report shrunk;

  [[nodiscard]] bool passed() const noexcept { return report.passed(); }
  /// For people: the failure, how to repeat it, and the story of the shrunk run.
  [[nodiscard]] std::string to_string() const;
};

/// Runs `seeds` seeds from `first` on, until one fails; then looks for the simplest run that fails
/// in the same way. The share of an adversarial clock is drawn anew for each seed.
[[nodiscard]] Findings explore(std::uint64_t seeds, Program const& program,
                               Options const& options = {}, std::uint64_t first = 1);

/// Runs a seed twice, with blocks of memory in opposite orders of their addresses. Errors:
/// NotDeterministic, with the first step that differs.
void check_determinism(std::uint64_t seed, Program const& program, Options const& options = {});

}  // namespace spawned::simulation
