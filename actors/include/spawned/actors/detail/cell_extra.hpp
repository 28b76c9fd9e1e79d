// CellExtra: what few actors need and no other should pay for. Made at the start for an actor with
// options, or by the first that needs it (CellBase::extra()).
#pragma once

#include <spawned/actors/detail/ancestry.hpp>
#include <spawned/actors/options.hpp>

namespace spawned::detail {

struct CellExtra {
  ActorOptions options;
  bool own_home = false;  // the executor is this actor's alone and is given back at its end
  Ancestor* as_ancestor = nullptr;  // made by the first actor that this one starts
};

/// Checked, in a block from the pool. Errors: InvalidOptions.
[[nodiscard]] CellExtra* make_extra(ActorOptions options);

}  // namespace spawned::detail
