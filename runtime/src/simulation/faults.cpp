#include <spawned/runtime/simulation/faults.hpp>

namespace spawned::simulation {

namespace {

detail::Simulated& require_simulated(char const* what) {
  if (detail::simulated != nullptr) return *detail::simulated;
  throw std::logic_error(std::string(what) + ": the calling thread is not simulated");
}

}  // namespace

Faults& faults() { return require_simulated("simulation::faults").faults(); }

void pass_time(std::chrono::nanoseconds step) {
  if (step.count() < 0) throw std::invalid_argument("simulation::pass_time: a negative time");
  require_simulated("simulation::pass_time").pass_time(step.count());
}

void jump_wall_clock(std::chrono::nanoseconds step) {
  require_simulated("simulation::jump_wall_clock").jump_wall_clock(step.count());
}

bool Buggify::operator()(double probability) const noexcept {
  // A line of a file is the same in every run; an address need not be.
  std::uint64_t site = where_.line() * std::uint64_t{0x9e3779b97f4a7c15} + where_.column();
  for (char const* c = where_.file_name(); *c != '\0'; ++c) {
    site = (site ^ static_cast<unsigned char>(*c)) * 0x100000001b3U;
  }
  return detail::simulated->is_active(site) &&
         detail::simulated->chance(probability, Choice::fault);
}

}  // namespace spawned::simulation
