// StateMachine<Derived, State>: actors that behave by the state they are in.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <spawned/actors/actor.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/detail/machine_hooks.hpp>
#include <spawned/actors/detail/state_machine.hpp>
#include <spawned/actors/responses.hpp>
#include <spawned/actors/timers.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/moved.hpp>

namespace spawned {

namespace detail {

// Never defined: their names are the error messages.
template <typename State>
struct the_state_of_a_state_machine_must_be_copyable_and_have_an_equality_operator;
template <typename Name>
struct a_timeout_is_named_by_an_enumerator_or_an_integer;

/// The actions of a machine, in both flavours.
template <typename Derived, typename State>
class MachineActions {
 public:
  using state_type = State;
  using machine_hooks = MachineHooks<Derived>;

  [[nodiscard]] State const& state() const noexcept { return state_; }

 protected:
  explicit MachineActions(State initial) : state_(std::move(initial)) {
    if constexpr (!std::equality_comparable<State> || !std::copy_constructible<State>) {
      (void)sizeof(
          the_state_of_a_state_machine_must_be_copyable_and_have_an_equality_operator<State>);
    }
  }
  ~MachineActions() = default;
  MachineActions(MachineActions const&) = default;
  MachineActions(MachineActions&&) = default;
  MachineActions& operator=(MachineActions const&) = default;
  MachineActions& operator=(MachineActions&&) = default;

  // --- transitions: they happen when the present callback is done ---

  /// The last one counts. To the present state: no change. In init: the first state.
  void next_state(State state) {
    (void)core_.require(MachineCore::in_init | MachineCore::in_event, "next_state");
    next_.emplace(std::move(state));
  }
  /// Keeps the state, and has it entered again. What is postponed stays so, timeouts go on.
  void repeat_state() {
    (void)core_.require(MachineCore::in_event, "repeat_state");
    repeats_ = true;
  }
  /// Ends the machine: no state is entered. As Context::stop().
  void stop(ExitReason reason = {}) {
    core_.require(MachineCore::in_init | MachineCore::in_event | MachineCore::in_enter, "stop")
        .request_stop(std::move(reason));
  }

  /// The event in work comes again when the state has changed: before all that came later. What its
  /// handler answers is not sent.
  void postpone() { core_.postpone(); }
  /// The same, as what a request's handler returns: `return postpone<int>();`.
  template <typename R>
  [[nodiscard("return it from the handler")]] RequestResponse<R> postpone() {
    core_.postpone();
    return RequestResponse<R>::deferred();
  }

  /// Handles the message `M(args...)` right after the present callback: before postponed events,
  /// and before those inserted earlier. Several in the order asked for.
  template <typename M, typename... Args>
  void next_event(Args&&... args) {
    require_message_handler<Derived, M>();
    if constexpr (handles_message<Derived, M>) {
      (reject_dangerous_temporary<Args>(), ...);
      (void)core_.require(MachineCore::in_init | MachineCore::in_event, "next_event").extra();
      core_.insert(
          *pool_new<SendEnvelope<Derived, M>>(std::in_place, forward_moved<Args>(args)...));
    }
  }

  // --- timeouts: they begin when the present callback is done ---

  /// `M(args...)` if the state does not change for `delay`. Of a callback that changes it, the new
  /// state's. Set again: the old one is cancelled.
  template <typename M, typename Rep, typename Period, typename... Args>
  void set_state_timeout(std::chrono::duration<Rep, Period> delay, Args&&... args) {
    set<M>(state_timeout, "set_state_timeout", to_ns(delay), false, std::forward<Args>(args)...);
  }
  /// `M(args...)` if no event at all comes for `delay`.
  template <typename M, typename Rep, typename Period, typename... Args>
  void set_event_timeout(std::chrono::duration<Rep, Period> delay, Args&&... args) {
    set<M>(event_timeout, "set_event_timeout", to_ns(delay), false, std::forward<Args>(args)...);
  }
  /// `M(args...)` after `delay`, whatever happens. `name`: an enumerator or an integer.
  template <typename M, typename Name, typename Rep, typename Period, typename... Args>
  void set_timeout(Name name, std::chrono::duration<Rep, Period> delay, Args&&... args) {
    set<M>(named(name), "set_timeout", to_ns(delay), false, std::forward<Args>(args)...);
  }

  /// Another message at the time that was set. If none is on its way: at once.
  template <typename M, typename... Args>
  void update_state_timeout(Args&&... args) {
    set<M>(state_timeout, "update_state_timeout", 0, true, std::forward<Args>(args)...);
  }
  template <typename M, typename Name, typename... Args>
  void update_timeout(Name name, Args&&... args) {
    set<M>(named(name), "update_timeout", 0, true, std::forward<Args>(args)...);
  }

  /// It does not come any more, even if its time has passed. Of none: nothing happens.
  void cancel_state_timeout() { cancel(state_timeout, "cancel_state_timeout"); }
  /// Takes the present callback's set_event_timeout back.
  void cancel_event_timeout() { cancel(event_timeout, "cancel_event_timeout"); }
  template <typename Name>
  void cancel_timeout(Name name) {
    cancel(named(name), "cancel_timeout");
  }

 private:
  friend struct MachineHooks<Derived>;

  static constexpr std::uint8_t anywhere =
      MachineCore::in_init | MachineCore::in_event | MachineCore::in_enter;

  template <typename Name>
  static constexpr TimeoutName named(Name name) noexcept {
    if constexpr (!std::is_enum_v<Name> && !std::is_integral_v<Name>) {
      (void)sizeof(a_timeout_is_named_by_an_enumerator_or_an_integer<Name>);
    } else {
      return {&type_tag<Name>, static_cast<std::uint64_t>(name)};
    }
  }

  template <typename M, typename... Args>
  void set(TimeoutName name, char const* action, std::int64_t delay_ns, bool updates,
           Args&&... args) {
    require_message_handler<Derived, M>();
    if constexpr (handles_message<Derived, M>) {
      (reject_dangerous_temporary<Args>(), ...);
      CellBase& cell = core_.require(anywhere, action);
      (void)require_delay(action, delay_ns);
      core_.wish(*pool_new<SendEnvelope<Derived, M, StateTimer>>(cell, std::in_place,
                                                                 forward_moved<Args>(args)...),
                 name, delay_ns, updates);
    }
  }
  void cancel(TimeoutName name, char const* action) {
    (void)core_.require(anywhere, action);
    core_.cancel(name);
  }

  State state_;
  std::optional<State> next_;
  bool repeats_ = false;
  MachineCore core_;
};

}  // namespace detail

/// The base class of state machines: `class Door : public sp::StateMachine<Door, DoorState>`, where
/// the state is an enumeration or any other value with `==`; what else it knows are its members.
///
/// A machine is an Actor, with the same refs. Its handlers may take the state behind the message,
/// the context comes last:
///   handle_request(M& [, State] [, Context&])    as Actor's
///   handle_message(M& [, State] [, Context&])    as Actor's; also for inserted events and timeouts
///   enter(State, State previous [, Context&])    void; at each change of state, and once, with
///   twice
///                                                the same, before the first event
/// They take the message by `const&`, `&` or value, not by `&&`: it may be postponed, and then it
/// must be whole. In a handler they say what is to happen by calling next_state(), postpone(),
/// next_event(), set_state_timeout() and the others above; all of it happens when the handler, or
/// its coroutine, has ended. enter() may set and cancel timeouts and stop; it can neither postpone,
/// insert events nor change the state.
///
/// Errors    TransitionRefused from an action that has no place there; std::invalid_argument for
///           a negative delay; std::bad_alloc. What a handler or enter() throws ends the machine.
/// Ordering  inserted events, then postponed ones (oldest first) if the state has changed, then
///           timeouts of zero, then the mail.
/// Memory    postponing allocates nothing; an inserted event or a timeout is one pooled block.
/// Source    OTP's gen_statem with handle_event_function and state_enter.
/// Example   examples/traffic_light, docs/guide/state_machines.md
template <typename Derived, typename State>
class StateMachine : public Actor<Derived>, public detail::MachineActions<Derived, State> {
 protected:
  explicit StateMachine(State initial)
      : detail::MachineActions<Derived, State>(std::move(initial)) {}
};

}  // namespace spawned
