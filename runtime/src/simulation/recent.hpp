// Recent: who ran in the last steps, for the report of a run that does not end.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace spawned::simulation {

class Recent {
 public:
  static constexpr std::size_t most = 1024;

  /// 0: time moved.
  void ran(std::uint32_t unit) noexcept { units_[count_++ % most] = unit; }

  [[nodiscard]] std::size_t size() const noexcept { return std::min(count_, most); }

  /// Units and how often each ran, the busiest first.
  [[nodiscard]] std::vector<std::pair<std::uint32_t, std::size_t>> busiest() const {
    std::vector<std::uint32_t> sorted(units_.begin(),
                                      units_.begin() + static_cast<std::ptrdiff_t>(size()));
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::pair<std::uint32_t, std::size_t>> result;
    for (std::uint32_t const unit : sorted) {
      if (result.empty() || result.back().first != unit) result.emplace_back(unit, 0);
      ++result.back().second;
    }
    std::sort(result.begin(), result.end(), [](auto const& a, auto const& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    return result;
  }

 private:
  std::array<std::uint32_t, most> units_{};
  std::size_t count_ = 0;
};

}  // namespace spawned::simulation
