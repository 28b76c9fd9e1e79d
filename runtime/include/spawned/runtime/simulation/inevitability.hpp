// Inevitability: after which choice of a failing run the failure had become likely.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <spawned/runtime/simulation/options.hpp>
#include <spawned/runtime/simulation/report.hpp>
#include <spawned/runtime/simulation/scenario.hpp>

namespace spawned::simulation {

struct Inevitability {
  struct Point {
    std::size_t kept = 0;    ///< so many first choices of the failing run; the rest is random
    double probability = 0;  ///< that such a run fails in the same way
  };
  std::vector<Point> points;  ///< by `kept`; with all choices kept it is 1
  unsigned runs_per_point = 0;
  /// The choice after which the probability had grown most, as points[turn]; 0 if it grew nowhere.
  std::size_t turn = 0;
  /// The step that followed from that choice, a line of the story.
  std::string step;

  /// "0.17 -> 0.97 at choice 3: ...", and the curve, a line for each point.
  [[nodiscard]] std::string to_string() const;
};

/// Keeps the first choices of `failed`, draws the others at random, and counts how many runs fail
/// like it; for every number of choices, or for about fifty if there are more, with every one
/// around the steepest rise.
///
/// Errors   InvalidSimulation if `failed` has passed, or for no runs; what run() throws.
/// Cost     runs_per_point runs for each point.
[[nodiscard]] Inevitability inevitability(Report const& failed, Options const& options,
                                          Program const& program, unsigned runs_per_point = 200);

}  // namespace spawned::simulation
