// The awaiting side of a send that may wait for room.
#pragma once

#include <coroutine>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/mail_queue.hpp>
#include <spawned/actors/error.hpp>
#include <spawned/actors/request.hpp>
#include <spawned/runtime/detail/promise.hpp>
#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/result.hpp>

namespace spawned {

namespace detail {

/// The error of a message that push_mail() did not accept and that will not wait for room. Destroys
/// it; its sender is told, so it is no dead letter.
[[nodiscard]] ActorError refuse_waiting(CellBase& cell, Envelope& envelope, Pushed how);

/// Sends a message and blocks the thread until there is room.
[[nodiscard]] Result<void, ActorError> send_blocking(CellBase& cell, Envelope& envelope);

}  // namespace detail

/// What send_wait() returns: sends the message when awaited.
///
/// Awaiting   yields `Result<void>`: the message is in the mailbox.
/// Errors     `no_such_actor`  the actor had ended before, or ended before there was room;
/// reason().
///            `mailbox_full`   there is no room and the policy is another than `wait`.
///            `deadlock`       an actor would wait for room in its own mailbox.
///            `cancelled`      the calling task was cancelled while it waited.
///            After each of them the message was not sent, and is no dead letter.
/// Suspends   only when there is no room, until half the mailbox is free.
/// Ordering   first come, first let in; a message keeps its place in what its sender sends.
/// Cancel     withdraws the message, unless it was let in already: then the await succeeds.
/// Cost       one pooled block, as send; a wait for room is shared by half a mailbox of messages.
/// Example    tests/actors/bounded_test.cpp
class [[nodiscard("co_await it, or the message is never sent")]] SendAwaitable {
 public:
  SendAwaitable(detail::CellBase& cell, bool owned, detail::Envelope& envelope) noexcept
      : cell_(&cell),
        owned_(owned ? &cell : nullptr),
        envelope_(&envelope),
        room_(detail::RoomWait::For::send),
        wait_(detail::Slot::abandoned) {}
  SendAwaitable(SendAwaitable const&) = delete;
  SendAwaitable& operator=(SendAwaitable const&) = delete;
  ~SendAwaitable() {
    if (envelope_ != nullptr) give_back();
  }

  [[nodiscard]] bool await_ready() noexcept {
    how_ = cell_->push_mail(*envelope_);
    if (how_ == detail::Pushed::accepted) [[likely]] {
      envelope_ = nullptr;
      return true;
    }
    return how_ != detail::Pushed::no_room;
  }

  template <detail::runtime_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> caller) noexcept {
    detail::ExecutionContext& context = *caller.promise().context;
    if (&context == cell_) {
      self_ = true;
      return false;
    }
    waited_ = true;
    if (!wait_.prepare(caller, context, room_.slot)) return false;
    how_ = cell_->stand_in_line(*envelope_, room_, true);
    if (how_ != detail::Pushed::no_room) return wait_.retract();
    wait_.commit(detail::no_deadline);
    return true;
  }

  Result<void, ActorError> await_resume() {
    if (envelope_ == nullptr) return {};
    return outcome();
  }

 private:
  [[gnu::noinline]] Result<void, ActorError> outcome();
  [[gnu::noinline]] void give_back() noexcept;

  detail::CellBase* cell_;
  detail::CellGuard owned_;
  detail::Envelope* envelope_;  // null: it is in the mailbox
  detail::RoomWait room_;
  detail::SlotWait wait_;
  detail::Pushed how_ = detail::Pushed::accepted;
  bool self_ = false;
  bool waited_ = false;
};

}  // namespace spawned
