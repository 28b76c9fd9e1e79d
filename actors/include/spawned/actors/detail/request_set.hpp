// RequestSetCore: several requests under way, taken in the order in which they complete.
//
// An entry waits at its request's slot and is in one of two lists, both under lock_:
//   waiting_   its reply has not come
//   ready_     its reply is there, oldest first; moved by the thread that brings the reply
// The owner takes from ready_, and otherwise registers its own slot to be woken by the next entry.
// Giving up: whoever moves an entry's slot out of `waiting` owns it. The owner does so for each
// entry that still waits; where it comes too late, the reply is on its way to ready_, and the owner
// waits for it, a few instructions of another thread.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>

#include <spawned/actors/detail/deferral.hpp>
#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned::detail {

class RequestSetCore {
 public:
  struct Entry : SlotWaiter {
    Entry(RequestBase* asked, void const* asked_actor) noexcept
        : SlotWaiter(&on_complete), request(asked), target(asked_actor) {}

    RequestBase* request;  // null: nothing to wait for
    void const* target;    // an identity: an actor must not wait for itself
    RequestSetCore* set = nullptr;
    Entry* previous = nullptr;
    Entry* next = nullptr;

   protected:
    ~Entry() = default;
  };

  RequestSetCore() noexcept = default;
  RequestSetCore(RequestSetCore const&) = delete;
  RequestSetCore& operator=(RequestSetCore const&) = delete;

  void add(Entry& entry) noexcept;
  /// The oldest that is ready, or nullptr.
  [[nodiscard]] Entry* take_ready() noexcept;
  /// One that waits for `target`, given up and taken out, or nullptr: owner of its request's slot
  /// is the actor now.
  [[nodiscard]] Entry* take_waiting_for(void const* target) noexcept;
  /// Any that waits, given up as well; or one that was on its way. nullptr: the set is empty.
  [[nodiscard]] Entry* give_up_one(bool& abandoned) noexcept;

  /// True: `slot` will be completed when an entry is ready. False: one is.
  [[nodiscard]] bool announce(Slot& slot) noexcept;
  /// After every announce() that was true: nobody uses the slot any more.
  void retract() noexcept;

 private:
  struct List {
    Entry* first = nullptr;
    Entry* last = nullptr;
    void append(Entry& entry) noexcept;
    void remove(Entry& entry) noexcept;
  };
  static void on_complete(SlotWaiter& waiter, bool turn_ends) noexcept;
  void becomes_ready(Entry& entry, bool turn_ends) noexcept;

  SpinLock lock_;
  List waiting_;
  List ready_;
  Slot* announced_ = nullptr;
};

}  // namespace spawned::detail
