// A task that is destroyed while it is suspended.
#pragma once

#include <string>
#include <utility>

#include <spawned/runtime/detail/execution_context.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/task.hpp>

namespace test {

/// Runs a task on the calling thread up to its first suspension. doom() then cancels it and,
/// instead of resuming it, destroys its frame.
class DoomedTask {
 public:
  explicit DoomedTask(spawned::Task<void> task)
      : home_(runtime_.scheduler(), false), context_(home_), task_(std::move(task)) {
    task_.handle().promise().context = &context_;
    context_.resume_point.set(task_.handle());
    task_.handle().resume();
  }

  void doom() {
    context_.request_cancel();
    context_.wait_gate();
    {
      spawned::Task<void> const gone = std::move(task_);
    }
  }
  /// How often the task was queued to go on.
  [[nodiscard]] int wakes() const { return home_.posts; }

 private:
  struct Home final : spawned::detail::Executor {
    using Executor::Executor;
    void post(spawned::detail::Runnable& /*work*/) noexcept override { ++posts; }
    int posts = 0;
  };
  struct Context final : spawned::detail::ExecutionContext {
    explicit Context(Home& where) noexcept : ExecutionContext(where, kind_table, &run_turn) {}
    static void run_turn(spawned::detail::Runnable& /*self*/) noexcept {}
    static void on_end(ExecutionContext& /*self*/, spawned::UnreadMail /*mail*/) noexcept {}
    static std::string on_describe(ExecutionContext const& /*self*/) { return "a doomed task"; }
    static constexpr spawned::detail::LiveKind kind_table{&on_end, &on_describe, false};
  };

  spawned::Runtime runtime_;
  Home home_;
  Context context_;
  spawned::Task<void> task_;
};

}  // namespace test
