// UnreferencedStop: the stop that an actor with ActorOptions::stop_when_unreferenced gets when its
// last ref goes. It takes its place in the mailbox behind what was sent before; when its turn comes
// and somebody has made a new ref meanwhile, the actor lives on.
//
// The block is made with the actor, because a ref that goes away cannot report a lack of memory,
// and is posted again and again. posted_ says whether it is in the mailbox.
//
// Orderings.
//   posted    post() exchanges posted_ (acq_rel)  ->  its turn exchanges posted_ (acq_rel).
//             Either the turn sees the refs as the last one left them, or post() sees posted_
//             cleared and posts anew.
#pragma once

#include <spawned/actors/detail/cell.hpp>

namespace spawned::detail {

class UnreferencedStop final : public Envelope {
 public:
  UnreferencedStop() noexcept : Envelope(&deliver_unreferenced) {}

  /// After the last ref went; the caller keeps the cell. Any thread.
  void post(CellBase& cell) noexcept;

 private:
  static Turn deliver_unreferenced(CellBase* cell, Envelope& envelope, Operation operation);
  atomic<bool> posted_{false};
};

/// Errors  std::bad_alloc.
[[nodiscard]] UnreferencedStop* make_unreferenced_stop();

}  // namespace spawned::detail
