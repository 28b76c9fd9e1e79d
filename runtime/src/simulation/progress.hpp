// ProgressLine: how far a search is, on one line of stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <spawned/runtime/simulation/search.hpp>

namespace spawned::simulation {

class ProgressLine {
 public:
  explicit ProgressLine(ExploreOptions const& options);
  ~ProgressLine();
  ProgressLine(ProgressLine const&) = delete;
  ProgressLine& operator=(ProgressLine const&) = delete;

  /// Writes, if a second has passed. `elapsed` is from the beginning of the search.
  void update(std::uint64_t runs, std::uint64_t distinct, std::chrono::nanoseconds elapsed);

 private:
  bool shown_;
  bool written_ = false;
  std::uint64_t seeds_;
  std::chrono::nanoseconds budget_;
  std::chrono::nanoseconds next_{std::chrono::seconds(1)};
};

/// "4000 of 10000 runs, 2000/s, 3100 interleavings, 3 s left". `budget` 0: none.
[[nodiscard]] std::string progress_text(std::uint64_t runs, std::uint64_t seeds,
                                        std::uint64_t distinct, std::chrono::nanoseconds elapsed,
                                        std::chrono::nanoseconds budget);

}  // namespace spawned::simulation
