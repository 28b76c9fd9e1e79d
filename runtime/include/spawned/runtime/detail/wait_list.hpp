// WaitList: any number of waiters for one event that happens once.
#pragma once

#include <coroutine>

#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned::detail {

class WaitList {
 public:
  struct Node {
    Slot slot;
    Node* previous = nullptr;
    Node* next = nullptr;
    bool linked = false;  // guarded by the list's lock
  };

  /// False: the event has happened.
  [[nodiscard]] bool add(Node& node) noexcept;
  /// For a waiter that gives up, and after every wait: no notifier uses the node afterwards.
  void remove(Node& node) noexcept;
  /// The event: notifies everybody, once. Any thread.
  void close() noexcept;
  /// A moment's truth.
  [[nodiscard]] bool has_waiters() noexcept {
    SpinGuard const guard(lock_);
    return first_ != nullptr;
  }
  [[nodiscard]] bool is_closed() const noexcept {
    return closed_.load(memory_order_acquire);  // closed
  }

 private:
  // Orderings.
  //   closed    close() stores (release)  ->  is_closed() loads (acquire).
  //             Who sees the event also sees what happened before it.
  SpinLock lock_;
  atomic<bool> closed_{false};
  Node* first_ = nullptr;
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
