// What every coroutine of ours has in its promise, and how control moves between coroutines.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <type_traits>

#include <spawned/runtime/detail/execution_context.hpp>
#include <spawned/runtime/detail/pool.hpp>

namespace spawned::detail {

// Symmetric transfer is a guaranteed tail call in clang only. g++ turns it into one from -O2 on and
// not under its sanitizers, so with g++ the next coroutine goes to the worker's trampoline
// (resume_chain), which costs about 2 ns. Both forms understand each other.
#if defined(__clang__)
using Transfer = std::coroutine_handle<>;
inline Transfer transfer_to(std::coroutine_handle<> next) noexcept { return next; }
inline Transfer transfer_nowhere() noexcept { return std::noop_coroutine(); }
#else
using Transfer = void;
inline void transfer_to(std::coroutine_handle<> next) noexcept { current_worker->transfer = next; }
inline void transfer_nowhere() noexcept {}
#endif

struct PromiseBase {
  /// Who awaits this coroutine; null for the root of a context.
  std::coroutine_handle<> continuation;
  ExecutionContext* context = nullptr;

  static void* operator new(std::size_t bytes) { return pool_allocate(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept { pool_free(frame, bytes); }

  struct FinalAwaiter {
    constexpr FinalAwaiter() noexcept {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <typename Promise>
    Transfer await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      PromiseBase& promise = self.promise();
      if (promise.continuation) return transfer_to(promise.continuation);
      current_worker->completed = promise.context;
      return transfer_nowhere();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
};

template <typename Promise>
concept runtime_promise = std::is_base_of_v<PromiseBase, Promise>;

}  // namespace spawned::detail
