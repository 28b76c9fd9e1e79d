// What the tests of actors share: a door, virtual time, and with it a record of events and a
// captured log.
#pragma once

#include <memory>
#include <utility>

#include <spawned/tasks.hpp>

#include "support/events.hpp"
#include "support/log_capture.hpp"

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

/// A runtime whose time jumps to the next timer whenever nothing else is left to do.
inline spawned::RuntimeOptions virtual_time() {
  spawned::RuntimeOptions options;
  options.clock = std::make_shared<spawned::ManualClock>(spawned::ManualClock::Mode::auto_advance);
  return options;
}

}  // namespace test
