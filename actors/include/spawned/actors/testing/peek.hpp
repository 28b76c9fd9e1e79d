// peek(): a look into an actor, for checks.
#pragma once

#include <spawned/actors/actor_ref.hpp>
#include <spawned/runtime/simulation/checks.hpp>

namespace spawned::testing {

/// The state of an actor as it is between two steps, or nullptr once it has ended. Use it at once,
/// and only in a simulation or beside a Stepper, where nobody else runs meanwhile:
///
///   auto const sum = simulation::always("no money is lost", [from, to] {
///     return testing::peek(from)->balance() + testing::peek(to)->balance() == 200;
///   });
///
/// Errors  simulation::OnlySimulated on a real runtime: such a check is left out there.
template <typename A>
[[nodiscard]] A const* peek(ActorRef<A> const& ref) {
  if (!simulation::active()) {
    throw simulation::OnlySimulated("testing::peek: on a real runtime the actor may be running");
  }
  return ref.cell().has_ended() ? nullptr : &ref.cell().actor();
}

}  // namespace spawned::testing
