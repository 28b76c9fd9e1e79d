// WaitEdge: that one actor waits for another. Edges make cycles of requests visible.
//
// A cell points at its edge from before it sends until it goes on. To close a cycle, somebody must
// publish the last edge of it, and then look: he finds the whole chain. So of several that close it
// at once, at least one finds it.
//   enter   publish the own edge, then look whether the target waits too. If not: done. If so, walk
//           along the edges under the lock. Twice: the second pass makes sure that every edge of
//           the first is still there and that its wait is not over; then all were there in between.
//           A PendingReply may be answered before its wait has begun, so of such a wait the walker
//           looks at the slot too, also at that of his own: whoever answered it did so before he
//           published the edge that the walker has come by.
//   leave   unpublish, then wait for the walkers under way, if any: they may be at this edge.
//
// Orderings.
//   edge      enter() stores waits_for_ (seq_cst)  ->  enter() of another loads it (seq_cst).
//             Of two that publish and look, one sees the other. Who sees an edge of an actor also
//             sees that the waits it has answered before are settled.
//   walkers   Walk() adds to walkers (seq_cst)  ->  leave() stores waits_for_, then loads walkers
//             (seq_cst). Either the walker sees the edge gone, or leave() sees the walker. What an
//             edge points at lives until leave() is over: the wait, and the slot of a PendingReply,
//             which nobody abandons while it is awaited.
#pragma once

#include <cstdint>
#include <source_location>
#include <string_view>

#include <spawned/actors/error.hpp>
#include <spawned/runtime/detail/slot.hpp>

namespace spawned::detail {

class CellBase;
class WaitTarget;

class WaitEdge {
 public:
  /// What shows that a wait is over: one of the waits, and the slot if it was published before.
  struct Signs {
    SlotWait* wait = nullptr;       // of a coroutine, or
    ThreadWait* blocked = nullptr;  // of a thread
    Slot const* slot = nullptr;
  };

  WaitEdge(CellBase& waiter, CellBase& target, Signs signs, std::source_location where) noexcept
      : waiter_(&waiter), target_(&target), signs_(signs), where_(where) {}

  /// On the waiter's turn, before it waits. Null: its runtime does not look for cycles, or there is
  /// no memory to. `where` is for the names: the line of the await, if there is one.
  [[nodiscard]] static WaitEdge* enter(CellBase& waiter, CellBase& target, SlotWait& wait,
                                       std::source_location where) noexcept;
  /// The same for an actor that blocks its thread.
  [[nodiscard]] static WaitEdge* enter(CellBase& waiter, CellBase& target,
                                       ThreadWait& wait) noexcept;
  /// The same for a request that is under way since before, and perhaps answered; a wait and its
  /// slot. Null also if the target's runtime does not look for cycles: none leads through it.
  [[nodiscard]] static WaitEdge* enter(CellBase& waiter, WaitTarget const& target, Signs signs,
                                       std::source_location where = {}) noexcept;
  /// The wait is over. Sets `edge` to null.
  static void leave(WaitEdge*& edge) noexcept;

  /// Nothing was published: do not wait.
  [[nodiscard]] bool closes_cycle() const noexcept { return closes_cycle_; }
  /// `deadlock`, with the names of all.
  [[nodiscard]] ActorError error() const noexcept { return {ActorError::Kind::deadlock, names_}; }

 private:
  class Walk;
  static WaitEdge* publish(CellBase& waiter, CellBase& target, Signs signs,
                           std::source_location where) noexcept;
  [[nodiscard]] bool is_settled() const noexcept {
    if (signs_.slot != nullptr && signs_.slot->is_done()) return true;
    return signs_.wait != nullptr ? signs_.wait->is_settled() : signs_.blocked->is_settled();
  }
  void find_cycle() noexcept;
  [[nodiscard]] bool is_on_cycle() const noexcept;
  [[nodiscard]] bool holds_still() const noexcept;
  void name_cycle() noexcept;

  CellBase* waiter_;
  CellBase* target_;
  Signs signs_;
  std::source_location where_;
  ExitReason names_;
  bool closes_cycle_ = false;
};

struct Envelope;

/// What a coroutine's wait for another does before it begins, where await_checks says that there is
/// something to do: limits it by the deadline of the request in work, publishes its edge, which it
/// returns (or null), and tells whoever drives a simulation. The latter not if the edge closes a
/// cycle.
[[nodiscard]] WaitEdge* check_request(ExecutionContext& waiter, CellBase& target, Envelope& request,
                                      SlotWait& wait, std::int64_t& timeout_ns,
                                      std::source_location where) noexcept;
/// The same for a request that is under way since before.
[[nodiscard]] WaitEdge* check_pending(ExecutionContext& waiter, WaitTarget const& target,
                                      Envelope& request, WaitEdge::Signs signs,
                                      std::int64_t& timeout_ns,
                                      std::source_location where) noexcept;
/// The same for a wait for the end of an actor, which no deadline limits.
[[nodiscard]] WaitEdge* check_exit(ExecutionContext& waiter, CellBase& target, SlotWait& wait,
                                   std::source_location where) noexcept;
/// For an actor that blocks its thread: tells whoever drives a simulation.
void tell_blocking(CellBase& waiter, void const* target, Envelope& request) noexcept;

/// Leaves the edge at the end of a scope.
class EdgeGuard {
 public:
  explicit EdgeGuard(WaitEdge* edge) noexcept : edge_(edge) {}
  EdgeGuard(EdgeGuard const&) = delete;
  EdgeGuard& operator=(EdgeGuard const&) = delete;
  ~EdgeGuard() {
    if (edge_ != nullptr) WaitEdge::leave(edge_);
  }

 private:
  WaitEdge* edge_;
};

}  // namespace spawned::detail
