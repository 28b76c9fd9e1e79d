#include "simulation/check_options.hpp"

#include <string>

namespace spawned::simulation {

void check_options(Options const& options) {
  if (!(options.clock_share >= 0 && options.clock_share <= 1)) {
    throw InvalidSimulation("simulation::Options::clock_share is " +
                            std::to_string(options.clock_share) + "; allowed: 0 to 1");
  }
  if (options.steps_max == 0) {
    throw InvalidSimulation("simulation::Options::steps_max is 0; allowed: 1 and more");
  }
  if (options.depth == 0 || options.depth > 100) {
    throw InvalidSimulation("simulation::Options::depth is " + std::to_string(options.depth) +
                            "; allowed: 1 to 100");
  }
}

void check_options(ExploreOptions const& options) {
  check_options(static_cast<Options const&>(options));
  if (options.jobs > jobs_most) {
    throw InvalidSimulation("simulation::ExploreOptions::jobs is " + std::to_string(options.jobs) +
                            "; allowed: 0 to " + std::to_string(jobs_most));
  }
  if (options.time_budget < std::chrono::nanoseconds::zero()) {
    throw InvalidSimulation("simulation::ExploreOptions::time_budget is " +
                            std::to_string(options.time_budget.count()) +
                            " ns; allowed: 0, which is none, and more");
  }
}

}  // namespace spawned::simulation
