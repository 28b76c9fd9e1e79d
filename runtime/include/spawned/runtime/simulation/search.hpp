// What a search is told beside the options of its runs, and what it says about itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include <spawned/runtime/simulation/options.hpp>

namespace spawned::simulation {

/// Whether a search shows on stderr how far it is.
enum class Progress : std::uint8_t { never, on_a_terminal, always };

/// What a search does beside running seeds.
///
/// Environment variables win over these, in explore() only; a value that is none is
/// InvalidSimulation and named:
///   SPAWNED_SIM_SEED         first_seed; and just this one, unless SPAWNED_SIM_SEEDS is set, too
///   SPAWNED_SIM_SEEDS        seeds
///   SPAWNED_SIM_STRATEGY     strategy: portfolio, random, pct, delay_bounded, exhaustive, reduced
///   SPAWNED_SIM_JOBS         jobs; ignored where processes cannot be made
///   SPAWNED_SIM_TIME_BUDGET  time_budget in seconds: 30, 0.5
struct ExploreOptions : Options {
  std::uint64_t seeds = 1000;  ///< runs at most
  std::uint64_t first_seed = 1;
  /// Real time after which no run begins any more; 0: none.
  std::chrono::nanoseconds time_budget{0};
  /// So many runs in a row without an interleaving not seen before end the search; 0: none do.
  std::uint64_t saturated_after = 0;
  /// Processes that share the seeds; 0: as many as there are processors; at most 256. A process
  /// starts as a copy of this one, so what a program keeps in statics does not pass from one to the
  /// other, and a run that kills its process is a finding. The calling process must have no other
  /// threads. What enumerates runs in this process.
  unsigned jobs = 1;
  Progress progress = Progress::on_a_terminal;
  /// A mark that sometimes() has never hit in any run is a failure. Needs jobs = 1: marks do not
  /// pass from one process to the other.
  bool marks_required = false;
};

/// A point of the curve of a search.
struct Growth {
  std::uint64_t runs = 0;
  std::uint64_t distinct = 0;  ///< interleavings until then
};

/// What a search has covered.
struct Coverage {
  std::uint64_t distinct = 0;  ///< interleavings: different values of Report::hash
  /// At 1, 2, 4, ... runs, and at the end: where it is flat, more seeds find little.
  std::vector<Growth> curve;
  /// Every run that the strategy knows of was tried: of those that enumerate.
  bool complete = false;
  /// Of Strategy::reduced: runs that were given up because they repeat others.
  std::uint64_t cut = 0;
  bool saturated = false;               ///< ended by ExploreOptions::saturated_after
  unsigned jobs = 1;                    ///< processes that ran
  std::chrono::nanoseconds elapsed{0};  ///< real
};

}  // namespace spawned::simulation
