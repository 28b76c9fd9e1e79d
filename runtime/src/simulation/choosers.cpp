#include "simulation/choosers.hpp"

#include <algorithm>
#include <string>

#include "simulation/pct_chooser.hpp"

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

namespace {

// 30 % random walk, 50 % priorities, 20 % a clock that is in a hurry.
std::unique_ptr<Chooser> from_portfolio(std::uint64_t seed, Options const& options) {
  Splitmix draw(seed ^ 0x5851f42d4c957f2dU);  // the choosers' own draws are others
  std::uint32_t const percent = draw.below(100);
  bool const clock_races = options.clock == ClockMode::adversarial && options.clock_share > 0;
  if (percent < 30) {
    double const most = options.clock_share * draw.below(8) / 4;  // 0 to 1.75 of it
    return std::make_unique<RandomChooser>(seed, std::min(1.0, most));
  }
  if (percent < 80) return std::make_unique<PctChooser>(seed, 2 + draw.below(2), clock_races);
  return std::make_unique<RandomChooser>(seed, clock_races ? 0.3 + 0.6 * draw.unit() : 0);
}

}  // namespace

std::unique_ptr<Chooser> make_chooser(std::uint64_t seed, Options const& options) {
  switch (options.strategy) {
    case Strategy::portfolio:
      return from_portfolio(seed, options);
    case Strategy::random:
      return std::make_unique<RandomChooser>(seed, options.clock_share);
    case Strategy::pct:
      return std::make_unique<PctChooser>(
          seed, options.depth, options.clock == ClockMode::adversarial && options.clock_share > 0);
    case Strategy::delay_bounded:
    case Strategy::exhaustive:
    case Strategy::reduced:
      break;
  }
  throw InvalidSimulation(std::string("simulation::Options::strategy is ") +
                          to_string(options.strategy) +
                          ", which has no seeds: it is for explore()");
}

}  // namespace spawned::simulation
