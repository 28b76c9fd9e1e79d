// Random numbers for programs: from the seed in a simulation, from the machine otherwise.
#pragma once

#include <cstdint>
#include <limits>

namespace spawned {

/// 64 random bits. In a simulation they are drawn from the run's choices, so that equal seeds are
/// equal runs and a replay repeats them; otherwise from a generator of the calling thread that
/// the kernel has seeded.
///
/// Not for secrets.
///
/// Errors   none.
/// Threads  any.
/// Cost     5 ns; in a simulation one choice.
/// Example  docs/guide/testing.md
[[nodiscard]] std::uint64_t random_bits() noexcept;

/// 0 to n - 1, all alike. Errors: std::invalid_argument for n = 0. Else as random_bits().
[[nodiscard]] std::uint64_t random_below(std::uint64_t n);

/// True with this probability, of 0 to 1. The simplest run that a search reports has as few of them
/// true as it can.
[[nodiscard]] bool random_chance(double probability) noexcept;

/// A generator for std::shuffle and the distributions of <random>: random_bits().
class RandomBits {
 public:
  using result_type = std::uint64_t;
  [[nodiscard]] static constexpr result_type min() noexcept { return 0; }
  [[nodiscard]] static constexpr result_type max() noexcept {
    return std::numeric_limits<result_type>::max();
  }
  result_type operator()() noexcept { return random_bits(); }
};

}  // namespace spawned
