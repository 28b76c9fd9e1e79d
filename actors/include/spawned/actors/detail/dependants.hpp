// Dependants: what ends with its actor. Timers and listeners, in a list of the actor's side block.
//
// A dependant has an owner that keeps it going (wheel, mailbox or task) and a handle of the user's,
// each with one reference. Its state is guarded by the lock of the list:
//
//   state        set by                                means
//   arming       initial; resume()                     its keeper is about to arm it; not listed
//   waiting      keep()                                listed; a timer is armed
//   due          expire()                              listed apart; its turn comes in run_due()
//   sending      run_due(), begin_send()               a message of it is on its way
//   sent         run_due(), begin_send(last)           its only message has left
//   finished     finish()                              nothing more will come of it, by itself
//   cancelled    cancel()                              by its handle
//   actor_ended  keep(), expire(), close()             with its actor
// What leaves arming, waiting or due for an end is disarmed and let go by whoever moved it; what
// leaves `sending` is let go by the sender, who asks when he is done. So a dependant is let go
// once, and never while its message is being made.
//
// Locks.  A timer expires under its wheel's lock, and takes the list's. Nothing takes a wheel's
//         lock while it holds a list's.
// End.    close() comes after the mailbox was closed. A list that is used for the first time may be
//         younger than that, so its first user asks the mailbox word with confirm_open(): either it
//         is closed, or the end of the actor, which looks for the side block after it has closed
//         the word, finds the list (rule `end` of mailbox.hpp).
//
// Orderings.
//   pin       unpin() subtracts (release)  ->  close() loads pins_ (acquire).
//             An actor does not end, nor does its runtime, while somebody outside arms or cancels.
//   refs      drop() subtracts (acq_rel)  ->  drop() loads (acquire) or subtracts (acq_rel).
//             The last owner frees the block after everybody else is done with it.
#pragma once

#include <cstdint>
#include <string>

#include <spawned/actors/detail/ring.hpp>
#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/scheduling.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned::detail {

class CellBase;
class Dependants;

/// Is born with two references, of its keeper and of its handle, and one to its actor's cell.
struct Dependant : RingLinks {
  enum class State : std::uint8_t {
    arming,
    waiting,
    due,
    sending,
    sent,
    finished,
    cancelled,
    actor_ended
  };
  struct Operations {
    /// Its time has come. Called outside every lock, for one dependant of an actor at a time.
    void (*send)(Dependant&) noexcept;
    /// It was cancelled, or its actor has ended. Called outside every lock: first, no code of the
    /// user's runs and the runtime is there; then, the message goes and the keeper's reference.
    void (*disarm)(Dependant&) noexcept;
    void (*let_go)(Dependant&) noexcept;
    void (*destroy)(Dependant&) noexcept;
    /// Of a timer that somebody has set: tell() what it sends. Null: it is something else.
    void (*identify)(Dependant&) noexcept = nullptr;
  };

  /// Makes the actor's side block if there is none. Errors: std::bad_alloc.
  Dependant(CellBase& actor, Operations const& table, bool many);
  Dependant(Dependant const&) = delete;
  Dependant& operator=(Dependant const&) = delete;

  void hold() noexcept { refs.fetch_add(1, memory_order_relaxed); }  // the caller holds one
  void drop() noexcept {
    bool last = refs.load(memory_order_acquire) == 1;                // refs; nobody adds to one
    if (!last) last = refs.fetch_sub(1, memory_order_acq_rel) == 1;  // refs
    if (last) operations->destroy(*this);
  }

  /// The list it belongs to, of its actor.
  [[nodiscard]] Dependants& group() const noexcept;

  CellBase* target;
  Operations const* operations;
  WorkerLocal const* sender = nullptr;  // who sends it; guarded by the list's lock
  atomic<std::uint32_t> refs{2};
  State state = State::arming;  // guarded by the list's lock
  bool released = false;        // whoever ended it lets it go; guarded by the list's lock
  bool repeats;                 // it may send more than once

 protected:
  ~Dependant();
};

/// Also the unit of work that sends what is due, for one actor in the order of expiry.
class Dependants final : public Runnable {
 public:
  Dependants() noexcept;

  /// The actor and its runtime stay until unpin(). False: the actor has ended.
  [[nodiscard]] bool pin(CellBase& cell) noexcept;
  void unpin() noexcept { pins_.fetch_sub(1, memory_order_release); }  // pin

  /// The dependant is armed, or its actor is pinned: lists it, unless it has expired already.
  /// False: it has come to its end meanwhile, and the caller disarms it and lets it go. The caller
  /// holds a reference.
  [[nodiscard]] bool keep(Dependant& dependant) noexcept;

  /// Under a wheel's lock. Returns what to run, or nullptr.
  [[nodiscard]] Runnable* expire(Dependant& dependant) noexcept;

  /// False: too late. After it returns, no further message of the dependant is on its way; one that
  /// sends many may have sent some before.
  bool cancel(Dependant& dependant) noexcept;

  /// For what no wheel keeps, or not yet: its keeper is about to send. False: it must not any more.
  /// `last`: it is sent and over.
  [[nodiscard]] bool begin_send(Dependant& dependant, bool last) noexcept;
  void end_send(Dependant& dependant) noexcept;

  /// After Operations::send of a timer that repeats: true: arm it again, then keep() it. False: it
  /// is over, let it go.
  [[nodiscard]] bool resume(Dependant& dependant) noexcept;

  /// What was sent found the mailbox closed.
  void note_end(Dependant& dependant) noexcept;

  /// Its keeper is done, for the reason `end`, unless it has come to another before.
  void finish(Dependant& dependant, Dependant::State end) noexcept;

  [[nodiscard]] Dependant::State state(Dependant const& dependant) noexcept;
  /// True: it is waiting; the actor stays until unpin(). `copy` is then what `of_keeper`, which
  /// only its keeper changes, is now.
  [[nodiscard]] bool pin_waiting(Dependant const& dependant, std::int64_t const& of_keeper,
                                 std::int64_t& copy) noexcept;

  /// See LiveKind::describe_timers. Nobody else is at work on the actor.
  [[nodiscard]] std::string describe_timers(CellBase const& cell);

  /// The actor, or its incarnation, has ended. Stops everything.
  void close() noexcept;
  /// A new incarnation begins.
  void reopen() noexcept;

 private:
  enum class Phase : std::uint8_t { unused, open, closed };

  static void run_due(Runnable& runnable) noexcept;
  [[nodiscard]] bool is_open(CellBase& cell) noexcept;
  [[nodiscard]] Dependant* take_due() noexcept;
  [[nodiscard]] Dependant* take_any() noexcept;
  void wait_for_sender(Dependant const& dependant) noexcept;

  static constexpr unsigned budget = 256;  // dependants in one turn

  SpinLock lock_;
  RingLinks waiting_;
  RingLinks due_;
  CellBase* cell_ = nullptr;
  atomic<std::uint32_t> pins_{0};
  Phase phase_ = Phase::unused;
  bool queued_ = false;  // as a unit of work; holds a reference to the cell meanwhile
};

}  // namespace spawned::detail
