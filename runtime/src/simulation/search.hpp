// The loops behind explore(): over seeds, in this process or in several, and over what a tree
// enumerates. Finds the first failure; making it simple is explore()'s.
#pragma once

#include <spawned/runtime/simulation.hpp>

#include "simulation/running.hpp"

namespace spawned::simulation {

/// Errors: as explore().
[[nodiscard]] Findings search(ExploreOptions options, Program const& program);

}  // namespace spawned::simulation
