// What the tests of blocked workers share: a door that blocks the thread.
#pragma once

#include <condition_variable>
#include <mutex>

namespace test {

/// Whoever passes blocks its thread, in a system call, until somebody opens. For good.
class Bolt {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.wait(lock, [this] { return open_; });
  }
  void open() {
    {
      std::scoped_lock const lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }
  /// How many have come to it so far.
  [[nodiscard]] int arrived() const {
    std::scoped_lock const lock(mutex_);
    return waiting_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

}  // namespace test
