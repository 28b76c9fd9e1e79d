// CellExtra: what few actors need and no other should pay for. Made at the start for an actor with
// options, or by the first that needs it (CellBase::extra()).
#pragma once

#include <spawned/actors/detail/dependants.hpp>
#include <spawned/actors/detail/idle_timeout.hpp>
#include <spawned/actors/options.hpp>

namespace spawned::detail {

struct CellExtra {
  ActorOptions options;
  Dependants dependants;  // timers and listeners
  IdleTimeout idle;
  bool own_home = false;  // the executor is this actor's alone and is given back at its end
};

/// Checked, in a block from the pool. Errors: InvalidOptions.
[[nodiscard]] CellExtra* make_extra(ActorOptions options);

}  // namespace spawned::detail
