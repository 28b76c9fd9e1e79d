// channel, unbounded_channel: many senders, one receiver.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <spawned/runtime/detail/channel_core.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/errors.hpp>
#include <spawned/runtime/moved.hpp>
#include <spawned/runtime/result.hpp>
#include <spawned/runtime/spawn.hpp>

namespace spawned {

/// What became of a value that could not wait.
enum class TrySend : std::uint8_t {
  ok,      ///< it is in the channel
  full,    ///< no room; the arguments are untouched (`std::move(named)` keeps its value)
  closed,  ///< nobody will receive it
};

/// A sending end. Copies send into the same channel; the channel ends when the last has gone.
///
/// Awaiting  `co_await sender.send(args...)` builds a T of `args` at once, waits for room, and
///           yields `Result<void, WaitError>`: `closed` when nobody will receive the value any
///           more. Suspends when the channel is full, and now and then to let others run. Keep the
///           sender until it returns.
/// Order     Values of one sender arrive in the order sent. Those who wait for room get it in the
///           order they came.
/// Cancel    yields `cancelled`, and the value is dropped. One that has got room meanwhile is sent,
///           and the await says so.
/// Threads   Distinct copies from any thread, also outside a runtime.
/// Memory    A block from the pool per value.
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

  class Send {
   public:
    Send(detail::ChannelCore* core, detail::ChannelItem* item) noexcept
        : item_(item), wait_(core, *item) {}
    Send(Send const&) = delete;
    Send& operator=(Send const&) = delete;
    ~Send() {
      if (wait_.finish() == Outcome::taken) item_.release();
    }
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <detail::runtime_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
      return wait_.suspend(waiter, *waiter.promise().context);
    }
    Result<void, WaitError> await_resume() {
      switch (wait_.finish()) {
        case Outcome::taken:
          break;
        case Outcome::closed:
          return Unexpected(WaitError::closed);
        case Outcome::cancelled:
          detail::report_cancelled(wait_.context());
          return Unexpected(WaitError::cancelled);
      }
      return {};
    }

   private:
    using Outcome = detail::ChannelSendWait::Outcome;
    detail::ChannelItemGuard<T> item_;
    detail::ChannelSendWait wait_;
  };

  template <typename... Args>
    requires std::is_constructible_v<T, detail::channel_argument<Args>...>
  [[nodiscard("co_await it")]] Send send(Args&&... args) {
    (detail::reject_dangerous_temporary<Args>(), ...);
    return Send(core_, detail::new_channel_item<T>(std::forward<Args>(args)...));
  }

  /// Sends a T of `args` if there is room. Never blocks. Any thread.
  template <typename... Args>
    requires std::is_constructible_v<T, detail::channel_argument<Args>...>
  [[nodiscard]] TrySend try_send(Args&&... args) {
    (detail::reject_dangerous_temporary<Args>(), ...);
    using Offer = detail::ChannelCore::Offer;
    Offer const offer = core_ == nullptr ? Offer::closed : core_->reserve();
    if (offer != Offer::taken) return offer == Offer::full ? TrySend::full : TrySend::closed;
    detail::ChannelItem* item = nullptr;
    try {
      item = detail::new_channel_item<T>(std::forward<Args>(args)...);
    } catch (...) {
      core_->unreserve();
      throw;
    }
    if (core_->fill(*item)) return TrySend::ok;
    detail::delete_channel_item<T>(item);
    return TrySend::closed;
  }

  /// For threads that may block: waits for room. `closed` as above.
  /// Errors  BlockingInWorker on a worker.
  template <typename... Args>
    requires std::is_constructible_v<T, detail::channel_argument<Args>...>
  Result<void, WaitError> send_blocking(Args&&... args) {
    (detail::reject_dangerous_temporary<Args>(), ...);
    detail::ChannelItemGuard<T> item(detail::new_channel_item<T>(std::forward<Args>(args)...));
    if (core_ == nullptr || !detail::channel_send_blocking(*core_, item.item())) {
      return Unexpected(WaitError::closed);
    }
    item.release();
    return {};
  }

  /// A hint that nobody will receive values any more.
  [[nodiscard]] bool is_closed() const noexcept { return core_ == nullptr || core_->is_closed(); }

 private:
  detail::ChannelCore* core_;
};

/// The receiving end: an AsyncSequence. Destroying it closes the channel and drops what is in it.
///
/// Awaiting  `co_await receiver.next()` yields std::optional<T>: the oldest value, or nothing when
///           no sender is left, or the channel was closed, and it is empty. Suspends while it is
///           empty, and now and then to let others run. Keep the receiver until it returns.
/// Errors    std::logic_error when somebody waits already.
/// Cancel    throws Cancelled. Nothing is lost: every value can still be received.
/// Threads   One at a time, also outside a runtime; close() from any.
/// Example   tests/runtime/channel_test.cpp
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
    auto [items, last] = core_->drop_receiver();
    if (last) detail::pool_delete(core_);
    while (items != nullptr) {
      detail::delete_channel_item<T>(std::exchange(items, items->next));
    }
  }

  class Next {
   public:
    explicit Next(detail::ChannelCore* core) noexcept : wait_(core) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <detail::runtime_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiter) {
      return wait_.suspend(waiter, *waiter.promise().context);
    }
    std::optional<T> await_resume() {
      if (wait_.finish() == detail::WaitOutcome::cancelled) throw Cancelled();
      return detail::ChannelItemGuard<T>(wait_.take()).value();
    }

   private:
    detail::ChannelReceiveWait wait_;
  };
  [[nodiscard("co_await it")]] Next next() noexcept { return Next(core_); }

  /// For threads that may block: the same.
  /// Errors  BlockingInWorker on a worker; std::logic_error as above.
  std::optional<T> receive_blocking() {
    if (core_ == nullptr) return std::nullopt;
    return detail::ChannelItemGuard<T>(detail::channel_receive_blocking(*core_)).value();
  }

  /// The oldest value, or nothing when the channel is empty, ended or not.
  std::optional<T> try_receive() {
    return detail::ChannelItemGuard<T>(core_ != nullptr ? core_->take() : nullptr).value();
  }

  /// From now on nothing is taken in; those who wait for room get `closed`. What is in the channel
  /// can still be received.
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

/// A channel for at most `capacity` values. `auto [sender, receiver] = channel<int>(16);`
/// Errors  std::invalid_argument for a capacity of zero.
template <typename T>
[[nodiscard]] Channel<T> channel(std::size_t capacity) {
  auto* const core =
      detail::pool_new<detail::ChannelCore>(detail::checked_channel_capacity(capacity));
  return {ChannelSender<T>(*core), ChannelReceiver<T>(*core)};
}

/// A channel without a limit: sending never waits for room, and memory is the bound.
template <typename T>
[[nodiscard]] Channel<T> unbounded_channel() {
  auto* const core = detail::pool_new<detail::ChannelCore>(detail::ChannelCore::unlimited);
  return {ChannelSender<T>(*core), ChannelReceiver<T>(*core)};
}

}  // namespace spawned
