// RestartBudget: how many restarts a supervisor allows itself in a period.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

#include <spawned/runtime/time.hpp>

namespace spawned::detail {

class RestartBudget {
 public:
  RestartBudget(int intensity, std::chrono::nanoseconds period)
      : intensity_(static_cast<std::size_t>(intensity)), period_(period) {}

  [[nodiscard]] std::size_t intensity() const noexcept { return intensity_; }
  /// One restart more. False: that is one too many.
  [[nodiscard]] bool take() {
    TimePoint const at = now();
    while (!taken_.empty() && at - taken_.front() > period_) taken_.pop_front();
    if (taken_.size() >= intensity_) return false;
    taken_.push_back(at);
    return true;
  }

 private:
  std::size_t intensity_;
  std::chrono::nanoseconds period_;
  std::deque<TimePoint> taken_;
};

}  // namespace spawned::detail
