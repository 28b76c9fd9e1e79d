// An await that stays suspended without a coroutine, to test what its destruction leaves behind.
#pragma once

#include <atomic>
#include <coroutine>

#include <spawned/runtime/detail/execution_context.hpp>
#include <spawned/runtime/detail/promise.hpp>
#include <spawned/runtime/runtime.hpp>

namespace test {

/// Counts the wake-ups of the contexts whose home it is, instead of running them.
class CountingHome final : public spawned::detail::Executor {
 public:
  explicit CountingHome(spawned::Runtime& runtime) : Executor(runtime.scheduler()) {}
  void post(spawned::detail::Runnable& /*work*/) noexcept override { ++posted; }
  std::atomic<int> posted{0};
};

/// The context of a coroutine that is suspended and never resumed.
class SuspendedContext final : public spawned::detail::ExecutionContext {
 public:
  explicit SuspendedContext(spawned::detail::Executor& where)
      : ExecutionContext(where, kind_table, [](Runnable& /*self*/) noexcept {}) {
    promise_.context = this;
  }
  /// What `co_await awaiter` does up to the suspension. False: it does not suspend.
  template <typename Awaiter>
  [[nodiscard]] bool await(Awaiter& awaiter) {
    if (awaiter.await_ready()) return false;
    return awaiter.await_suspend(std::coroutine_handle<Promise>::from_promise(promise_));
  }

 private:
  struct Promise : spawned::detail::PromiseBase {};
  static constexpr spawned::detail::LiveKind kind_table{nullptr, nullptr, false};
  Promise promise_;
};

}  // namespace test
