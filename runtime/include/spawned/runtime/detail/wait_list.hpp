// WaitList: any number of waiters for one event that happens once.
//
// A second kind of member, the guest, only uses the list's lock and place: whoever brings the event
// about takes the guests out, one by one, before. The list is a ring of which first_ is one member:
// guests come at the front, waiters at the back, so if there are guests, first_ is one.
#pragma once

#include <coroutine>
#include <cstdint>

#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned::detail {

class WaitList {
 public:
  /// Guarded by the list's lock, all of it.
  struct Member {
    Member* previous = nullptr;
    Member* next = nullptr;
    bool linked = false;
    bool guest = true;
    std::uint8_t tag = 0;  // the guest's own
  };
  struct Node : Member {
    Node() noexcept { guest = false; }
    Slot slot;
  };

  /// False: the event has happened.
  [[nodiscard]] bool add(Node& node) noexcept;
  /// For a waiter that gives up, and after every wait: no notifier uses the node afterwards.
  void remove(Node& node) noexcept { (void)take(node); }
  /// The event: notifies everybody, once. Any thread. False: there are guests, and nothing has
  /// happened.
  bool close() noexcept;
  /// Somebody waits, or is a guest. A moment's truth.
  [[nodiscard]] bool has_members() noexcept {
    SpinGuard const guard(lock_);
    return first_ != nullptr;
  }
  [[nodiscard]] bool is_closed() const noexcept {
    return closed_.load(memory_order_acquire);  // closed
  }

  class Pair;

  /// True: it was in the list, and is the caller's now.
  [[nodiscard]] bool take(Member& member) noexcept;
  /// For who brings the event about. The youngest guest, which is the caller's now, or nullptr.
  /// From the first on, the list is draining until end_drain().
  [[nodiscard]] Member* drain_guest() noexcept;
  void end_drain() noexcept;
  [[nodiscard]] bool is_draining(Pair& /*locked*/) const noexcept { return draining_; }

  /// Calls `look(guest)`, youngest first, until it says true.
  template <typename Look>
  void for_guests(Pair& /*locked*/, Look&& look) noexcept {
    Member* each = first_;
    while (each != nullptr && each->guest && !look(*each)) {
      each = each->next != first_ ? each->next : nullptr;
    }
  }
  [[nodiscard]] std::uint32_t guest_count() const noexcept {
    return guests_.load(memory_order_relaxed);  // a hint, or under the lock
  }

 private:
  // Orderings.
  //   closed    close() stores (release)  ->  is_closed() loads (acquire).
  //             Who sees the event also sees what happened before it.
  void insert(Member& member) noexcept;
  void insert_guest(Member& guest) noexcept;
  void unlink(Member& member) noexcept;

  SpinLock lock_;
  atomic<bool> closed_{false};
  bool draining_ = false;
  atomic<std::uint32_t> guests_{0};
  Member* first_ = nullptr;
};

/// Both locks of two different lists, for guests that come and go in pairs. Taken in the order of
/// addresses; nobody takes a list's lock with another's in hand but here.
class WaitList::Pair {
 public:
  Pair(WaitList& first, WaitList& second) noexcept;
  Pair(Pair const&) = delete;
  Pair& operator=(Pair const&) = delete;
  ~Pair();

  /// False: one of the events has happened, and neither is listed.
  [[nodiscard]] bool add(Member& of_first, Member& of_second) noexcept;
  /// How many of the two were listed; they are the caller's now.
  [[nodiscard]] std::uint32_t take(Member& of_first, Member& of_second) noexcept;

 private:
  WaitList& first_;
  WaitList& second_;
};

/// Awaiter core for a WaitList: `outcome` tells whether the event, the time or a cancellation came.
class ListWait {
 public:
  explicit ListWait(WaitList& list) noexcept : list_(&list), wait_(Slot::abandoned) {}
  ListWait(ListWait const&) = delete;
  ListWait& operator=(ListWait const&) = delete;
  ~ListWait() {
    if (added_) (void)finish();
  }

  [[nodiscard]] bool suspend(std::coroutine_handle<> handle, ExecutionContext& context,
                             std::int64_t timeout_ns = no_deadline) noexcept {
    if (!list_->add(node_)) return false;
    added_ = true;
    return wait_.suspend(handle, context, node_.slot, timeout_ns);
  }
  WaitOutcome finish() noexcept {
    WaitOutcome const outcome = wait_.finish();
    if (added_) list_->remove(node_);
    added_ = false;
    return outcome;
  }
  [[nodiscard]] SlotWait& slot_wait() noexcept { return wait_; }
  [[nodiscard]] ExecutionContext& context() const noexcept { return wait_.context(); }

 private:
  WaitList* list_;
  WaitList::Node node_;
  SlotWait wait_;
  bool added_ = false;
};

/// Blocks the calling thread until the event; false after `timeout_ns`.
[[nodiscard]] bool wait_blocking(WaitList& list, std::int64_t timeout_ns = no_deadline) noexcept;

}  // namespace spawned::detail
