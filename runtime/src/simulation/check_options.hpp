#pragma once

#include <spawned/runtime/simulation/options.hpp>

namespace spawned::simulation {

/// Errors: InvalidSimulation for an option out of range.
void check_options(Options const& options);

}  // namespace spawned::simulation
