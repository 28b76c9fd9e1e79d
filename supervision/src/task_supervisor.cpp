#include <spawned/supervision/task_supervisor.hpp>

#include <string>
#include <utility>

#include <spawned/actors/exit_awaiter.hpp>
#include <spawned/runtime/runtime.hpp>

namespace spawned::detail {

TaskKill::~TaskKill() {
  if (ref_) ref_.cell().exit(ExitReason::Kind::kill);
}

Task<Result<ChildRef, SupervisorError>> start_task(ActorRef<DynamicSupervisor> supervisor,
                                                   ChildSpec spec, TaskKill* guard) {
  auto started = co_await supervisor.request<DynamicSupervisor::StartChild>(spec);
  if (!started) {
    auto const& error = started.error();
    co_return Unexpected(
        SupervisorError(SupervisorError::Kind::shutting_down, "", ExitReason::error(error.what())));
  }
  if (started->has_value() && guard != nullptr) guard->keep(**started);
  co_return std::move(*started);
}

Task<Result<ExitReason, ActorError>> wait_for_task(ChildRef ref, std::int64_t timeout_ns) {
  ExitAwaiter end(ref.cell(), false, {}, timeout_ns);
  Result<ExitReason, ActorError> result = co_await end;
  co_return result;
}

Task<Result<ExitReason, ActorError>> end_task(ChildRef ref, std::int64_t limit_ns) {
  if (limit_ns != no_deadline) {
    ref.cell().exit(ExitReason::shutdown());
    auto ended = co_await wait_for_task(ref, limit_ns);
    if (ended || ended.error().kind() != ActorError::Kind::timeout) co_return ended;
  }
  ref.cell().exit(ExitReason::Kind::kill);
  auto killed = co_await wait_for_task(ref, no_deadline);
  co_return killed;
}

ActorError task_error(ExitReason reason) noexcept {
  bool const failed = reason.kind() == ExitReason::Kind::error;
  return {failed ? ActorError::Kind::handler_failed : ActorError::Kind::stopped, std::move(reason)};
}

ActorError task_error(SupervisorError const& error) {
  return {ActorError::Kind::init_failed, ExitReason::error(error.what())};
}

void check(TaskStreamOptions const& options) {
  if (options.max_concurrency == 0) {
    throw InvalidOptions("TaskStreamOptions", "max_concurrency", "1 and more", "0");
  }
}

}  // namespace spawned::detail
