// Task<T>: the coroutine type of the library.
#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <spawned/runtime/detail/promise.hpp>

namespace spawned {

template <typename T = void>
class Task;

namespace detail {

template <typename T>
struct TaskPromise final : PromiseBase {
  Task<T> get_return_object() noexcept;

  template <typename U = T>
    requires std::is_constructible_v<T, U&&>
  void return_value(U&& value) {
    std::construct_at(std::addressof(value_), std::forward<U>(value));
    state_ = State::value;
  }
  void unhandled_exception() noexcept {
    // The destructor of a local may throw after co_return has stored the value.
    if (state_ == State::value) std::destroy_at(std::addressof(value_));
    std::construct_at(std::addressof(exception_), std::current_exception());
    state_ = State::exception;
  }
  T take() {
    if (state_ == State::exception) std::rethrow_exception(std::move(exception_));
    return std::move(value_);
  }

  TaskPromise() noexcept {}
  TaskPromise(TaskPromise const&) = delete;
  TaskPromise& operator=(TaskPromise const&) = delete;
  ~TaskPromise() {
    if (state_ == State::value) std::destroy_at(std::addressof(value_));
    if (state_ == State::exception) std::destroy_at(std::addressof(exception_));
  }

 private:
  enum class State : unsigned char { running, value, exception };
  union {
    T value_;
    std::exception_ptr exception_;
  };
  State state_ = State::running;
};

template <>
struct TaskPromise<void> final : PromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }
  void take() {
    if (exception_) std::rethrow_exception(std::move(exception_));
  }

 private:
  std::exception_ptr exception_;
};

}  // namespace detail

/// A lazy coroutine: the body starts when the task is awaited or spawned.
///
/// Awaiting  `co_await std::move(task)` (or of a temporary) runs it in the awaiting context and
///           yields its value; an exception that leaves the body is rethrown there.
/// Resumes   on the worker that ran the last part of the body.
/// Cancel    a task has no cancellation of its own: it shares the context of whoever awaits it.
/// Threads   the object belongs to one thread at a time; the body moves between workers.
/// Memory    one block from the frame pool.
/// Cost      about 11 ns for an awaited leaf (docs/design/tasks.md).
/// Trap      g++ 12: one `co_await` per statement, and no braces or capturing lambdas in its
///           operands (docs/compatibility.md).
template <typename T>
class [[nodiscard("a Task does nothing until it is awaited or spawned")]] Task {
 public:
  using value_type = T;
  using promise_type = detail::TaskPromise<T>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    Task old(std::move(*this));
    handle_ = std::exchange(other.handle_, nullptr);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  /// True until the task was moved from.
  [[nodiscard]] explicit operator bool() const noexcept { return handle_ != nullptr; }

  class Awaiter {
   public:
    explicit Awaiter(std::coroutine_handle<promise_type> child) noexcept : child_(child) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <detail::runtime_promise Promise>
    detail::Transfer await_suspend(std::coroutine_handle<Promise> parent) const noexcept {
      child_.promise().continuation = parent;
      child_.promise().context = parent.promise().context;
      return detail::transfer_to(child_);
    }
    T await_resume() const { return child_.promise().take(); }

   private:
    std::coroutine_handle<promise_type> child_;
  };

  Awaiter operator co_await() && noexcept { return Awaiter(handle_); }

  /// For the runtime: the coroutine, still owned by this object.
  [[nodiscard]] std::coroutine_handle<promise_type> handle() const noexcept { return handle_; }
  /// For the runtime: the coroutine, which the caller now owns.
  [[nodiscard]] std::coroutine_handle<promise_type> release() noexcept {
    return std::exchange(handle_, nullptr);
  }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}

  std::coroutine_handle<promise_type> handle_;
};

namespace detail {

template <typename T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

template <typename T>
inline constexpr bool is_task = false;
template <typename T>
inline constexpr bool is_task<Task<T>> = true;

}  // namespace detail

}  // namespace spawned
