// What a program may say to the simulation that it runs in. On a real runtime all of it does
// something sensible, so that it can stay in the program.
#pragma once

#include <cstdint>
#include <string_view>

namespace spawned::simulation {

/// The calling thread runs in a simulation.
[[nodiscard]] bool active() noexcept;

/// A decision for the simulation to explore: 0 to n - 1, of which 0 is the boring one: the simplest
/// run that a search reports has 0 wherever it can. On a real runtime it is random.
/// Errors  std::invalid_argument for n = 0.
std::uint32_t choose(std::uint32_t n);

/// A coverage mark: tells that the program came here, and whether `condition` held. A search sums
/// the marks over its runs (Findings::marks) and reports those that never held: a test that never
/// reaches what it is about proves little. On a real runtime they are summed in test(), and
/// ignored elsewhere.
///
/// Threads  any.
/// Cost     on a real runtime, outside of test(): 2 ns.
void sometimes(bool condition, std::string_view mark);

/// A line for the story of the run. On a real runtime it is logged, at level debug.
void remark(std::string_view text) noexcept;

}  // namespace spawned::simulation
