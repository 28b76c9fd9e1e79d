// What the listeners of a registry are told.
#pragma once

#include <string>

#include <spawned/actors/detail/cell.hpp>

namespace spawned::registry {

/// Somebody was registered: `handle_message(NameRegistered)` of a listener.
struct NameRegistered {
  std::string name;
  ActorId actor;
};

/// An entry has gone, because it was taken back or its actor has ended.
struct NameUnregistered {
  std::string name;
  ActorId actor;
};

}  // namespace spawned::registry
