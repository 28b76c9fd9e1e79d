// Tally: what a search has covered so far, and whether it should end.
#pragma once

#include <cstdint>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/simulation/search.hpp>

#include "simulation/hash_set.hpp"
#include "simulation/progress.hpp"

namespace spawned::simulation {

class Tally {
 public:
  explicit Tally(ExploreOptions const& options)
      : options_(options), begin_(real_clock()->now()), line_(options) {}

  void add(std::uint64_t hash) {
    ++runs_;
    last_new_ = seen_.insert(hash) ? runs_ : last_new_;
    if ((runs_ & (runs_ - 1)) == 0) coverage_.curve.push_back({runs_, seen_.size()});
  }
  /// Time is up, or nothing new comes any more. Shows the progress.
  [[nodiscard]] bool is_over() {
    auto const elapsed = real_clock()->now() - begin_;
    line_.update(runs_, seen_.size(), elapsed);
    coverage_.saturated =
        options_.saturated_after != 0 && runs_ - last_new_ >= options_.saturated_after;
    return coverage_.saturated ||
           (options_.time_budget.count() != 0 && elapsed >= options_.time_budget);
  }
  [[nodiscard]] std::uint64_t runs() const noexcept { return runs_; }
  [[nodiscard]] Coverage finish() {
    if (coverage_.curve.empty() || coverage_.curve.back().runs != runs_) {
      coverage_.curve.push_back({runs_, seen_.size()});
    }
    coverage_.distinct = seen_.size();
    coverage_.elapsed = real_clock()->now() - begin_;
    return coverage_;
  }

 private:
  ExploreOptions const& options_;
  std::chrono::nanoseconds begin_;
  ProgressLine line_;
  HashSet seen_;
  std::uint64_t runs_ = 0;
  std::uint64_t last_new_ = 0;
  Coverage coverage_;
};

}  // namespace spawned::simulation
