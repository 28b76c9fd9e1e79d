// What environment variables say about a search.
#pragma once

#include <spawned/runtime/simulation/search.hpp>

namespace spawned::simulation {

/// Writes SPAWNED_SIM_* into `options`. True: the jobs are from there.
/// Errors: InvalidSimulation naming the variable.
bool apply_environment(ExploreOptions& options);

}  // namespace spawned::simulation
