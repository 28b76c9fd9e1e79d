// simulation::test(): what a simulated test calls, whatever the test framework.
// simulation/test_case.hpp has a macro above it.
#pragma once

#include <string_view>

#include <spawned/runtime/simulation.hpp>

namespace spawned::simulation {

/// Explores `program`, as explore() does; with SPAWNED_SIM_REAL=1 in the environment it runs it
/// once on a real runtime instead, with as many workers as there are processors. Time is virtual
/// there, too: it moves to the next timer when all workers are idle.
///
/// `name` is for reports. Findings::passed() is the verdict and Findings::to_string() the reason.
///
/// Errors   as explore(). A real run that does not end within a minute is a deadlock.
/// Threads  real runs one at a time, for the sake of their checks and marks.
/// Example  docs/guide/testing.md
[[nodiscard]] Findings test(std::string_view name, ExploreOptions const& options,
                            Program const& program);

/// SPAWNED_SIM_REAL says that tests run on a real runtime: it is set, and neither empty nor "0".
[[nodiscard]] bool tests_run_for_real() noexcept;

/// What test() does with SPAWNED_SIM_REAL.
[[nodiscard]] Findings run_for_real(Program const& program);

}  // namespace spawned::simulation
