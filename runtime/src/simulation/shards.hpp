// Shards: the seeds of a search in several processes, each a copy of the calling one.
//
// The processes claim seeds, in order, from a counter in shared memory, and write the hash of each
// run into a pipe, which the calling process reads. A seed that fails, or kills its process, is
// noted in `first_failed`, and nobody claims a seed beyond the smallest of these. All smaller ones
// have been claimed by then and are run to their end: so it is the same seed however many run.
//
// Orderings. All in shared memory is relaxed: `next` and `first_failed` are decided by one word
// each, and the rest is read after its writer has ended, or for display.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <spawned/runtime/simulation.hpp>

#include "simulation/tally.hpp"

namespace spawned::simulation {

struct ShardsResult {
  std::uint64_t steps = 0;
  /// Counted from the first seed.
  std::optional<std::uint64_t> failed;
  std::string crash;  ///< how `failed` killed its process, for people; empty if it only failed
};

/// Errors: std::system_error.
[[nodiscard]] ShardsResult run_shards(ExploreOptions const& options, Program const& program,
                                      Tally& tally);

/// Threads of this process.
[[nodiscard]] unsigned count_threads();

}  // namespace spawned::simulation
