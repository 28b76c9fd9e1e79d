// TaskSupervisor: tasks as actors of their own, under a supervisor.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <spawned/actors/actor.hpp>
#include <spawned/actors/links.hpp>
#include <spawned/supervision/child_info.hpp>
#include <spawned/supervision/child_spec.hpp>
#include <spawned/supervision/detail/supervised_task.hpp>
#include <spawned/supervision/dynamic_supervisor.hpp>
#include <spawned/supervision/error.hpp>
#include <spawned/supervision/task_stream.hpp>

namespace spawned {

/// Starts functions as actors under a DynamicSupervisor (without a template), so that their ends
/// are known, and they end with it. A value; the supervisor is started or made a child as any
/// other, and may have other children too.
///
/// A function is called without arguments, on the task's own turn, and returns a value, void or a
/// Task of either. Its closure lives as long as the task.
///
/// Source   Elixir's Task and Task.Supervisor.
/// Example  docs/guide/supervision.md
class TaskSupervisor {
 public:
  explicit TaskSupervisor(ActorRef<DynamicSupervisor> supervisor)
      : supervisor_(std::move(supervisor)) {}

  /// Starts a task that is linked to `owner`, the caller, before it begins: if it fails, so does
  /// the caller (or it gets an Exit, if it traps exits), and the other way round.
  /// Errors  max_children; shutting_down if the supervisor has ended; start_failed.
  template <typename A, typename F>
  [[nodiscard("co_await it")]] auto async(Context<A>& owner, F function) const
      -> Task<Result<SupervisedTask<detail::task_value_t<F>>, SupervisorError>> {
    return start_linked<A, F>(supervisor_, &owner, std::move(function));
  }
  /// The same without a link: only the handle tells of its failure.
  template <typename F>
  [[nodiscard("co_await it")]] auto async_nolink(F function) const
      -> Task<Result<SupervisedTask<detail::task_value_t<F>>, SupervisorError>> {
    return start_alone<F>(supervisor_, std::move(function));
  }
  /// Starts a task nobody waits for. `when`: whether it is called again after its end.
  /// Errors  as async().
  template <typename F>
  [[nodiscard("co_await it")]] Task<Result<ChildRef, SupervisorError>> start_child(
      F function, Restart when = Restart::temporary) const {
    auto place = std::make_shared<detail::TaskPlace<detail::task_value_t<F>>>();
    return detail::start_task(supervisor_,
                              detail::task_spec(std::move(function), place, false).restart(when));
  }

  /// Calls `function(item)` in a task for each, at most `max_concurrency` at a time, and gives the
  /// results in the order of the items.
  template <typename Item, typename F>
  [[nodiscard]] TaskStream<Item, F> async_stream(std::vector<Item> items, F function,
                                                 TaskStreamOptions options = {}) const {
    return TaskStream<Item, F>(supervisor_, std::move(items), std::move(function), options);
  }

  [[nodiscard]] ActorRef<DynamicSupervisor> const& supervisor() const noexcept {
    return supervisor_;
  }

 private:
  template <typename F>
  static Task<Result<SupervisedTask<detail::task_value_t<F>>, SupervisorError>> start_alone(
      ActorRef<DynamicSupervisor> supervisor, F function) {
    using T = detail::task_value_t<F>;
    auto place = std::make_shared<detail::TaskPlace<T>>();
    ChildSpec spec = detail::task_spec(std::move(function), place, false);
    auto started = co_await detail::start_task(std::move(supervisor), std::move(spec));
    if (!started) co_return Unexpected(std::move(started.error()));
    co_return SupervisedTask<T>(std::move(*started), std::move(place));
  }
  template <typename A, typename F>
  static Task<Result<SupervisedTask<detail::task_value_t<F>>, SupervisorError>> start_linked(
      ActorRef<DynamicSupervisor> supervisor, Context<A>* owner, F function) {
    using T = detail::task_value_t<F>;
    auto place = std::make_shared<detail::TaskPlace<T>>();
    ChildSpec spec = detail::task_spec(std::move(function), place, true);
    detail::TaskKill guard;  // nobody else would begin it
    auto started = co_await detail::start_task(std::move(supervisor), std::move(spec), &guard);
    if (!started) co_return Unexpected(std::move(started.error()));
    SupervisedTask<T> task(*started, std::move(place));
    (void)owner->link(*started);  // if it has ended by now, the handle says so
    guard.forget();
    started->template as<detail::TaskRunner<T, F>>()->template send<detail::TaskBegin>();
    co_return std::move(task);
  }

  ActorRef<DynamicSupervisor> supervisor_;
};

}  // namespace spawned
