// The choosers: from a seed at random, and from a list that a run before has left.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <spawned/runtime/simulation/options.hpp>

#include "simulation/chooser.hpp"
#include "simulation/splitmix.hpp"

namespace spawned::simulation {

/// Any unit, all alike.
class RandomChooser final : public Chooser {
 public:
  RandomChooser(std::uint64_t seed, double clock_share) noexcept
      : random_(seed), clock_share_(clock_share) {}

  std::uint32_t next(std::span<Ready const> ready, bool clock) override;
  std::uint32_t choose(std::uint32_t n, Choice kind) override;
  bool chance(double probability, Choice kind) override;
  [[nodiscard]] std::string name() const override;

 private:
  Splitmix random_;
  double clock_share_;
};

/// What a list says; after its end, and where it does not fit, all is boring.
class GivenChooser final : public Chooser {
 public:
  explicit GivenChooser(std::vector<std::uint32_t> list) noexcept : list_(std::move(list)) {}

  std::uint32_t next(std::span<Ready const> ready, bool clock) override;
  std::uint32_t choose(std::uint32_t n, Choice kind) override;
  bool chance(double probability, Choice kind) override;
  [[nodiscard]] std::string name() const override { return "replay"; }

 private:
  std::uint32_t take(std::uint32_t n) noexcept;

  std::vector<std::uint32_t> list_;
  std::size_t at_ = 0;
};

/// What `options` ask for. Errors: InvalidSimulation for a strategy that needs explore().
[[nodiscard]] std::unique_ptr<Chooser> make_chooser(std::uint64_t seed, Options const& options);

}  // namespace spawned::simulation
