#include <cstddef>
#include <stdexcept>
#include <utility>

#include <spawned/runtime/detail/channel_core.hpp>
#include <spawned/runtime/errors.hpp>

namespace spawned::detail {

namespace {

[[noreturn]] void throw_two_receivers() {
  throw std::logic_error(
      "ChannelReceiver: another task or thread waits for the next value already; a channel serves "
      "one at a time");
}

/// The await is over, but others should run before the task goes on. Last use of its frame.
void let_others_run(std::coroutine_handle<> handle, ExecutionContext& context) noexcept {
  context.resume_point.set(handle);
  context.close_gate();
  schedule_last(context);
  context.open_gate();
}

}  // namespace

// --- the parts, under the lock ---

void ChannelCore::append(ChannelItem& item) noexcept {
  item.next = nullptr;
  (oldest_ == nullptr ? oldest_ : newest_->next) = &item;
  newest_ = &item;
  wake_receiver();
}

void ChannelCore::unlink(Sending& sending) noexcept {
  (sending.previous == nullptr ? first_sending_ : sending.previous->next) = sending.next;
  (sending.next == nullptr ? last_sending_ : sending.next->previous) = sending.previous;
  sending.linked = false;
}

// A value has left, or will not come: its place goes to the sender that waits longest.
void ChannelCore::free_place() noexcept {
  if (first_sending_ == nullptr) {
    --used_;
    return;
  }
  Sending& sending = *first_sending_;
  unlink(sending);
  sending.taken = true;
  append(*sending.item);
  (void)sending.slot.complete();  // one that gave up takes our lock before it goes
}

void ChannelCore::wake_receiver() noexcept {
  if (receiving_ == nullptr) return;
  (void)std::exchange(receiving_, nullptr)->slot.complete();  // as above
}

void ChannelCore::refuse_senders() noexcept {
  while (first_sending_ != nullptr) {
    Sending& sending = *first_sending_;
    unlink(sending);
    (void)sending.slot.complete();  // as above
  }
}

// --- senders ---

void ChannelCore::add_sender() noexcept {
  SpinGuard const guard(lock_);
  ++senders_;
}

bool ChannelCore::drop_sender() noexcept {
  SpinGuard const guard(lock_);
  --senders_;
  if (ended()) wake_receiver();
  return senders_ == 0 && receiver_gone_;
}

ChannelCore::Offer ChannelCore::offer(Sending& sending) noexcept {
  SpinGuard const guard(lock_);
  if (closed_) return Offer::closed;
  if (used_ < capacity_) {
    ++used_;
    sending.taken = true;
    append(*sending.item);
    return Offer::taken;
  }
  sending.previous = last_sending_;
  (last_sending_ == nullptr ? first_sending_ : last_sending_->next) = &sending;
  last_sending_ = &sending;
  sending.linked = true;
  return Offer::full;
}

bool ChannelCore::withdraw(Sending& sending) noexcept {
  SpinGuard const guard(lock_);
  if (sending.linked) unlink(sending);
  return sending.taken;
}

ChannelCore::Offer ChannelCore::reserve() noexcept {
  SpinGuard const guard(lock_);
  if (closed_) return Offer::closed;
  if (used_ == capacity_) return Offer::full;
  ++used_;
  return Offer::taken;
}

bool ChannelCore::fill(ChannelItem& item) noexcept {
  SpinGuard const guard(lock_);
  if (receiver_gone_) return false;
  append(item);
  return true;
}

void ChannelCore::unreserve() noexcept {
  SpinGuard const guard(lock_);
  free_place();
  if (ended()) wake_receiver();
}

bool ChannelCore::is_closed() noexcept {
  SpinGuard const guard(lock_);
  return closed_;
}

// --- the receiver ---

ChannelCore::Look ChannelCore::look(Receiving* receiving) noexcept {
  SpinGuard const guard(lock_);
  if (receiving_ != nullptr) return Look::busy;
  if (oldest_ != nullptr) return Look::item;
  if (ended()) return Look::ended;
  receiving_ = receiving;
  return Look::nothing;
}

void ChannelCore::end_receive(Receiving& receiving) noexcept {
  SpinGuard const guard(lock_);
  if (receiving_ == &receiving) receiving_ = nullptr;
}

ChannelItem* ChannelCore::take() noexcept {
  SpinGuard const guard(lock_);
  ChannelItem* const item = oldest_;
  if (item == nullptr) return nullptr;
  oldest_ = item->next;
  free_place();
  return item;
}

void ChannelCore::close() noexcept {
  SpinGuard const guard(lock_);
  closed_ = true;
  refuse_senders();
  if (ended()) wake_receiver();
}

ChannelCore::Rest ChannelCore::drop_receiver() noexcept {
  SpinGuard const guard(lock_);
  closed_ = true;
  receiver_gone_ = true;
  refuse_senders();
  return {std::exchange(oldest_, nullptr), senders_ == 0};
}

// --- waits of tasks ---

bool ChannelSendWait::suspend(std::coroutine_handle<> handle, ExecutionContext& context) noexcept {
  if (core_ == nullptr) return false;
  // A wait that nobody can complete gives the cancellation its say, also where there is room.
  if (context.is_cancelled()) return wait_.suspend(handle, context, sending_.slot);
  switch (core_->offer(sending_)) {
    case ChannelCore::Offer::full:
      in_line_ = true;
      return wait_.suspend(handle, context, sending_.slot);
    case ChannelCore::Offer::taken:
      if (!core_->is_long_run()) return false;
      let_others_run(handle, context);
      return true;
    case ChannelCore::Offer::closed:
      return false;
  }
  return false;
}

ChannelSendWait::Outcome ChannelSendWait::finish() noexcept {
  if (core_ == nullptr) return Outcome::closed;
  WaitOutcome const outcome = wait_.finish();
  if (std::exchange(in_line_, false)) (void)core_->withdraw(sending_);
  if (sending_.taken) return Outcome::taken;
  return outcome == WaitOutcome::cancelled ? Outcome::cancelled : Outcome::closed;
}

bool ChannelReceiveWait::suspend(std::coroutine_handle<> handle, ExecutionContext& context) {
  if (core_ == nullptr) return false;
  if (context.is_cancelled()) return wait_.suspend(handle, context, receiving_.slot);
  switch (core_->look(&receiving_)) {
    case ChannelCore::Look::nothing:
      registered_ = true;
      return wait_.suspend(handle, context, receiving_.slot);
    case ChannelCore::Look::item:
      if (!core_->is_long_run()) return false;
      let_others_run(handle, context);
      return true;
    case ChannelCore::Look::ended:
      return false;
    case ChannelCore::Look::busy:
      throw_two_receivers();
  }
  return false;
}

WaitOutcome ChannelReceiveWait::finish() noexcept {
  WaitOutcome const outcome = wait_.finish();
  if (std::exchange(registered_, false)) core_->end_receive(receiving_);
  return outcome;
}

// --- waits of threads ---

bool channel_send_blocking(ChannelCore& core, ChannelItem& item) {
  require_no_worker("ChannelSender::send_blocking");
  ChannelCore::Sending sending;
  sending.item = &item;
  switch (core.offer(sending)) {
    case ChannelCore::Offer::taken:
      return true;
    case ChannelCore::Offer::closed:
      return false;
    case ChannelCore::Offer::full:
      break;
  }
  ThreadWait wait;
  (void)wait.wait(sending.slot);
  return core.withdraw(sending);
}

ChannelItem* channel_receive_blocking(ChannelCore& core) {
  require_no_worker("ChannelReceiver::receive_blocking");
  ChannelCore::Receiving receiving;
  ChannelCore::Look const seen = core.look(&receiving);
  if (seen == ChannelCore::Look::busy) throw_two_receivers();
  if (seen == ChannelCore::Look::nothing) {
    ThreadWait wait;
    (void)wait.wait(receiving.slot);
    core.end_receive(receiving);
  }
  return core.take();
}

std::size_t checked_channel_capacity(std::size_t capacity) {
  if (capacity == 0) {
    throw std::invalid_argument(
        "channel: a capacity of zero would hold no value; give 1 or more, or use "
        "unbounded_channel()");
  }
  return capacity;
}

}  // namespace spawned::detail
