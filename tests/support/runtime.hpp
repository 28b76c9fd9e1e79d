// What the tests of the runtime share: virtual time, waiting for a condition, a captured log.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/log.hpp>
#include <spawned/runtime/runtime.hpp>

namespace test {

inline spawned::RuntimeOptions with_workers(unsigned workers) {
  spawned::RuntimeOptions options;
  options.workers = workers;
  return options;
}

/// Time jumps to the next timer whenever nothing else is left to do.
inline spawned::RuntimeOptions virtual_time(unsigned workers = 2) {
  spawned::RuntimeOptions options = with_workers(workers);
  options.clock = std::make_shared<spawned::ManualClock>(spawned::ManualClock::Mode::auto_advance);
  return options;
}

/// Waits for what another thread is about to do.
template <typename Condition>
void wait_until(Condition&& condition) {
  while (!condition()) std::this_thread::yield();
}

/// Keeps what is logged while it lives, instead of printing it. Declare it before the runtime.
class LogCapture final : public spawned::log::Sink {
 public:
  LogCapture() : before_(spawned::log::set_sink(this)) {}
  ~LogCapture() override { spawned::log::set_sink(before_); }
  void write(spawned::log::Record const& record) noexcept override {
    std::scoped_lock const lock(mutex_);
    lines_.push_back(spawned::log::format(record));
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::scoped_lock const lock(mutex_);
    return lines_;
  }

 private:
  spawned::log::Sink* before_;
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace test
