// A record of what happened.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// What happened, in order. Any thread.
class Events {
 public:
  void add(std::string event) {
    std::scoped_lock const lock(mutex_);
    events_.push_back(std::move(event));
  }
  [[nodiscard]] std::vector<std::string> all() const {
    std::scoped_lock const lock(mutex_);
    return events_;
  }
  /// All since the last time.
  std::vector<std::string> take() {
    std::scoped_lock const lock(mutex_);
    return std::exchange(events_, {});
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> events_;
};

using Strings = std::vector<std::string>;

}  // namespace test
