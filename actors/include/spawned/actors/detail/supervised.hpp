// Supervised: what an actor under a supervisor has beside its cell. The mechanism of a restart in
// place; the policy is in module supervision.
//
// A supervised actor is a slot: its cell, its mailbox, its refs, names and memberships. What runs
// in it is an incarnation. When an incarnation ends, its state is destroyed, the supervisor is told
// (`ending`), its timers go, its links and monitors fire. Unless the supervisor (`down`) says that
// the slot ends too, the slot is vacant then: nobody runs, mail gathers, the cell is the
// supervisor's. It makes a new state and calls CellBase::restart(), or CellBase::conclude(), once.
//
// Exit signals are for incarnations. From the end of one to the begin of the next the door is shut
// (CellExtra::exit_phase), so that a signal to the old one never ends the new one:
//
//   exit_phase  set by                              means
//   none        initial, restart()                  the next signal is accepted
//   claimed     exit_for_good()                     a signal is on its way in
//   delivered   exit_for_good(), shut_exit_door()   it is in, or none comes in any more
//
// Orderings.
//   door      exit_for_good() stores `delivered` (release)  ->  shut_exit_door() loads (acquire);
//             restart() stores `none` (release)  ->  exit_for_good() CASes (acquire).
//             A sender is done with the cell's words before they are reset, and sees them reset.
#pragma once

#include <spawned/actors/detail/ancestry.hpp>
#include <spawned/actors/exit_reason.hpp>

namespace spawned::detail {

struct Supervised {
  /// Called by whoever runs the actor; they must not block. `in_init`: it never came up.
  struct Operations {
    /// Init is done. Not called for an actor without init.
    void (*up)(Supervised&) noexcept;
    /// An incarnation has ended; nobody else has heard of it yet. `down` or `gone` follows.
    void (*ending)(Supervised&, ExitReason const& reason, bool in_init) noexcept;
    /// Everybody has. True: the slot is vacant, and the caller's no more. False: the slot ends now,
    /// and `gone` follows.
    bool (*down)(Supervised&) noexcept;
    /// The slot has ended. The actor's last touch of the record.
    void (*gone)(Supervised&) noexcept;
  };

  explicit Supervised(Operations const& table) noexcept : operations(&table) {}
  Supervised(Supervised const&) = delete;
  Supervised& operator=(Supervised const&) = delete;

  Operations const* operations;
  Ancestor* ancestor = nullptr;  // the supervisor, as the ancestor of its children; kept by it

 protected:
  ~Supervised() = default;
};

}  // namespace spawned::detail
