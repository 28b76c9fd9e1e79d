// Splitmix: the generator behind a seed (Steele, Lea and Flood, OOPSLA 2014).
#pragma once

#include <cstdint>

namespace spawned::simulation {

class Splitmix {
 public:
  explicit Splitmix(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t bits() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  /// 0 to n - 1. n > 0.
  std::uint32_t below(std::uint32_t n) noexcept {
    return static_cast<std::uint32_t>((bits() >> 32) * n >> 32);
  }
  /// 0 up to, not including, 1.
  double unit() noexcept { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }

 private:
  std::uint64_t state_;
};

}  // namespace spawned::simulation
