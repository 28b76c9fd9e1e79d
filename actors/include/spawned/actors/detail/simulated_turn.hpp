// What the library's own sources tell a simulation of actors.
#pragma once

#include <string_view>

#include <spawned/actors/exit_reason.hpp>

namespace spawned::detail {

class CellBase;

/// The thread is simulated, and an actor has crashed. `nobody_asked`: no caller is told.
void tell_of_crash(CellBase const& cell, std::string_view during, ExitReason const& reason,
                   bool nobody_asked) noexcept;

}  // namespace spawned::detail
