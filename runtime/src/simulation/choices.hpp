// Choices: the one stream that all decisions of a simulated run are drawn from. 0 is always the
// boring option: the oldest unit, time stands still. So a run is repeated, and made simpler, by
// editing a list of numbers.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace spawned::simulation {

class Choices {
 public:
  /// From a seed.
  explicit Choices(std::uint64_t seed) noexcept : state_(seed) {}
  /// From a list; after its end all is boring.
  explicit Choices(std::vector<std::uint32_t> list) noexcept
      : given_(std::move(list)), from_seed_(false) {}

  /// 0 to n - 1, all alike. n > 0.
  std::uint32_t choose(std::uint32_t n) {
    if (n == 1) return 0;
    return keep(from_seed_ ? below(n) : next_given(n));
  }
  /// True with the given probability; false is the boring one.
  bool chance(double probability) {
    if (!from_seed_) return keep(next_given(2)) != 0;
    return keep(static_cast<double>(random() >> 11) * 0x1.0p-53 < probability ? 1 : 0) != 0;
  }

  [[nodiscard]] std::vector<std::uint32_t> take() noexcept { return std::move(made_); }

  /// splitmix64 (Steele, Lea and Flood, OOPSLA 2014).
  std::uint64_t random() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }

 private:
  std::uint32_t below(std::uint32_t n) noexcept {
    return static_cast<std::uint32_t>((random() >> 32) * n >> 32);
  }
  std::uint32_t next_given(std::uint32_t n) noexcept {
    return at_ < given_.size() ? given_[at_++] % n : 0;
  }
  std::uint32_t keep(std::uint32_t choice) {
    made_.push_back(choice);
    return choice;
  }

  std::uint64_t state_ = 0;
  std::vector<std::uint32_t> given_;
  std::size_t at_ = 0;
  std::vector<std::uint32_t> made_;
  bool from_seed_ = true;
};

}  // namespace spawned::simulation
