// threads::StateMachine<Derived, State>: state machines that have an OS thread each.
#pragma once

#include <utility>

#include <spawned/actors/state_machine.hpp>
#include <spawned/actors/threads/actor.hpp>

namespace spawned::threads {

/// As spawned::StateMachine, with handlers that are plain functions.
template <typename Derived, typename State>
class StateMachine : public Actor<Derived>, public spawned::detail::MachineActions<Derived, State> {
 protected:
  explicit StateMachine(State initial)
      : spawned::detail::MachineActions<Derived, State>(std::move(initial)) {}
};

}  // namespace spawned::threads
