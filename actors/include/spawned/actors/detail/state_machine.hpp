// MachineCore: the part of a StateMachine that knows no types. docs/design/state_machine.md says
// how it works; everything here is the owner's, but for what Dependants does with a timer.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/timed.hpp>

namespace spawned {

/// Thrown by an action of a StateMachine where it makes no sense: outside its callbacks, or one of
/// those that init or enter must not use. Names actor and action.
class TransitionRefused : public std::logic_error {
 public:
  TransitionRefused(std::string const& actor, std::string const& what);
};

namespace detail {

class MachineCore;

/// Which timeout of a machine: a type, and a number among those of the type.
struct TimeoutName {
  void const* type;
  std::uint64_t number;
  friend bool operator==(TimeoutName, TimeoutName) noexcept = default;
};
inline constexpr TimeoutName state_timeout{&type_tag<struct StateTimeout>, 0};
inline constexpr TimeoutName event_timeout{&type_tag<struct EventTimeout>, 0};

/// A timeout's message. Its handle is held by the machine while it is wished or armed.
class StateTimer : public MessageTimer {
 public:
  using MessageTimer::MessageTimer;

 protected:
  ~StateTimer() = default;
  /// Its turn has come. False: it was cancelled on its way.
  bool begin(CellBase& cell) noexcept;

 private:
  friend class MachineCore;
  MachineCore* machine_ = nullptr;  // null: stale
  StateTimer* next_in_list_ = nullptr;
  TimeoutName name_{};
  std::int64_t delay_ns_ = 0;
  bool updates_ = false;  // keeps the time of the one it replaces
  bool fired_ = false;
};

class MachineCore {
 public:
  MachineCore() noexcept = default;
  MachineCore(MachineCore const& /*other*/) noexcept {}  // only before its start is one copied
  MachineCore& operator=(MachineCore const& /*other*/) noexcept { return *this; }
  ~MachineCore();

  enum Phase : std::uint8_t { outside = 0, in_init = 1, in_event = 2, in_enter = 4 };

  // --- the hooks ---

  static void taken(CellBase& cell) noexcept {
    CellExtra* const extra = cell.extra_or_null();
    if (extra != nullptr && extra->continuations != 0) --extra->continuations;
  }
  void begin(CellBase& cell, Phase phase) noexcept;
  void enter(bool changed) noexcept;
  /// Errors: TransitionRefused, for an event that cannot be postponed.
  void check_postponed(Envelope const& event) const;
  /// The end of a transition. True: `event` was postponed. Null: there is none, it is init.
  [[nodiscard]] bool settle(Envelope* event, bool changed, bool answer_stops) noexcept;

  // --- the actions ---

  /// Errors: TransitionRefused unless this is one of `phases`. The actor, else.
  CellBase& require(std::uint8_t phases, char const* action) const;
  void postpone();
  void insert(Envelope& event) noexcept;
  void wish(StateTimer& timer, TimeoutName name, std::int64_t delay_ns, bool updates) noexcept;
  void cancel(TimeoutName name) noexcept;

 private:
  friend class StateTimer;
  void cancel_armed(TimeoutName name) noexcept;
  [[nodiscard]] StateTimer* remove(StateTimer*& list, TimeoutName name) noexcept;
  void drop_wishes() noexcept;
  void arm(StateTimer& timer) noexcept;
  void keep(Envelope& event) noexcept;
  void retry_postponed() noexcept;

  CellBase* cell_ = nullptr;
  Envelope* oldest_postponed_ = nullptr;
  Envelope* newest_postponed_ = nullptr;
  StateTimer* armed_ = nullptr;
  StateTimer* wishes_ = nullptr;  // in the order asked for
  std::uint32_t postponed_ = 0;
  std::uint32_t inserted_ = 0;  // by the present callback
  Phase phase_ = outside;
  bool postpones_ = false;
};

}  // namespace detail
}  // namespace spawned
