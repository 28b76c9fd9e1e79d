// MachineHooks<A>: where envelopes and cells of a state machine come to its transitions.
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <spawned/actors/detail/actor_cell.hpp>
#include <spawned/actors/detail/handlers.hpp>
#include <spawned/actors/detail/state_machine.hpp>

namespace spawned::detail {

// Never defined: its name is the error message.
template <typename Machine, typename Returned>
struct enter_of_a_state_machine_must_return_void__it_cannot_wait;

template <typename A>
concept has_state_context_enter =
    requires(A& machine, typename A::state_type const& state, context_t<A>& context) {
      machine.enter(state, state, context);
    };
template <typename A>
concept has_state_enter =
    requires(A& machine, typename A::state_type const& state) { machine.enter(state, state); };

/// What envelopes and cells do with a machine.
template <typename A>
struct MachineHooks {
  static constexpr bool enters() noexcept {
    return has_state_context_enter<A> || has_state_enter<A>;
  }

  static void taken(CellBase& cell) noexcept { MachineCore::taken(cell); }

  static void begin(ActorCell<A>& cell) noexcept { begin(cell, MachineCore::in_event); }
  static void begin_init(ActorCell<A>& cell) noexcept { begin(cell, MachineCore::in_init); }

  /// A handler has ended well. True: the event is kept, to be handled again. Throws what enter
  /// does.
  static bool finish(ActorCell<A>& cell, Envelope& event, bool answer_stops) {
    A& machine = cell.actor();
    bool changed = false;
    if (!answer_stops && !cell.is_stopping()) {
      machine.core_.check_postponed(event);
      changed = machine.next_ && !are_same(*machine.next_, machine.state_);
      if (changed) {
        auto const previous = std::exchange(machine.state_, *std::move(machine.next_));
        enter(cell, previous, true);
      } else if (machine.repeats_) {
        enter(cell, machine.state_, false);
      }
    }
    return machine.core_.settle(&event, changed, answer_stops);
  }
  static void finish_init(ActorCell<A>& cell) {
    A& machine = cell.actor();
    if (machine.next_) machine.state_ = *std::move(machine.next_);
    if (!cell.is_stopping()) enter(cell, machine.state_, false);
    (void)machine.core_.settle(nullptr, false, false);
  }

 private:
  static void begin(ActorCell<A>& cell, MachineCore::Phase phase) noexcept {
    A& machine = cell.actor();
    machine.next_.reset();
    machine.repeats_ = false;
    machine.core_.begin(cell, phase);
  }
  static void enter(ActorCell<A>& cell, typename A::state_type const& previous, bool changed) {
    A& machine = cell.actor();
    machine.core_.enter(changed);
    if constexpr (has_state_context_enter<A>) {
      check_enter<decltype(machine.enter(machine.state_, previous, cell.context()))>();
      machine.enter(std::as_const(machine.state_), previous, cell.context());
    } else if constexpr (has_state_enter<A>) {
      check_enter<decltype(machine.enter(machine.state_, previous))>();
      machine.enter(std::as_const(machine.state_), previous);
    }
  }
  template <typename State>  // a state without == has been complained of
  static bool are_same(State const& one, State const& other) {
    if constexpr (std::equality_comparable<State>) return one == other;
  }
  template <typename Returned>
  static constexpr auto check_enter() {
    if constexpr (!std::is_void_v<Returned>) {
      (void)sizeof(enter_of_a_state_machine_must_return_void__it_cannot_wait<A, Returned>);
    }
  }
};

}  // namespace spawned::detail
