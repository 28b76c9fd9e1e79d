// A captured log.
#pragma once

#include <string>

#include <spawned/runtime/log.hpp>

#include "support/events.hpp"

namespace test {

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
