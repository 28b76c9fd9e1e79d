// ChannelCore: the part of a channel that does not depend on the type of its values.
//
// Values travel in nodes that their sender allocates, so that under the lock only pointers move.
// A node is with its sender, then in the queue, then with the receiver. What finds no room waits in
// `pending_`, with its sender; every place that becomes free goes to the oldest of those, so nobody
// overtakes. A sender that gives up takes its node back under the lock, and either finds it in
// `pending_` or learns that it was sent.
//
//   PendingSend::state   set by                  means
//   idle                 its sender              not in `pending_`
//   waiting              its sender              in `pending_`, the node is the sender's
//   accepted             who makes room          the node is in the queue or further
//   closed               close()                 not in `pending_`, the node is the sender's
//
// Everything here is guarded by the lock. Waiters are notified after it is released: the exchange
// of their slot's word under the lock gives the right to do so (Slot::complete_quietly()), and they
// do not go on, nor does their frame go, before that.
#pragma once

#include <cstddef>
#include <cstdint>

#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned::detail {

struct ChannelNode {
  ChannelNode* next = nullptr;
};

/// A send that waits for room. Lives in the awaiter, or on the stack of a blocked thread.
struct PendingSend {
  enum class State : std::uint8_t { idle, waiting, accepted, closed };

  Slot slot;
  ChannelNode* node = nullptr;
  PendingSend* previous = nullptr;
  PendingSend* next = nullptr;
  State state = State::idle;
};

class ChannelCore {
 public:
  enum class Admission : std::uint8_t { accepted, full, closed };

  explicit ChannelCore(std::size_t capacity) noexcept : capacity_(capacity) {}
  ChannelCore(ChannelCore const&) = delete;
  ChannelCore& operator=(ChannelCore const&) = delete;

  // --- senders ---
  void add_sender() noexcept;
  /// True: this was the last user of the channel, the caller deletes it.
  [[nodiscard]] bool drop_sender() noexcept;

  /// Queues the node, unless it would have to wait.
  [[nodiscard]] Admission push(ChannelNode& node) noexcept;
  /// The same in two steps, to make the node in between; give_back() if that failed.
  [[nodiscard]] Admission reserve() noexcept;
  [[nodiscard]] Admission push_reserved(ChannelNode& node) noexcept;
  void give_back() noexcept;

  /// Queues the node of `send` or lets it wait. Afterwards its state says which.
  void begin_send(PendingSend& send) noexcept;
  /// Takes back what still waits. Returns the state it was in.
  PendingSend::State end_send(PendingSend& send) noexcept;

  // --- the receiver ---
  /// The oldest node, or null.
  [[nodiscard]] ChannelNode* take() noexcept;
  /// True: there is nothing, and nothing will come.
  [[nodiscard]] bool is_ended() noexcept;
  /// Has `slot` completed when take() or is_ended() may have changed; at once if there is something
  /// already.
  /// Errors  std::logic_error when another slot is registered.
  void begin_receive(Slot& slot);
  void end_receive(Slot& slot) noexcept;
  /// No more sends. What is queued stays.
  void close() noexcept;
  [[nodiscard]] bool is_closed() noexcept;
  /// After close() and after the queue was emptied. True: as drop_sender().
  [[nodiscard]] bool drop_receiver() noexcept;

 private:
  struct Wakes;

  [[nodiscard]] bool has_room() const noexcept {
    return pending_first_ == nullptr && count_ < capacity_;
  }
  void append(ChannelNode& node, Wakes& wakes) noexcept;
  void admit(Wakes& wakes) noexcept;
  void wake_receiver(Wakes& wakes) noexcept;
  void unlink(PendingSend& send) noexcept;

  SpinLock lock_;
  bool closed_ = false;
  bool receiver_alive_ = true;
  std::size_t const capacity_;
  std::size_t count_ = 0;  // queued nodes and reserved places
  std::size_t senders_ = 1;
  ChannelNode* first_ = nullptr;
  ChannelNode* last_ = nullptr;
  PendingSend* pending_first_ = nullptr;
  PendingSend* pending_last_ = nullptr;
  Slot* receiver_ = nullptr;  // who waits for a value
};

/// Throws std::invalid_argument for a capacity of zero.
void check_channel_capacity(std::size_t capacity);

}  // namespace spawned::detail
