#include "simulation/choosers.hpp"

#include <algorithm>
#include <string>

namespace spawned::simulation {

std::uint32_t RandomChooser::next(std::span<Ready const> ready, bool clock) {
  auto const count = static_cast<std::uint32_t>(ready.size());
  if (clock && (count == 0 || random_.unit() < clock_share_)) return count;
  return count == 1 ? 0 : random_.below(count);
}

std::uint32_t RandomChooser::choose(std::uint32_t n, Choice /*kind*/) { return random_.below(n); }

bool RandomChooser::chance(double probability, Choice /*kind*/) {
  return random_.unit() < probability;
}

std::string RandomChooser::name() const {
  std::string share = std::to_string(clock_share_);
  share.resize(share.size() - 4);
  return "random, clock " + share;
}

std::uint32_t GivenChooser::take(std::uint32_t n) noexcept {
  if (n < 2 || at_ == list_.size()) return 0;
  std::uint32_t const given = list_[at_++];
  return given < n ? given : 0;
}

std::uint32_t GivenChooser::next(std::span<Ready const> ready, bool clock) {
  return take(static_cast<std::uint32_t>(ready.size()) + (clock ? 1 : 0));
}

std::uint32_t GivenChooser::choose(std::uint32_t n, Choice /*kind*/) { return take(n); }

bool GivenChooser::chance(double /*probability*/, Choice /*kind*/) { return take(2) != 0; }

std::unique_ptr<Chooser> make_chooser(std::uint64_t seed, Options const& options) {
  double share = options.clock_share;
  switch (options.strategy) {
    case Strategy::portfolio:
      // 0 to 1.75 of it.
      share = std::min(1.0, options.clock_share * static_cast<double>(seed % 8) / 4);
      break;
    case Strategy::random:
      break;
    case Strategy::pct:
    case Strategy::delay_bounded:
    case Strategy::exhaustive:
      throw InvalidSimulation(std::string("simulation::Options::strategy is ") +
                              to_string(options.strategy) + ", which is not there yet");
  }
  return std::make_unique<RandomChooser>(seed, share);
}

}  // namespace spawned::simulation
