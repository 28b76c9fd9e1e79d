// CancellationToken: one level-triggered "please end" that any number of tasks can watch.
#pragma once

#include <coroutine>
#include <stop_token>
#include <utility>

#include <spawned/runtime/detail/promise.hpp>
#include <spawned/runtime/detail/wait_list.hpp>
#include <spawned/runtime/errors.hpp>

namespace spawned {

namespace detail {
struct TokenState;
}

/// A shared cancellation flag. Copies are the same token.
///
/// Threads   every member from any thread.
/// Memory    one block, kept by the copies and by child tokens of it.
/// Example   tests/runtime/cancellation_test.cpp
class CancellationToken {
 public:
  CancellationToken();
  /// A token that is cancelled when `token` is asked to stop.
  explicit CancellationToken(std::stop_token token);
  CancellationToken(CancellationToken const& other) noexcept;
  CancellationToken(CancellationToken&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)) {}
  CancellationToken& operator=(CancellationToken other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~CancellationToken();

  /// Sets the flag, wakes everybody who waits for it, and cancels the children. Idempotent.
  void cancel() noexcept;
  [[nodiscard]] bool is_cancelled() const noexcept;

  /// A token that is cancelled with this one, and can be cancelled alone.
  [[nodiscard]] CancellationToken child_token() const;

  /// The same flag for code that knows std::stop_token.
  [[nodiscard]] std::stop_token stop_token() const noexcept;

  class Awaiter {
   public:
    explicit Awaiter(detail::WaitList& list) noexcept : wait_(list) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <detail::runtime_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
      return wait_.suspend(waiter, *waiter.promise().context);
    }
    void await_resume() {
      if (wait_.finish() == detail::WaitOutcome::cancelled) throw Cancelled();
    }

   private:
    detail::ListWait wait_;
  };

  /// Awaiting it suspends until the token is cancelled; throws Cancelled when the awaiting task
  /// itself is cancelled first. Keep the token until it returns.
  [[nodiscard("co_await it")]] Awaiter cancelled() const noexcept;

 private:
  explicit CancellationToken(detail::TokenState* state) noexcept : state_(state) {}
  detail::TokenState* state_;
};

}  // namespace spawned
