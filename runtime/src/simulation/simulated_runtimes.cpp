#include <spawned/runtime/simulation/simulated_runtimes.hpp>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <utility>
#include <vector>

#include <spawned/runtime/log.hpp>

#include "simulation/check_options.hpp"
#include "simulation/choosers.hpp"
#include "simulation/driver.hpp"

namespace spawned::simulation {

struct SimulatedRuntimes::State {
  std::uint64_t seed;
  Options options;
  std::vector<std::unique_ptr<Driver>> drivers;  // of the runtimes that live
  std::shared_ptr<SimulatedClock> clock = std::make_shared<SimulatedClock>();
  std::uint64_t made = 0;
  std::uint64_t hash = 0;
  std::uint64_t steps = 0;
};

namespace {

constinit thread_local SimulatedRuntimes::State* here = nullptr;

// For programs that were not written to be simulated.
Options gentle() {
  Options options;
  options.clock = ClockMode::idle;
  options.strategy = Strategy::random;
  options.steps_max = 1'000'000'000;
  return options;
}

void forget(Driver& driver) noexcept {
  here->hash = here->hash * 31 + driver.hash();
  here->steps += driver.steps();
  std::erase_if(here->drivers, [&driver](auto const& each) { return each.get() == &driver; });
  detail::simulated = here->drivers.empty() ? nullptr : here->drivers.back().get();
}

}  // namespace

SimulatedRuntimes::SimulatedRuntimes(std::uint64_t seed) : SimulatedRuntimes(seed, gentle()) {}

SimulatedRuntimes::SimulatedRuntimes(std::uint64_t seed, Options const& options) {
  check_options(options);
  if (here != nullptr) {
    throw std::logic_error("simulation::SimulatedRuntimes: this thread has one already");
  }
  state_ = std::make_unique<State>();
  state_->seed = seed;
  state_->options = options;
  // There is no report that could say it.
  RealWorld& real_world = state_->options.real_world;
  if (real_world == RealWorld::fail) real_world = RealWorld::warn;
  here = state_.get();
}

SimulatedRuntimes::~SimulatedRuntimes() { here = nullptr; }

std::uint64_t SimulatedRuntimes::hash() const noexcept { return state_->hash; }
std::uint64_t SimulatedRuntimes::steps() const noexcept { return state_->steps; }

bool run_another_runtime(Driver const& but, bool may_move_time) {
  if (here == nullptr) return false;
  for (std::size_t i = 0; i < here->drivers.size(); ++i) {
    if (here->drivers[i].get() != &but && here->drivers[i]->run_a_step(may_move_time)) return true;
  }
  return false;
}

std::int64_t earliest_timer_ns(Driver const& driver) noexcept {
  std::int64_t earliest = driver.next_timer_ns();
  if (here == nullptr) return earliest;
  for (auto const& each : here->drivers) {
    if (each->shares_clock_with(driver)) earliest = std::min(earliest, each->next_timer_ns());
  }
  return earliest;
}

}  // namespace spawned::simulation

namespace spawned::detail {

Simulated* simulate_next_runtime() {
  using namespace simulation;
  if (here == nullptr || current_worker != nullptr) return nullptr;
  auto driver = std::make_unique<Driver>(
      here->options, make_chooser(here->seed + 0x9e3779b9U * here->made++, here->options),
      here->clock);
  driver->on_end = &forget;
  here->drivers.push_back(std::move(driver));
  simulated = here->drivers.back().get();
  return simulated;
}

}  // namespace spawned::detail
