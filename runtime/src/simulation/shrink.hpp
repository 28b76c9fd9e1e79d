// Shrinking: the simplest run that fails in the same way.
#pragma once

#include <cstdint>
#include <vector>

#include <spawned/runtime/simulation.hpp>

namespace spawned::simulation {

struct Shrunk {
  Report report;  ///< of the simplest run; of the given one if none is simpler
  std::uint64_t runs = 0;
};

/// Looks for fewer choices that are not boring, then for fewer steps, then for smaller choices,
/// within options.shrink_runs and options.shrink_time. Says on stderr how far it is, if it takes
/// long.
[[nodiscard]] Shrunk shrink(Report failed, Options const& options, Program const& program);

/// The choices that are not boring: switches, faults.
[[nodiscard]] std::size_t interesting(std::vector<std::uint32_t> const& choices) noexcept;

/// Both failed, and their problems are alike but for numbers.
[[nodiscard]] bool same_failure(Report const& one, Report const& other);

}  // namespace spawned::simulation
