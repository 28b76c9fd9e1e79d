// Exit and Down: the ends of others, as messages.
#pragma once

#include <cstdint>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/exit_reason.hpp>

namespace spawned {

/// An exit signal as a message, to an actor that traps exits: `handle_message(Exit)`.
struct Exit {
  ActorId from;  ///< whose; 0: sent from outside every actor
  ExitReason reason;
};

/// Identifies one monitor. Never used twice.
struct MonitorId {
  std::uint64_t value = 0;
  friend bool operator==(MonitorId, MonitorId) noexcept = default;
};

/// A monitored actor has ended: `handle_message(Down)`. Comes once, after everything that actor
/// sent before.
struct Down {
  MonitorId monitor;
  ActorId actor;
  ExitReason reason;  ///< `no_actor`: it had ended before it was monitored
};

}  // namespace spawned
