// ChannelCore: a channel without the type of its values. One lock guards all of it. What knows the
// type of the values is at the end.
//
// Room. `used_` counts the values in the queue and the places reserved for values that are being
// built. Senders wait only while used_ == capacity_, and who takes a value hands its place to the
// sender that waits longest: moves that sender's value into the queue and wakes it. So a value is
// sent, or not, under the lock; what a sender's cancellation finds afterwards is `taken`.
//
// The waiting receiver is woken and takes its value itself when it runs, so a value is never in
// the hands of a task that is cancelled or destroyed.
//
// Slots are completed under the lock, and every waiter takes the lock before its node goes.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>
#include <spawned/runtime/moved.hpp>

namespace spawned::detail {

/// A value in a channel; the typed layer derives from it and owns what it gets back.
struct ChannelItem {
  ChannelItem* next = nullptr;
};

class ChannelCore {
 public:
  static constexpr std::size_t unlimited = SIZE_MAX;

  enum class Offer : std::uint8_t { taken, full, closed };
  enum class Look : std::uint8_t { item, nothing, ended, busy };

  /// A sender that waits for room.
  struct Sending {
    Slot slot;
    ChannelItem* item = nullptr;
    Sending* previous = nullptr;
    Sending* next = nullptr;
    bool linked = false;  // guarded by the lock, as is `taken`
    bool taken = false;   // the channel owns the item
  };
  /// The receiver that waits for a value.
  struct Receiving {
    Slot slot;
  };

  /// Born with one sender and the receiver.
  explicit ChannelCore(std::size_t capacity) noexcept : capacity_(capacity) {
    simulated_touches_all(true);
  }
  ChannelCore(ChannelCore const&) = delete;
  ChannelCore& operator=(ChannelCore const&) = delete;

  // --- senders ---
  void add_sender() noexcept;
  /// True: nobody is left, the caller deletes the core.
  [[nodiscard]] bool drop_sender() noexcept;
  /// On full, `sending` waits in line; afterwards withdraw() it.
  [[nodiscard]] Offer offer(Sending& sending) noexcept;
  /// No completer uses `sending` afterwards. True: its item was taken.
  [[nodiscard]] bool withdraw(Sending& sending) noexcept;
  /// A place for a value that is still to be built; then fill() or unreserve().
  [[nodiscard]] Offer reserve() noexcept;
  /// False: the receiver went meanwhile, the item stays with the caller.
  [[nodiscard]] bool fill(ChannelItem& item) noexcept;
  void unreserve() noexcept;
  [[nodiscard]] bool is_closed() noexcept;

  // --- the receiver ---
  /// On nothing, `receiving` waits if it is given; afterwards end_receive() it.
  [[nodiscard]] Look look(Receiving* receiving) noexcept;
  void end_receive(Receiving& receiving) noexcept;
  /// The oldest value, or null.
  [[nodiscard]] ChannelItem* take() noexcept;
  /// Refuses what is not yet in the queue, and all who wait for room.
  void close() noexcept;
  struct Rest {
    ChannelItem* items;  // the caller's to delete
    bool last;           // the caller deletes the core
  };
  [[nodiscard]] Rest drop_receiver() noexcept;

  /// Now and then true, for a task that has gone on without waiting: it should let others run.
  [[nodiscard]] bool is_long_run() noexcept {
    return run_.fetch_add(1, memory_order_relaxed) % longest_run == longest_run - 1;  // a count
  }

 private:
  static constexpr std::uint32_t longest_run = 128;

  void append(ChannelItem& item) noexcept;
  void unlink(Sending& sending) noexcept;
  void free_place() noexcept;
  void wake_receiver() noexcept;
  void refuse_senders() noexcept;
  [[nodiscard]] bool ended() const noexcept { return used_ == 0 && (closed_ || senders_ == 0); }

  SpinLock lock_;
  std::size_t const capacity_;
  std::size_t used_ = 0;
  ChannelItem* oldest_ = nullptr;
  ChannelItem* newest_ = nullptr;
  Sending* first_sending_ = nullptr;
  Sending* last_sending_ = nullptr;
  Receiving* receiving_ = nullptr;
  std::size_t senders_ = 1;
  bool closed_ = false;
  bool receiver_gone_ = false;
  atomic<std::uint32_t> run_{0};
};

/// Awaiter core of a send. The item is the caller's until finish() says taken.
class ChannelSendWait {
 public:
  enum class Outcome : std::uint8_t { taken, closed, cancelled };

  /// `core` null: the sender was moved from.
  ChannelSendWait(ChannelCore* core, ChannelItem& item) noexcept
      : core_(core), wait_(Slot::abandoned) {
    sending_.item = &item;
  }
  ChannelSendWait(ChannelSendWait const&) = delete;
  ChannelSendWait& operator=(ChannelSendWait const&) = delete;

  [[nodiscard]] bool suspend(std::coroutine_handle<> handle, ExecutionContext& context) noexcept;
  /// First call of await_resume(), and in the awaiter's destructor: it may go while it is
  /// suspended, once nobody can resume it.
  Outcome finish() noexcept;
  [[nodiscard]] ExecutionContext& context() const noexcept { return wait_.context(); }

 private:
  ChannelCore* core_;
  ChannelCore::Sending sending_;
  bool in_line_ = false;  // to be withdrawn
  SlotWait wait_;
};

/// Awaiter core of a receive. May go while it is suspended, once nobody can resume it.
class ChannelReceiveWait {
 public:
  explicit ChannelReceiveWait(ChannelCore* core) noexcept : core_(core), wait_(Slot::abandoned) {}
  ChannelReceiveWait(ChannelReceiveWait const&) = delete;
  ChannelReceiveWait& operator=(ChannelReceiveWait const&) = delete;
  ~ChannelReceiveWait() { (void)finish(); }

  /// Throws std::logic_error when another task or thread waits already.
  [[nodiscard]] bool suspend(std::coroutine_handle<> handle, ExecutionContext& context);
  WaitOutcome finish() noexcept;
  /// After finish(): the value, or null at the end.
  [[nodiscard]] ChannelItem* take() noexcept { return core_ != nullptr ? core_->take() : nullptr; }

 private:
  ChannelCore* core_;
  ChannelCore::Receiving receiving_;
  bool registered_ = false;
  SlotWait wait_;
};

/// Block the calling thread. False of the first: closed, the item stays with the caller.
[[nodiscard]] bool channel_send_blocking(ChannelCore& core, ChannelItem& item);
[[nodiscard]] ChannelItem* channel_receive_blocking(ChannelCore& core);

/// Throws std::invalid_argument for zero.
[[nodiscard]] std::size_t checked_channel_capacity(std::size_t capacity);

// --- values ---

/// What reaches the constructor of a value: a moved() argument as the value itself.
template <typename Argument>
using channel_argument =
    decltype(forward_moved<Argument>(std::declval<std::remove_reference_t<Argument>&>()));

template <typename T>
struct TypedChannelItem final : ChannelItem {
  template <typename... Args>
  explicit TypedChannelItem(std::in_place_t /*tag*/, Args&&... args)
      : value(std::forward<Args>(args)...) {}
  T value;
};

template <typename T, typename... Args>
[[nodiscard]] TypedChannelItem<T>* new_channel_item(Args&&... args) {
  return pool_new<TypedChannelItem<T>>(std::in_place, forward_moved<Args>(args)...);
}
template <typename T>
void delete_channel_item(ChannelItem* item) noexcept {
  if (item != nullptr) pool_delete(static_cast<TypedChannelItem<T>*>(item));
}

/// Owns an item until somebody else does.
template <typename T>
class ChannelItemGuard {
 public:
  explicit ChannelItemGuard(ChannelItem* item) noexcept : item_(item) {}
  ChannelItemGuard(ChannelItemGuard const&) = delete;
  ChannelItemGuard& operator=(ChannelItemGuard const&) = delete;
  ~ChannelItemGuard() { delete_channel_item<T>(item_); }
  [[nodiscard]] ChannelItem& item() const noexcept { return *item_; }
  void release() noexcept { item_ = nullptr; }
  [[nodiscard]] std::optional<T> value() {
    if (item_ == nullptr) return std::nullopt;
    return std::optional<T>(std::move(static_cast<TypedChannelItem<T>*>(item_)->value));
  }

 private:
  ChannelItem* item_;
};

}  // namespace spawned::detail
