// Options of a simulated run, and of a search.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

#include <spawned/runtime/simulation/faults.hpp>

namespace spawned {
[[nodiscard]] bool default_detect_cycles() noexcept;  // runtime.hpp
}

namespace spawned::simulation {

/// When virtual time moves.
enum class ClockMode : std::uint8_t {
  idle,         ///< only when nothing else can run
  adversarial,  ///< at any step, as if a processor were slow: timeouts race with what they limit
};

/// How the next unit of work is chosen. The seed alone decides what the first three do, so that any
/// of their runs can be repeated alone. The others enumerate: explore() only, in one process, and
/// best with ClockMode::idle, because time can move without end.
enum class Strategy : std::uint8_t {
  portfolio,      ///< the seed draws one: 30 % `random`, 50 % `pct` 2 or 3, 20 % a hurried clock
  random,         ///< any unit that can run, all alike
  pct,            ///< random priorities, and `depth` - 1 changes of them at random steps
  delay_bounded,  ///< every run with at most `depth` units passed over; FIFO otherwise
  exhaustive,     ///< every run, depth first
  /// The same without runs that differ only in the order of steps of actors that have nothing to do
  /// with each other. Sound if actors share nothing but messages; tasks may share anything.
  reduced,
};
[[nodiscard]] char const* to_string(Strategy strategy) noexcept;

/// What becomes of calls of the real world, which no seed decides: the real clock, sleeping
/// threads, new threads, sockets, random devices. Only a program that links
/// spawned::simulation_interpose knows of them; docs/design/simulation.md lists them.
enum class RealWorld : std::uint8_t {
  ignore,      ///< they happen
  warn,        ///< they happen, and each call site is logged once
  virtualise,  ///< clocks show virtual time, random numbers are drawn from the seed; the rest fails
  fail,        ///< the run ends after the present step with Outcome::real_world
};

struct Options {
  ClockMode clock = ClockMode::adversarial;
  /// Of the steps of an adversarial clock at which time moves to the next timer; 0 to 1. The
  /// portfolio draws its own for each seed, around this.
  double clock_share = 0.15;
  Strategy strategy = Strategy::portfolio;
  /// See Strategy; 1 to 100.
  unsigned depth = 3;
  /// A run that takes more steps has failed.
  std::uint64_t steps_max = 1'000'000;
  /// RuntimeOptions::detect_cycles of the simulated runtime. Without it a circle of requests is a
  /// deadlock, or takes as long as their time limits.
  bool detect_cycles = default_detect_cycles();
  /// What is made to go wrong.
  Faults faults;
  /// An actor that crashes when nobody waits for an answer, nor for its end, fails the run.
  /// InjectedCrash does not.
  bool crash_is_failure = true;
  /// An actor that ends unasked, by itself or by a crash, and leaves mail unread fails the run.
  bool unread_is_failure = false;
  /// So does, when the program has ended and who can go on has, each by itself: a timer of
  /// send_after() or send_interval() that is armed;
  bool armed_timer_is_failure = false;
  /// an actor or a task that lives;
  bool living_is_failure = false;
  /// a request that is awaited though nothing can run any more and no timer is armed: nobody will
  /// answer it. For this the program runs on, for 10,000 steps at most.
  bool unanswered_is_failure = false;
  /// Memory from the library's pools that the run has taken and, when its runtime is gone, not
  /// given back fails the run: coroutines, messages, actors, replies, of which something outside of
  /// the runtime keeps a handle. Slows allocation down.
  bool memory_is_failure = false;
  /// Keep what happens, in Report::events. Costs some hundred nanoseconds a step.
  bool trace = false;
  RealWorld real_world = RealWorld::fail;

  /// Of the scenario: SPAWNED_SIM_REPLAY finds it by this.
  std::string name = "simulation";
  /// Where traces go that are too long for a line; empty: to SPAWNED_SIM_TRACE_DIR, or nowhere.
  std::string trace_directory;
  /// Replay a trace of another build all the same, as far as it fits. SPAWNED_SIM_ANY_BUILD=1 does
  /// that from outside.
  bool any_build = false;
  /// How far explore() looks for a simpler run that fails alike.
  std::uint64_t shrink_runs = 5000;
  std::chrono::nanoseconds shrink_time = std::chrono::seconds(20);  ///< real
};

/// An option out of range, or one that does not fit the call.
class InvalidSimulation : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

}  // namespace spawned::simulation
