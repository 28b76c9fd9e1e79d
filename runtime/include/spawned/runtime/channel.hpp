// channel, unbounded_channel: a queue of values from many senders to one receiver.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include <spawned/runtime/async_sequence.hpp>
#include <spawned/runtime/detail/channel_value.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/errors.hpp>
#include <spawned/runtime/moved.hpp>
#include <spawned/runtime/result.hpp>
#include <spawned/runtime/spawn.hpp>

namespace spawned {

/// What became of a value that may not wait. `full` and `closed` leave the value with the caller,
/// unless the channel was closed during the call.
enum class TrySend : std::uint8_t { ok, full, closed };
[[nodiscard]] char const* to_string(TrySend result) noexcept;

/// A sending half; copies send into the same channel. The receiver ends when all are gone.
///
/// Threads   a sender is used by one thread at a time, its copies by others.
/// Ordering  what one task or thread sends is received in that order; sends that wait get their
///           turns in the order they began to.
/// Cost      one block from the pool for each value, and a short lock.
/// Example   tests/runtime/channel_test.cpp
template <typename T>
class ChannelSender {
 public:
  explicit ChannelSender(detail::ChannelCore& core) noexcept : core_(&core) {}
  ChannelSender(ChannelSender const& other) noexcept : core_(other.core_) {
    if (core_ != nullptr) core_->add_sender();
  }
  ChannelSender(ChannelSender&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  ChannelSender& operator=(ChannelSender other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~ChannelSender() {
    if (core_ != nullptr && core_->drop_sender()) detail::pool_delete(core_);
  }

  class Awaiter {
   public:
    Awaiter(detail::ChannelCore* core, detail::ChannelValue<T>* value) noexcept
        : core_(core), value_(value), wait_(detail::Slot::abandoned) {}
    Awaiter(Awaiter const&) = delete;
    Awaiter& operator=(Awaiter const&) = delete;
    /// Also while suspended, once nobody can resume the awaiting coroutine any more.
    ~Awaiter() {
      (void)finish();
      if (value_ != nullptr) detail::pool_delete(value_);
    }

    [[nodiscard]] bool await_ready() noexcept {
      if (core_ == nullptr) return true;
      auto const admission = core_->push(*value_);
      if (admission == detail::ChannelCore::Admission::full) return false;
      if (admission == detail::ChannelCore::Admission::accepted) value_ = nullptr;
      return true;
    }
    template <detail::runtime_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
      send_.node = value_;
      core_->begin_send(send_);
      suspended_ = true;
      return wait_.suspend(waiter, *waiter.promise().context, send_.slot);
    }
    /// Closed, or cancelled while it waited: the value is destroyed.
    Result<void, WaitError> await_resume() {
      bool const waited = finish();
      if (value_ == nullptr) return {};
      detail::pool_delete(std::exchange(value_, nullptr));
      if (!waited) return Unexpected(WaitError::closed);
      detail::report_cancelled(wait_.context());
      return Unexpected(WaitError::cancelled);
    }

   private:
    // The value is this object's, null if it was sent. True: the send still waited for room.
    bool settle() noexcept {
      (void)wait_.finish();
      auto const state = core_->end_send(send_);
      if (state == detail::PendingSend::State::accepted) value_ = nullptr;
      return state == detail::PendingSend::State::waiting;
    }
    bool finish() noexcept { return std::exchange(suspended_, false) && settle(); }

    detail::ChannelCore* core_;
    detail::ChannelValue<T>* value_;
    detail::PendingSend send_;
    detail::SlotWait wait_;
    bool suspended_ = false;
  };

  /// Awaiting  waits for room, and yields `Result<void, WaitError>`: `closed` when the receiver is
  ///           gone or has closed the channel; the value is destroyed then.
  /// Suspends  only when the channel is full. Keep the sender until it returns.
  /// Cancel    yields `cancelled` if it has to wait; nothing was sent.
  /// Errors    std::bad_alloc, and what moving the value throws, at the call.
  template <typename Value>
    requires detail::sendable_as<Value, T>
  [[nodiscard("co_await it")]] Awaiter send(Value&& value) {
    detail::reject_dangerous_temporary<Value>();
    return Awaiter(core_, make(std::forward<Value>(value)));
  }

  /// Never waits. The value is taken if the result is `ok`.
  template <typename Value>
    requires detail::sendable_as<Value, T>
  [[nodiscard]] TrySend try_send(Value&& value) {
    using Admission = detail::ChannelCore::Admission;
    if (core_ == nullptr) return TrySend::closed;
    auto const admission = core_->reserve();
    if (admission != Admission::accepted) {
      return admission == Admission::full ? TrySend::full : TrySend::closed;
    }
    detail::ChannelValue<T>* node = nullptr;
    try {
      node = make(std::forward<Value>(value));
    } catch (...) {
      core_->give_back();
      throw;
    }
    if (core_->push_reserved(*node) == Admission::accepted) return TrySend::ok;
    detail::pool_delete(node);
    return TrySend::closed;
  }

  /// For threads that may block: waits for room. The error can only be `closed`.
  /// Errors  BlockingInWorker on a worker; as send().
  template <typename Value>
    requires detail::sendable_as<Value, T>
  Result<void, WaitError> send_blocking(Value&& value) {
    detail::require_no_worker("ChannelSender::send_blocking");
    if (core_ == nullptr) return Unexpected(WaitError::closed);
    detail::PendingSend send;
    auto* const node = make(std::forward<Value>(value));
    send.node = node;
    core_->begin_send(send);
    detail::ThreadWait wait;
    (void)wait.wait(send.slot);
    if (core_->end_send(send) == detail::PendingSend::State::accepted) return {};
    detail::pool_delete(node);
    return Unexpected(WaitError::closed);
  }

  /// A hint that nobody will receive what is sent now.
  [[nodiscard]] bool is_closed() const noexcept { return core_ == nullptr || core_->is_closed(); }

 private:
  template <typename Value>
  static detail::ChannelValue<T>* make(Value&& value) {
    return detail::pool_new<detail::ChannelValue<T>>(detail::forward_moved<Value>(value));
  }
  detail::ChannelCore* core_;
};

/// The receiving half, an AsyncSequence. Destroying it closes the channel.
///
/// Threads   one thread, and one await, at a time.
/// Resumes   on the worker of the sender that woke it, if both belong to one runtime, or on a
///           thief.
/// Suspends  only when the channel is empty: a loop over a channel that never is should
///           `co_await yield_now()` now and then.
template <typename T>
class ChannelReceiver {
 public:
  explicit ChannelReceiver(detail::ChannelCore& core) noexcept : core_(&core) {}
  ChannelReceiver(ChannelReceiver&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  ChannelReceiver& operator=(ChannelReceiver&& other) noexcept {
    ChannelReceiver old(std::move(*this));
    core_ = std::exchange(other.core_, nullptr);
    return *this;
  }
  ~ChannelReceiver() {
    if (core_ == nullptr) return;
    core_->close();
    while (detail::ChannelNode* const node = core_->take()) {
      detail::pool_delete(static_cast<detail::ChannelValue<T>*>(node));
    }
    if (core_->drop_receiver()) detail::pool_delete(core_);
  }

  class Awaiter {
   public:
    explicit Awaiter(detail::ChannelCore* core) noexcept
        : core_(core), wait_(detail::Slot::abandoned) {}
    Awaiter(Awaiter const&) = delete;
    Awaiter& operator=(Awaiter const&) = delete;
    /// Also while suspended, once nobody can resume the awaiting coroutine any more.
    ~Awaiter() { (void)finish(); }

    [[nodiscard]] bool await_ready() noexcept {
      if (core_ == nullptr) return true;
      node_ = core_->take();
      return node_ != nullptr;
    }
    template <detail::runtime_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiter) {
      core_->begin_receive(slot_);
      suspended_ = true;
      return wait_.suspend(waiter, *waiter.promise().context, slot_);
    }
    std::optional<T> await_resume() {
      if (suspended_) {
        bool const cancelled = finish() == detail::WaitOutcome::cancelled;
        node_ = core_->take();
        if (cancelled && node_ == nullptr && !core_->is_ended()) throw Cancelled();
      }
      return detail::unpack<T>(std::exchange(node_, nullptr));
    }

   private:
    detail::WaitOutcome finish() noexcept {
      detail::WaitOutcome const outcome = wait_.finish();
      if (std::exchange(suspended_, false)) core_->end_receive(slot_);
      return outcome;
    }

    detail::ChannelCore* core_;
    detail::ChannelNode* node_ = nullptr;
    detail::Slot slot_;
    detail::SlotWait wait_;
    bool suspended_ = false;
  };

  /// Awaiting  yields the next value; nullopt when the channel is empty and closed, or empty and
  ///           all senders are gone. Keep the receiver until it returns.
  /// Cancel    throws Cancelled if it has to wait; nothing is lost, it can be called again.
  /// Errors    std::logic_error when another call waits for a value already.
  [[nodiscard("co_await it")]] Awaiter next() noexcept { return Awaiter(core_); }

  /// For threads that may block. Otherwise as next().
  /// Errors  BlockingInWorker on a worker.
  std::optional<T> next_blocking() {
    detail::require_no_worker("ChannelReceiver::next_blocking");
    if (core_ == nullptr) return std::nullopt;
    detail::ChannelNode* node = core_->take();
    if (node == nullptr) {
      detail::Slot slot;
      core_->begin_receive(slot);
      detail::ThreadWait wait;
      (void)wait.wait(slot);
      node = core_->take();
    }
    return detail::unpack<T>(node);
  }

  /// The next value if it is there already.
  std::optional<T> try_next() {
    return core_ == nullptr ? std::nullopt : detail::unpack<T>(core_->take());
  }

  /// True: no value will come any more.
  [[nodiscard]] bool is_ended() const noexcept { return core_ == nullptr || core_->is_ended(); }

  /// Ends sending: sends that wait, and later ones, fail with `closed`. What was sent before can
  /// still be received. Idempotent.
  void close() noexcept {
    if (core_ != nullptr) core_->close();
  }

 private:
  detail::ChannelCore* core_;
};

template <typename T>
struct Channel {
  ChannelSender<T> sender;
  ChannelReceiver<T> receiver;
};

/// A channel that holds up to `capacity` values. `auto [sender, receiver] = channel<int>(16);`
/// Errors  std::invalid_argument for a capacity of zero; std::bad_alloc.
template <typename T>
[[nodiscard]] Channel<T> channel(std::size_t capacity) {
  detail::check_channel_capacity(capacity);
  auto* const core = detail::pool_new<detail::ChannelCore>(capacity);
  return {ChannelSender<T>(*core), ChannelReceiver<T>(*core)};
}

/// A channel whose sends never wait. What is not received occupies memory without limit.
template <typename T>
[[nodiscard]] Channel<T> unbounded_channel() {
  return channel<T>(std::numeric_limits<std::size_t>::max());
}

}  // namespace spawned
