// TaskStream: the results of many tasks in the order of their inputs.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <spawned/runtime/runtime.hpp>
#include <spawned/supervision/detail/supervised_task.hpp>

namespace spawned {

struct TaskStreamOptions {
  /// At least 1. Unless told otherwise as many as a runtime has workers.
  std::size_t max_concurrency = default_worker_count();
  /// For each task, from the moment its result is the next; then it is killed.
  std::chrono::nanoseconds timeout = default_request_timeout;
};

namespace detail {

/// Throws InvalidOptions.
void check(TaskStreamOptions const& options);

/// A start that failed as the outcome of a task.
[[nodiscard]] ActorError task_error(SupervisorError const& error);

}  // namespace detail

/// What TaskSupervisor::async_stream() returns. The tasks are started as their turn comes, and
/// killed when the stream goes before they are done.
///
/// Threads  one owner. It must outlive what next() returns.
/// Errors   of an item: as SupervisedTask's; `init_failed` if its task did not start; `timeout`.
template <typename Item, typename F>
class TaskStream {
 public:
  using value_type = detail::task_value_t<F, Item>;
  using Outcome = Result<value_type, ActorError>;

  /// Errors: InvalidOptions.
  TaskStream(ActorRef<DynamicSupervisor> supervisor, std::vector<Item> items, F function,
             TaskStreamOptions options)
      : supervisor_(std::move(supervisor)),
        items_(std::move(items)),
        function_(std::make_shared<F>(std::move(function))),
        options_(options) {
    detail::check(options);
  }
  TaskStream(TaskStream&&) noexcept = default;
  TaskStream& operator=(TaskStream&&) = delete;
  ~TaskStream() {
    for (auto const& running : running_) {
      if (running) running->ref().cell().exit(ExitReason::Kind::kill);
    }
  }

  /// The next result; empty after the last.
  [[nodiscard("co_await it")]] Task<std::optional<Outcome>> next() {
    while (running_.size() < options_.max_concurrency && begun_ < items_.size()) {
      co_await begin_next();
    }
    if (running_.empty()) co_return std::nullopt;
    if (!running_.front()) {
      ActorError error = std::move(running_.front().error());
      running_.pop_front();
      co_return Outcome(Unexpected(std::move(error)));
    }
    Outcome outcome = co_await running_.front()->await(options_.timeout);
    if (!outcome && outcome.error().kind() == ActorError::Kind::timeout) {
      auto late = co_await running_.front()->kill();
      if (late) outcome = std::move(*late);
    }
    running_.pop_front();
    co_return std::move(outcome);
  }

 private:
  using Started = Result<SupervisedTask<value_type>, ActorError>;

  Task<void> begin_next() {
    auto call = [function = function_, item = std::move(items_[begun_])]() mutable {
      return (*function)(std::move(item));
    };
    ++begun_;
    auto place = std::make_shared<detail::TaskPlace<value_type>>();
    ChildSpec spec = detail::task_spec(std::move(call), place, false);
    auto started = co_await detail::start_task(supervisor_, std::move(spec));
    if (started) {
      running_.push_back(Started(SupervisedTask<value_type>(std::move(*started), place)));
    } else {
      running_.push_back(Started(Unexpected(detail::task_error(started.error()))));
    }
  }

  ActorRef<DynamicSupervisor> supervisor_;
  std::vector<Item> items_;
  std::shared_ptr<F> function_;
  TaskStreamOptions options_;
  std::size_t begun_ = 0;
  std::deque<Started> running_;
};

}  // namespace spawned
