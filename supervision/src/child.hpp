// Child: what a supervisor knows of one of its actors.
//
//   state     set by                       means
//   none      initial; forget_slot()       there is no slot
//   starting  begin()                      its init runs
//   up        the actor; begin()           it runs
//   ending    the actor, at its end        its last turn; vacant or gone follows
//   vacant    the actor                    the slot waits for the supervisor's decision
//   gone      the actor, at its slot's end
//
// `last`: when the incarnation ends, the slot does. Set before the first init, so that an actor
// that never came up leaves nothing behind, and for good for temporary children and for those that
// are stopped for good.
//
// State, last and the waiter are guarded by the child's lock. The supervisor waits for changes in
// its handlers (ChildWait); an end while it does not comes to it as a ChildEvent, which is stale
// if the supervisor has seen the change otherwise. `status` and everything else is the
// supervisor's alone.
#pragma once

#include <cstdint>
#include <memory>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/supervised.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>
#include <spawned/runtime/detail/wait_list.hpp>
#include <spawned/runtime/task.hpp>
#include <spawned/supervision/child_info.hpp>
#include <spawned/supervision/child_spec.hpp>
#include <spawned/supervision/detail/child_event.hpp>

namespace spawned::detail {

/// Sends the event to the supervisor, through its mailbox.
using PostChildEvent = void (*)(CellBase& supervisor, Child& child) noexcept;

struct Started {
  enum class Kind : std::uint8_t { up, ignored, failed };
  Kind kind = Kind::up;
  ExitReason reason = {};
};

class Child final : public Supervised {
 public:
  enum class State : std::uint8_t { none, starting, up, ending, vacant, gone };

  /// On the supervisor's turn. Errors: std::bad_alloc.
  Child(CellBase& supervisor, PostChildEvent post, std::shared_ptr<ChildSpec const> spec,
        ArgumentsPtr arguments = nullptr);

  void hold() noexcept { refs_.fetch_add(1, memory_order_relaxed); }  // the caller holds one
  void drop() noexcept;

  [[nodiscard]] ChildSpec const& spec() const noexcept { return *spec_; }
  [[nodiscard]] State state() noexcept;
  /// Or it is ending.
  [[nodiscard]] bool has_ended() noexcept {
    State const now = state();
    return now != State::starting && now != State::up;
  }
  /// A ChildEvent of it is news: the supervisor has not dealt with this end otherwise.
  [[nodiscard]] bool is_to_decide() noexcept {
    return !dropped && status == ChildState::running && has_ended();
  }
  /// A ChildRetry of it is not stale.
  [[nodiscard]] bool is_due(std::uint32_t retry) const noexcept {
    return !dropped && status == ChildState::restarting && attempt == retry;
  }
  /// Why it ended, or did not start. In `vacant` and `gone`.
  [[nodiscard]] ExitReason reason() noexcept;
  [[nodiscard]] ChildRef ref() const noexcept;
  [[nodiscard]] CellBase* cell() const noexcept { return cell_; }
  [[nodiscard]] ChildInfo info() const;
  /// For people: its id, or what its actor is.
  [[nodiscard]] std::string label() const;
  /// It will not be made again.
  void forget_arguments() noexcept { arguments_ = nullptr; }

  /// Begins a start, or a restart if the slot is vacant. Nothing if it came to that: then the
  /// outcome is known.
  void begin(Scheduler& scheduler, ExitReason why, Started& outcome, bool& settled) noexcept;
  /// A start has settled.
  [[nodiscard]] Started settle_start();
  /// True: it is on its way out. False: there is nothing to wait for.
  [[nodiscard]] bool begin_stop(bool for_good);
  void kill();
  /// A vacant slot: it will be gone.
  void conclude() noexcept;
  /// It is gone: no slot any more.
  void forget_slot() noexcept;
  /// Sends the supervisor its event; one too many is stale.
  void tell() noexcept { post_(*supervisor_, *this); }
  /// The supervisor has ended without stopping it.
  void orphan() noexcept;
  /// The same, and gives its reference up: no event of it is news any more.
  void disown() noexcept;

  // --- the supervisor's alone ---
  std::int64_t up_since_ns = 0;
  ActorId key;  // in a DynamicSet
  std::uint32_t restarts = 0;
  std::uint32_t in_a_row = 0;  // restarts without a good time between
  std::uint32_t attempt = 0;   // of a restart that is planned
  ChildState status = ChildState::undefined;
  bool dropped = false;  // its spec is gone

 private:
  friend class ChildWait;
  template <typename U>
  friend void pool_delete(U*) noexcept;
  ~Child();

  static void on_up(Supervised& self) noexcept;
  static void on_ending(Supervised& self, ExitReason const& reason, bool in_init) noexcept;
  static bool on_down(Supervised& self) noexcept;
  static void on_gone(Supervised& self) noexcept;
  [[nodiscard]] bool change(State state) noexcept;

  static constexpr Operations table{&on_up, &on_ending, &on_down, &on_gone};

  bool concluded_ = false;  // the supervisor's
  SpinLock lock_;
  atomic<std::uint32_t> refs_{1};
  State state_ = State::none;
  bool last_ : 1 = false;
  bool in_init_ : 1 = false;
  bool orphaned_ : 1 = false;
  bool expected_ : 1 = false;  // to end: the supervisor has seen to that, and needs no event
  WaitList* waiter_ = nullptr;
  CellBase* cell_ = nullptr;  // a strong reference
  CellBase* supervisor_;      // a memory reference
  PostChildEvent post_;
  ExitReason reason_;
  std::shared_ptr<ChildSpec const> spec_;
  ArgumentsPtr arguments_;  // of a template's child
};

// There may be a million of them.
static_assert(sizeof(Child) <= 128);

/// Starts or restarts it and waits until its init is done. `why`: of the restart.
[[nodiscard]] Task<Started> start(Child* child, ExitReason why);
/// Stops it as its spec says, and waits. `for_good`: the slot ends too.
[[nodiscard]] Task<void> stop(Child* child, bool for_good);
/// It is ending, or has ended: waits until that is over.
[[nodiscard]] Task<void> settle_end(Child* child);
/// The second half of stop(), after begin_stop() gave true.
[[nodiscard]] Task<void> finish_stop(Child* child, bool for_good, std::int64_t deadline_ns);
/// The pause before its next restart, in ns.
[[nodiscard]] std::int64_t next_pause(Child& child) noexcept;

}  // namespace spawned::detail
