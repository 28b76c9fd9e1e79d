#pragma once

#include <spawned/runtime/simulation/options.hpp>
#include <spawned/runtime/simulation/search.hpp>

namespace spawned::simulation {

/// Errors: InvalidSimulation for an option out of range.
void check_options(Options const& options);
void check_options(ExploreOptions const& options);
inline constexpr unsigned jobs_most = 256;

}  // namespace spawned::simulation
