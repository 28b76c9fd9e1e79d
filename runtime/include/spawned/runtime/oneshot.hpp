// oneshot: a channel for one value.
#pragma once

#include <coroutine>
#include <optional>
#include <type_traits>
#include <utility>

#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/errors.hpp>
#include <spawned/runtime/moved.hpp>
#include <spawned/runtime/result.hpp>
#include <spawned/runtime/spawn.hpp>

namespace spawned {

namespace detail {

template <typename T>
struct OneshotBlock {
  Slot slot;
  std::optional<T> value;
};

}  // namespace detail

/// The sending half. Destroying it unused closes the channel.
template <typename T>
class OneshotSender {
 public:
  explicit OneshotSender(detail::OneshotBlock<T>& block) noexcept : block_(&block) {}
  OneshotSender(OneshotSender&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  OneshotSender& operator=(OneshotSender&& other) noexcept {
    OneshotSender old(std::move(*this));
    block_ = std::exchange(other.block_, nullptr);
    return *this;
  }
  ~OneshotSender() { complete(); }

  /// Sends the value. False: the receiver is gone (or this sender was used), the value is dropped.
  /// Any thread. Never blocks.
  bool send(T value) {
    if (block_ == nullptr) return false;
    block_->value.emplace(std::move(value));
    return complete();
  }
  /// A hint that nobody will receive the value any more.
  [[nodiscard]] bool is_closed() const noexcept {
    return block_ == nullptr || block_->slot.is_abandoned();
  }

 private:
  bool complete() noexcept {
    if (block_ == nullptr) return false;
    auto* const block = std::exchange(block_, nullptr);
    if (block->slot.complete()) return true;
    detail::pool_delete(block);
    return false;
  }
  detail::OneshotBlock<T>* block_;
};

/// The receiving half.
///
/// Awaiting  `co_await receiver` (once) yields `Result<T, WaitError>`; `closed` when the sender was
///           destroyed unused or the value was taken before.
/// Cancel    yields `cancelled`; nothing is lost, the receiver can be awaited again.
/// Resumes   on the sender's worker, right after the sender's turn, or on a thief.
template <typename T>
class OneshotReceiver {
 public:
  explicit OneshotReceiver(detail::OneshotBlock<T>& block) noexcept : block_(&block) {}
  OneshotReceiver(OneshotReceiver&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)) {}
  OneshotReceiver& operator=(OneshotReceiver&& other) noexcept {
    OneshotReceiver old(std::move(*this));
    block_ = std::exchange(other.block_, nullptr);
    return *this;
  }
  ~OneshotReceiver() {
    if (block_ != nullptr && !block_->slot.abandon()) detail::pool_delete(block_);
  }

  class Awaiter {
   public:
    explicit Awaiter(OneshotReceiver& receiver) noexcept
        : receiver_(&receiver), wait_(detail::Slot::empty) {}
    [[nodiscard]] bool await_ready() const noexcept {
      return receiver_->block_ == nullptr || receiver_->block_->slot.is_done();
    }
    template <detail::runtime_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
      return wait_.suspend(waiter, *waiter.promise().context, receiver_->block_->slot);
    }
    Result<T, WaitError> await_resume() {
      if (wait_.finish() == detail::WaitOutcome::cancelled) {
        detail::report_cancelled(wait_.context());
        return Unexpected(WaitError::cancelled);
      }
      return receiver_->take();
    }

   private:
    OneshotReceiver* receiver_;
    detail::SlotWait wait_;
  };
  Awaiter operator co_await() noexcept { return Awaiter(*this); }

  /// For threads outside the runtime: blocks until the value comes or the sender is gone.
  /// Errors  BlockingInWorker on a worker.
  Result<T, WaitError> receive_blocking() {
    detail::require_no_worker("OneshotReceiver::receive_blocking");
    if (block_ != nullptr) {
      detail::ThreadWait wait;
      (void)wait.wait(block_->slot);
    }
    return take();
  }

 private:
  Result<T, WaitError> take() {
    if (block_ == nullptr || !block_->value) return Unexpected(WaitError::closed);
    Result<T, WaitError> result(std::move(*block_->value));
    block_->value.reset();
    return result;
  }
  detail::OneshotBlock<T>* block_;
};

template <typename T>
struct Oneshot {
  OneshotSender<T> sender;
  OneshotReceiver<T> receiver;
};

/// A channel for one value. One block from the pool. `auto [sender, receiver] = oneshot<int>();`
template <typename T>
[[nodiscard]] Oneshot<T> oneshot() {
  detail::simulated_touches_all(true);
  auto* const block = detail::pool_new<detail::OneshotBlock<T>>();
  return {OneshotSender<T>(*block), OneshotReceiver<T>(*block)};
}

}  // namespace spawned
