// SupervisedTask: the right to the result of a task under a TaskSupervisor.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <spawned/actors/actor.hpp>
#include <spawned/actors/continue_with.hpp>
#include <spawned/actors/links.hpp>
#include <spawned/supervision/child_info.hpp>
#include <spawned/supervision/child_spec.hpp>
#include <spawned/supervision/dynamic_supervisor.hpp>
#include <spawned/supervision/error.hpp>

namespace spawned {

namespace detail {

template <typename R>
struct task_value {
  using type = R;
};
template <typename R>
struct task_value<Task<R>> {
  using type = R;
};
/// What a function gives, or the Task that it returns.
template <typename F, typename... Args>
using task_value_t = typename task_value<std::invoke_result_t<F&, Args...>>::type;

/// Where a task leaves its result; read after its end.
template <typename T>
struct TaskPlace {
  std::optional<Result<T, ActorError>> result;
};

struct TaskBegin {};

/// The actor that a task is.
template <typename T, typename F>
class TaskRunner : public Actor<TaskRunner<T, F>> {
 public:
  TaskRunner(std::shared_ptr<F> function, std::shared_ptr<TaskPlace<T>> place, bool waits)
      : function_(std::move(function)), place_(std::move(place)), waits_(waits) {}

  void init(Context<TaskRunner>& context) {
    if (!waits_) context.template continue_with<TaskBegin>();
  }
  Task<void> handle_message(TaskBegin, Context<TaskRunner>& context) {
    using R = std::invoke_result_t<F&>;
    if constexpr (std::is_same_v<R, Task<void>>) {
      co_await (*function_)();
      place_->result.emplace();
    } else if constexpr (is_task<R>) {
      place_->result.emplace(co_await (*function_)());
    } else if constexpr (std::is_void_v<R>) {
      (*function_)();
      place_->result.emplace();
    } else {
      place_->result.emplace((*function_)());
    }
    context.stop();
    co_return;
  }

 private:
  std::shared_ptr<F> function_;
  std::shared_ptr<TaskPlace<T>> place_;
  bool waits_;
};

/// A temporary child that runs it, at once or when it gets a TaskBegin.
template <typename F>
[[nodiscard]] ChildSpec task_spec(F function,
                                  std::shared_ptr<TaskPlace<task_value_t<F>>> const& place,
                                  bool waits) {
  auto kept = std::make_shared<F>(std::move(function));
  return child([kept, place, waits] { return TaskRunner<task_value_t<F>, F>(kept, place, waits); })
      .restart(Restart::temporary);
}

/// Kills the actor it was given unless it is told to forget it.
class TaskKill {
 public:
  TaskKill() noexcept = default;
  TaskKill(TaskKill const&) = delete;
  TaskKill& operator=(TaskKill const&) = delete;
  ~TaskKill();
  void keep(ChildRef ref) noexcept { ref_ = std::move(ref); }
  void forget() noexcept { ref_ = ChildRef(); }

 private:
  ChildRef ref_;
};

/// StartChild, with all its errors in one. `guard`: gets the child.
[[nodiscard]] Task<Result<ChildRef, SupervisorError>> start_task(
    ActorRef<DynamicSupervisor> supervisor, ChildSpec spec, TaskKill* guard = nullptr);

/// Waits for its end.
[[nodiscard]] Task<Result<ExitReason, ActorError>> wait_for_task(ChildRef ref,
                                                                 std::int64_t timeout_ns);
/// Ends it: with `shutdown`, and after the limit with `kill`. Without a limit at once with that.
[[nodiscard]] Task<Result<ExitReason, ActorError>> end_task(ChildRef ref, std::int64_t limit_ns);

/// Why a task has no result.
[[nodiscard]] ActorError task_error(ExitReason reason) noexcept;

}  // namespace detail

/// The right to the result of a task. Made by TaskSupervisor. Dropping it lets the task go on.
///
/// Threads  one owner at a time.
/// Errors   of the results: `handler_failed` if the function threw, `stopped` if the task was
///          ended, both with its reason; `timeout` and `cancelled` leave the task alone;
///          `unanswered` if the result was taken before.
template <typename T>
class SupervisedTask {
 public:
  using Outcome = Result<T, ActorError>;

  /// For the library.
  SupervisedTask(ChildRef ref, std::shared_ptr<detail::TaskPlace<T>> place) noexcept
      : ref_(std::move(ref)), place_(std::move(place)) {}
  SupervisedTask(SupervisedTask&&) noexcept = default;
  SupervisedTask& operator=(SupervisedTask&&) noexcept = default;

  /// Its actor: for monitors, links and signals.
  [[nodiscard]] ChildRef const& ref() const noexcept { return ref_; }

  /// Waits for the result, at most so long.
  [[nodiscard("co_await it")]] Task<Outcome> await(
      std::chrono::nanoseconds timeout = default_request_timeout) const {
    return await_result(ref_, place_, detail::limit_ns(timeout));
  }
  /// The same; empty if it is still at work: ask again.
  [[nodiscard("co_await it")]] Task<std::optional<Outcome>> yield(
      std::chrono::nanoseconds timeout) const {
    return yield_result(ref_, place_, detail::limit_ns(timeout));
  }
  /// Ends the task: with `shutdown`, and with `kill` if it has not ended after `limit`. What it
  /// left if it had been done by then, or the error if it ended otherwise; empty if it was ended.
  /// A task that is linked to the caller takes that with it: see the other overload.
  [[nodiscard("co_await it")]] Task<std::optional<Outcome>> shutdown(
      std::chrono::nanoseconds limit = std::chrono::seconds(5)) const {
    return shut_down(ref_, place_, detail::limit_ns(limit));
  }
  /// The same for a task that is linked to the caller, which is unlinked first.
  template <typename A>
  [[nodiscard("co_await it")]] Task<std::optional<Outcome>> shutdown(
      Context<A>& owner, std::chrono::nanoseconds limit = std::chrono::seconds(5)) const {
    (void)owner.unlink(ref_);
    return shut_down(ref_, place_, detail::limit_ns(limit));
  }
  /// Ends it at once.
  [[nodiscard("co_await it")]] Task<std::optional<Outcome>> kill() const {
    return shut_down(ref_, place_, detail::no_deadline);
  }

 private:
  using Place = std::shared_ptr<detail::TaskPlace<T>>;

  static Outcome take(Place const& place, ExitReason reason) {
    if (place->result) {
      Outcome result = std::move(*place->result);
      place->result.emplace(Unexpected(ActorError(ActorError::Kind::unanswered)));
      return result;
    }
    return Unexpected(detail::task_error(std::move(reason)));
  }
  static Task<Outcome> await_result(ChildRef ref, Place place, std::int64_t timeout_ns) {
    auto end = co_await detail::wait_for_task(std::move(ref), timeout_ns);
    if (!end) co_return Unexpected(std::move(end.error()));
    co_return take(place, std::move(*end));
  }
  static Task<std::optional<Outcome>> yield_result(ChildRef ref, Place place,
                                                   std::int64_t timeout_ns) {
    Outcome outcome = co_await await_result(std::move(ref), std::move(place), timeout_ns);
    if (!outcome && outcome.error().kind() == ActorError::Kind::timeout) co_return std::nullopt;
    co_return std::move(outcome);
  }
  static Task<std::optional<Outcome>> shut_down(ChildRef ref, Place place, std::int64_t limit_ns) {
    auto end = co_await detail::end_task(std::move(ref), limit_ns);
    if (!end) co_return Outcome(Unexpected(std::move(end.error())));
    bool const brutal = limit_ns == detail::no_deadline;
    bool const was_ended =
        end->kind() == (brutal ? ExitReason::Kind::killed : ExitReason::Kind::shutdown);
    if (!place->result && was_ended) co_return std::nullopt;
    co_return take(place, std::move(*end));
  }

  ChildRef ref_;
  Place place_;
};

/// The results there are after `timeout`, in the order of the tasks; empty for those at work.
template <typename T>
[[nodiscard("co_await it")]] Task<std::vector<std::optional<Result<T, ActorError>>>> yield_many(
    std::vector<SupervisedTask<T>> const& tasks, std::chrono::nanoseconds timeout) {
  TimePoint const end = now() + timeout;
  std::vector<std::optional<Result<T, ActorError>>> results;
  for (auto const& task : tasks) {
    std::chrono::nanoseconds left = end - now();
    if (left.count() < 0) left = std::chrono::nanoseconds(0);
    auto result = co_await task.yield(left);
    results.push_back(std::move(result));
  }
  co_return std::move(results);
}

}  // namespace spawned
