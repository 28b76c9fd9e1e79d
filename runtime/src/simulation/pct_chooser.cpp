#include "simulation/pct_chooser.hpp"

#include <algorithm>
#include <functional>

namespace spawned::simulation {

namespace {

constexpr std::uint32_t clock_unit = 0;  // units are counted from 1
constexpr std::uint32_t length_exponent_least = 4;
constexpr std::uint32_t length_exponents = 9;  // 16 to 4096 decisions
constexpr std::uint64_t fair_after_lengths = 4;
constexpr std::uint64_t fair_after_least = 1000;
constexpr double fair_clock_share = 0.1;

}  // namespace

PctChooser::PctChooser(std::uint64_t seed, unsigned depth, bool clock_races)
    : random_(seed),
      salt_(random_.bits()),
      depth_(depth),
      clock_races_(clock_races),
      length_(std::uint64_t{1} << (length_exponent_least + random_.below(length_exponents))) {
  for (unsigned i = 1; i < depth; ++i) changes_.push_back(1 + random_.bits() % length_);
  std::sort(changes_.begin(), changes_.end(), std::greater<>());
}

// From the number of the unit: no table, and the same in every order of births.
std::uint64_t PctChooser::priority(std::uint32_t unit) const noexcept {
  for (Lowered const& lowered : lowered_) {
    if (lowered.unit == unit) return lowered.priority;
  }
  constexpr std::uint64_t above_the_lowered = std::uint64_t{1} << 63;
  return Splitmix(salt_ + unit * 0xd1342543de82ef95U).bits() | above_the_lowered;
}

std::uint32_t PctChooser::highest(std::span<Ready const> ready, bool clock) const noexcept {
  auto const count = static_cast<std::uint32_t>(ready.size());
  std::uint32_t best = count;  // the clock, or what loses to everyone
  std::uint64_t best_priority = clock ? priority(clock_unit) : 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint64_t const own = priority(ready[i].unit);
    if (own <= best_priority) continue;
    best = i;
    best_priority = own;
  }
  return best;
}

std::uint32_t PctChooser::at_random(std::span<Ready const> ready, bool clock) noexcept {
  auto const count = static_cast<std::uint32_t>(ready.size());
  return clock && random_.unit() < fair_clock_share ? count : random_.below(count);
}

std::uint32_t PctChooser::next(std::span<Ready const> ready, bool clock) {
  if (ready.empty()) return 0;
  clock = clock && clock_races_;
  ++decisions_;
  if (decisions_ > fair_after_least && decisions_ > fair_after_lengths * length_) {
    return at_random(ready, clock);
  }
  std::uint32_t best = highest(ready, clock);
  while (!changes_.empty() && changes_.back() == decisions_) {
    changes_.pop_back();
    std::uint32_t const unit = best == ready.size() ? clock_unit : ready[best].unit;
    std::erase_if(lowered_, [unit](Lowered const& lowered) { return lowered.unit == unit; });
    lowered_.push_back({unit, 1 + (random_.bits() >> 2)});
    best = highest(ready, clock);
  }
  return best;
}

std::uint32_t PctChooser::choose(std::uint32_t n, Choice /*kind*/) { return random_.below(n); }

bool PctChooser::chance(double probability, Choice /*kind*/) {
  return random_.unit() < probability;
}

std::string PctChooser::name() const {
  return "pct " + std::to_string(depth_) + ", length " + std::to_string(length_) +
         (clock_races_ ? "" : ", idle clock");
}

}  // namespace spawned::simulation
