// Options of a simulated run, and of a search.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace spawned::simulation {

/// When virtual time moves.
enum class ClockMode : std::uint8_t {
  idle,         ///< only when nothing else can run
  adversarial,  ///< at any step, as if a processor were slow: timeouts race with what they limit
};

/// How the next unit of work is chosen.
enum class Strategy : std::uint8_t {
  portfolio,      ///< one of `random` and `pct` with parameters drawn from the seed
  random,         ///< any unit that can run, all alike
  pct,            ///< random priorities, and `depth` - 1 changes of them at random steps
  delay_bounded,  ///< explore() only: every run with at most `depth` units passed over
  exhaustive,     ///< explore() only: every run, depth first
};
[[nodiscard]] char const* to_string(Strategy strategy) noexcept;

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
  /// Keep what happens, in Report::events. Costs some hundred nanoseconds a step.
  bool trace = false;

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
