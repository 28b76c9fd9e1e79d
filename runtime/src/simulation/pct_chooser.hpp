// PctChooser: priorities at random, and few changes of them. Finds a bug of depth d in a run of k
// steps of n units with a probability of at least 1 / (n * k^(d-1)); in practice far more often.
//
// Source   Burckhardt, Kothari, Musuvathi and Nagarakatte, "A Randomized Scheduler with
//          Probabilistic Guarantees of Finding Bugs", ASPLOS 2010.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "simulation/chooser.hpp"
#include "simulation/splitmix.hpp"

namespace spawned::simulation {

/// Of those that can run, the unit of the highest priority does. The clock is a unit, too.
///
/// Where it differs from the paper: the length of a run is not known beforehand, so that one seed
/// can be repeated alone; it is a power of two drawn from the seed. And a program that polls would
/// starve what it waits for, so a run that is much longer than that goes on as a random walk.
class PctChooser final : public Chooser {
 public:
  /// `depth` - 1 changes. Without `clock_races` time moves only if nothing else can run.
  PctChooser(std::uint64_t seed, unsigned depth, bool clock_races);

  std::uint32_t next(std::span<Ready const> ready, bool clock) override;
  std::uint32_t choose(std::uint32_t n, Choice kind) override;
  bool chance(double probability, Choice kind) override;
  [[nodiscard]] std::string name() const override;

 private:
  struct Lowered {
    std::uint32_t unit;
    std::uint64_t priority;
  };
  [[nodiscard]] std::uint64_t priority(std::uint32_t unit) const noexcept;
  [[nodiscard]] std::uint32_t highest(std::span<Ready const> ready, bool clock) const noexcept;
  std::uint32_t at_random(std::span<Ready const> ready, bool clock) noexcept;

  Splitmix random_;
  std::uint64_t salt_;
  unsigned depth_;
  bool clock_races_;
  std::uint64_t length_;
  std::uint64_t decisions_ = 0;
  std::vector<std::uint64_t> changes_;  // at which decision; the next one last
  std::vector<Lowered> lowered_;
};

}  // namespace spawned::simulation
