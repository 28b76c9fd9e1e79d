#include <spawned/runtime/channel.hpp>

#include <stdexcept>

namespace spawned {

char const* to_string(TrySend result) noexcept {
  switch (result) {
    case TrySend::ok:
      return "ok";
    case TrySend::full:
      return "full";
    case TrySend::closed:
      return "closed";
  }
  return "?";
}

namespace detail {

/// Whom to notify after the lock is released: declare it before the guard.
struct ChannelCore::Wakes {
  Wakes() noexcept = default;
  Wakes(Wakes const&) = delete;
  Wakes& operator=(Wakes const&) = delete;
  ~Wakes() {
    for (SlotWaiter* const waiter : {sender, receiver}) {
      if (waiter != nullptr) waiter->notify(*waiter, false);
    }
  }

  SlotWaiter* sender = nullptr;
  SlotWaiter* receiver = nullptr;
};

void ChannelCore::append(ChannelNode& node, Wakes& wakes) noexcept {
  node.next = nullptr;
  (first_ == nullptr ? first_ : last_->next) = &node;
  last_ = &node;
  wake_receiver(wakes);
}

void ChannelCore::wake_receiver(Wakes& wakes) noexcept {
  if (receiver_ == nullptr) return;
  wakes.receiver = receiver_->complete_quietly();
  receiver_ = nullptr;
}

void ChannelCore::unlink(PendingSend& send) noexcept {
  (send.previous == nullptr ? pending_first_ : send.previous->next) = send.next;
  (send.next == nullptr ? pending_last_ : send.next->previous) = send.previous;
}

void ChannelCore::admit(Wakes& wakes) noexcept {
  if (pending_first_ == nullptr || count_ == capacity_) return;
  PendingSend& send = *pending_first_;
  unlink(send);
  send.state = PendingSend::State::accepted;
  ++count_;
  append(*send.node, wakes);
  wakes.sender = send.slot.complete_quietly();
}

void ChannelCore::add_sender() noexcept {
  SpinGuard const guard(lock_);
  ++senders_;
}

bool ChannelCore::drop_sender() noexcept {
  Wakes wakes;
  SpinGuard const guard(lock_);
  if (--senders_ != 0) return false;
  wake_receiver(wakes);
  return !receiver_alive_;
}

ChannelCore::Admission ChannelCore::push(ChannelNode& node) noexcept {
  Wakes wakes;
  SpinGuard const guard(lock_);
  if (closed_) return Admission::closed;
  if (!has_room()) return Admission::full;
  ++count_;
  append(node, wakes);
  return Admission::accepted;
}

ChannelCore::Admission ChannelCore::reserve() noexcept {
  SpinGuard const guard(lock_);
  if (closed_) return Admission::closed;
  if (!has_room()) return Admission::full;
  ++count_;
  return Admission::accepted;
}

ChannelCore::Admission ChannelCore::push_reserved(ChannelNode& node) noexcept {
  Wakes wakes;
  SpinGuard const guard(lock_);
  if (closed_) return Admission::closed;
  append(node, wakes);
  return Admission::accepted;
}

void ChannelCore::give_back() noexcept {
  Wakes wakes;
  SpinGuard const guard(lock_);
  --count_;
  admit(wakes);
}

void ChannelCore::begin_send(PendingSend& send) noexcept {
  Wakes wakes;
  SpinGuard const guard(lock_);
  if (closed_) {
    send.state = PendingSend::State::closed;
  } else if (has_room()) {
    send.state = PendingSend::State::accepted;
    ++count_;
    append(*send.node, wakes);
  } else {
    send.state = PendingSend::State::waiting;
    send.previous = pending_last_;
    send.next = nullptr;
    (pending_last_ == nullptr ? pending_first_ : pending_last_->next) = &send;
    pending_last_ = &send;
  }
  if (send.state != PendingSend::State::waiting) (void)send.slot.complete_quietly();
}

PendingSend::State ChannelCore::end_send(PendingSend& send) noexcept {
  SpinGuard const guard(lock_);
  PendingSend::State const before = send.state;
  if (before == PendingSend::State::waiting) {
    unlink(send);
    send.state = PendingSend::State::idle;
  }
  return before;
}

ChannelNode* ChannelCore::take() noexcept {
  Wakes wakes;
  SpinGuard const guard(lock_);
  ChannelNode* const node = first_;
  if (node == nullptr) return nullptr;
  first_ = node->next;
  --count_;
  admit(wakes);
  return node;
}

bool ChannelCore::is_ended() noexcept {
  SpinGuard const guard(lock_);
  return first_ == nullptr && (closed_ || senders_ == 0);
}

void ChannelCore::begin_receive(Slot& slot) {
  SpinGuard const guard(lock_);
  if (receiver_ != nullptr) {
    throw std::logic_error("ChannelReceiver: another call waits for a value already");
  }
  if (first_ != nullptr || closed_ || senders_ == 0) {
    (void)slot.complete_quietly();
  } else {
    receiver_ = &slot;
  }
}

void ChannelCore::end_receive(Slot& slot) noexcept {
  SpinGuard const guard(lock_);
  if (receiver_ == &slot) receiver_ = nullptr;
}

void ChannelCore::close() noexcept {
  {
    Wakes wakes;
    SpinGuard const guard(lock_);
    closed_ = true;
    wake_receiver(wakes);
  }
  for (;;) {  // one at a time, to notify each after unlocking
    Wakes wakes;
    SpinGuard const guard(lock_);
    if (pending_first_ == nullptr) return;
    PendingSend& send = *pending_first_;
    unlink(send);
    send.state = PendingSend::State::closed;
    wakes.sender = send.slot.complete_quietly();
  }
}

bool ChannelCore::is_closed() noexcept {
  SpinGuard const guard(lock_);
  return closed_;
}

bool ChannelCore::drop_receiver() noexcept {
  SpinGuard const guard(lock_);
  receiver_alive_ = false;
  return senders_ == 0;
}

void check_channel_capacity(std::size_t capacity) {
  if (capacity == 0) {
    throw std::invalid_argument(
        "channel: the capacity is 0, which no value fits in; it must be at least 1");
  }
}

}  // namespace detail

}  // namespace spawned
