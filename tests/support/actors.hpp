// What the tests of actors share: a door, a record of events, virtual time, a captured log.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <spawned/tasks.hpp>

namespace test {

/// A door at which tasks wait until somebody opens it, for good.
class Gate {
 public:
  void open() const {
    auto token = token_;
    token.cancel();
  }
  [[nodiscard]] bool is_open() const { return token_.is_cancelled(); }
  [[nodiscard]] auto opened() const { return token_.cancelled(); }

 private:
  spawned::CancellationToken token_;
};

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

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> events_;
};

using Strings = std::vector<std::string>;

/// A runtime whose time jumps to the next timer whenever nothing else is left to do.
inline spawned::RuntimeOptions virtual_time() {
  spawned::RuntimeOptions options;
  options.clock = std::make_shared<spawned::ManualClock>(spawned::ManualClock::Mode::auto_advance);
  return options;
}

/// Keeps what is logged while it lives, instead of printing it. Declare it before the runtime.
class LogCapture final : public spawned::log::Sink {
 public:
  LogCapture() : before_(spawned::log::set_sink(this)) {}
  ~LogCapture() override { spawned::log::set_sink(before_); }
  void write(spawned::log::Record const& record) noexcept override {
    lines_.add(std::string(record.text));
  }
  [[nodiscard]] Strings lines() const { return lines_.all(); }
  /// How many lines contain all the words.
  template <typename... Words>
  [[nodiscard]] int count(Words const&... words) const {
    int found = 0;
    for (std::string const& line : lines_.all()) {
      found += ((line.find(words) != std::string::npos) && ...) ? 1 : 0;
    }
    return found;
  }

 private:
  Events lines_;
  spawned::log::Sink* before_;
};

}  // namespace test
