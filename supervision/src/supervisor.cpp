#include <spawned/supervision/supervisor.hpp>

#include <algorithm>
#include <utility>

#include <spawned/actors/detail/notices.hpp>
#include <spawned/actors/links.hpp>
#include <spawned/runtime/runtime.hpp>

#include "child_set.hpp"
#include "restart_budget.hpp"
#include "restart_plan.hpp"

namespace spawned {

using detail::Child;
using detail::Started;

namespace {

using Kind = SupervisorError::Kind;

SupervisorOptions checked(SupervisorOptions options) {
  detail::check_budget("SupervisorOptions", options.intensity, options.period);
  return options;
}

// OTP's bad_combination.
void check_significant(SupervisorOptions const& options, ChildSpec const& spec) {
  if (!spec.is_significant()) return;
  if (options.auto_shutdown == AutoShutdown::never) {
    throw InvalidOptions("ChildSpec " + spec.id(), "significant", "false if auto_shutdown is never",
                         "true");
  }
  if (spec.restart() == Restart::permanent) {
    throw InvalidOptions("ChildSpec " + spec.id(), "significant", "false for a permanent child",
                         "true");
  }
}

Result<ChildRef, SupervisorError> answer(Child& child, Started& started) {
  if (started.kind != Started::Kind::failed) return child.ref();
  return Unexpected(
      SupervisorError(Kind::start_failed, child.spec().id(), std::move(started.reason)));
}

}  // namespace

Supervisor::Supervisor(SupervisorOptions options, std::vector<ChildSpec> specs)
    : options_(checked(options)),
      budget_(std::make_unique<detail::RestartBudget>(options.intensity, options.period)) {
  for (ChildSpec const& spec : specs) check_significant(options, spec);
  children_ = std::make_unique<detail::ChildSet>(std::move(specs));
}
Supervisor::Supervisor(Supervisor&&) noexcept = default;
Supervisor::~Supervisor() = default;

Task<InitResult> Supervisor::init(Context<Supervisor>& context) {
  (void)context.trap_exit(true);
  children_->open(context.self().cell(), &detail::post_child_event<Supervisor>);
  for (std::size_t i = 0; i < children_->size();) {
    Child* const child = &(*children_)[i];
    Started started = co_await detail::start(child, ExitReason());
    if (started.kind == Started::Kind::failed) {
      std::string const what =
          "failed to start child " + child->spec().id() + ": " + started.reason.to_string();
      co_await stop_after(0, nullptr);
      co_return InitResult::error(ExitReason(ExitReason::Kind::shutdown, what));
    }
    if (started.kind == Started::Kind::ignored && child->spec().restart() == Restart::temporary) {
      children_->remove(*child);
    } else {
      ++i;
    }
  }
  co_return InitResult::success();
}

Task<void> Supervisor::teardown(Context<Supervisor>& /*context*/) {
  co_await stop_after(0, nullptr);
}

void Supervisor::handle_message(Exit const& exit) { detail::log_ignored("a supervisor", exit); }

// Stops those from `first` on, in reverse, for good if the supervisor ends (`but` is null). The
// others keep their slots.
Task<void> Supervisor::stop_after(std::size_t first, Child* but) {
  for (std::size_t i = children_->size(); i > first; --i) {
    Child* const child = &(*children_)[i - 1];
    if (child == but) continue;
    bool const for_good = but == nullptr;
    co_await detail::stop(child, for_good);
    if (!for_good && child->spec().restart() == Restart::temporary) children_->remove(*child);
  }
}

// One after the other. The first that does not start is tried again through the mailbox, and those
// behind it wait for that.
Task<void> Supervisor::start_from(std::size_t first, Context<Supervisor>* context) {
  for (std::size_t i = first; i < children_->size(); ++i) {
    Child* const child = &(*children_)[i];
    if (child->status == ChildState::running) continue;
    Started started = co_await detail::start(child, child->reason());
    if (started.kind == Started::Kind::failed) {
      co_await plan_restart(child, context);
      co_return;
    }
    if (started.kind == Started::Kind::ignored) {
      co_await detail::stop(child, true);
      continue;
    }
    ++child->restarts;
  }
}

Task<void> Supervisor::plan_restart(Child* child, Context<Supervisor>* context) {
  switch (detail::plan_restart_of(*child, *budget_, *context)) {
    case detail::RestartPlan::give_up:
      if (gave_up_) *gave_up_ = true;
      co_await detail::stop(child, true);
      context->stop(ExitReason::shutdown());
      break;
    case detail::RestartPlan::now:
      co_await restart(child, context);
      break;
    case detail::RestartPlan::later:
      break;
  }
}

Task<void> Supervisor::restart(Child* child, Context<Supervisor>* context) {
  if (options_.strategy == RestartStrategy::one_for_one) {
    Started started = co_await detail::start(child, child->reason());
    if (started.kind == Started::Kind::failed) {
      co_await plan_restart(child, context);
    } else if (started.kind == Started::Kind::ignored) {
      co_await detail::stop(child, true);
    } else {
      ++child->restarts;
    }
    co_return;
  }
  bool const all = options_.strategy == RestartStrategy::one_for_all;
  co_await stop_after(all ? 0 : children_->index_of(*child) + 1, child);
  co_await start_from(all ? 0 : children_->index_of(*child), context);
}

Task<void> Supervisor::handle_message(detail::ChildEvent event, Context<Supervisor>& context) {
  Child* const child = &event.get();
  if (!child->is_to_decide()) co_return;
  co_await detail::settle_end(child);
  if (detail::is_to_restart(*child)) {
    co_await plan_restart(child, &context);
  } else {
    co_await leave_ended(child, &context);
  }
}

Task<void> Supervisor::handle_message(detail::ChildRetry retry, Context<Supervisor>& context) {
  Child* const child = &retry.get();
  if (!child->is_due(retry.attempt())) co_return;
  co_await restart(child, &context);
}

// It has ended by itself and is not restarted.
Task<void> Supervisor::leave_ended(Child* child, Context<Supervisor>* context) {
  bool const significant = child->spec().is_significant();
  detail::ChildHold const keep(*child);
  co_await detail::stop(child, true);
  if (child->spec().restart() == Restart::temporary) children_->remove(*child);
  if (!significant) co_return;
  bool ends = options_.auto_shutdown == AutoShutdown::any_significant;
  if (options_.auto_shutdown == AutoShutdown::all_significant) {
    ends = true;
    for (std::size_t i = 0; i < children_->size(); ++i) {
      Child const& other = (*children_)[i];
      if (other.spec().is_significant() && other.status != ChildState::undefined) ends = false;
    }
  }
  if (ends) context->stop(ExitReason::shutdown());
}

Task<Result<ChildRef, SupervisorError>> Supervisor::handle_request(
    StartChild request, Context<Supervisor>& /*context*/) {
  std::string const id = request.spec.id();
  if (Child const* const there = children_->find(id)) {
    co_return Unexpected(SupervisorError(
        there->status == ChildState::running ? Kind::already_started : Kind::already_present, id));
  }
  try {
    detail::check(request.spec);
    check_significant(options_, request.spec);
  } catch (InvalidOptions const& error) {
    co_return Unexpected(SupervisorError(Kind::invalid_spec, id, ExitReason::error(error.what())));
  }
  Child* const child = &children_->add(std::move(request.spec));
  detail::ChildHold const keep(*child);
  Started started = co_await detail::start(child, ExitReason());
  Result<ChildRef, SupervisorError> result = answer(*child, started);
  bool const keeps =
      started.kind == Started::Kind::up ||
      (started.kind == Started::Kind::ignored && child->spec().restart() != Restart::temporary);
  if (!keeps) children_->remove(*child);
  co_return result;
}

Task<Result<void, SupervisorError>> Supervisor::handle_request(TerminateChild request) {
  Child* const child = children_->find(request.id);
  if (child == nullptr) co_return Unexpected(SupervisorError(Kind::not_found, request.id));
  co_await detail::stop(child, true);
  if (child->spec().restart() == Restart::temporary) children_->remove(*child);
  co_return Result<void, SupervisorError>();
}

Task<Result<ChildRef, SupervisorError>> Supervisor::handle_request(
    RestartChild request, Context<Supervisor>& /*context*/) {
  Child* const child = children_->find(request.id);
  if (child == nullptr) co_return Unexpected(SupervisorError(Kind::not_found, request.id));
  if (child->status == ChildState::running) {
    co_return Unexpected(SupervisorError(Kind::running, request.id));
  }
  if (child->status == ChildState::restarting) {
    co_return Unexpected(SupervisorError(Kind::restarting, request.id));
  }
  Started started = co_await detail::start(child, ExitReason());
  co_return answer(*child, started);
}

Result<void, SupervisorError> Supervisor::handle_request(DeleteChild const& request) {
  Child* const child = children_->find(request.id);
  if (child == nullptr) return Unexpected(SupervisorError(Kind::not_found, request.id));
  if (child->status == ChildState::running) {
    return Unexpected(SupervisorError(Kind::running, request.id));
  }
  if (child->status == ChildState::restarting) {
    return Unexpected(SupervisorError(Kind::restarting, request.id));
  }
  if (child->state() == Child::State::vacant) child->orphan();
  children_->remove(*child);
  return {};
}

std::vector<ChildInfo> Supervisor::handle_request(WhichChildren) { return children_->list(); }

ChildCounts Supervisor::handle_request(CountChildren) { return children_->count(); }

Result<ChildInfo, SupervisorError> Supervisor::handle_request(GetChild const& request) {
  Child* const child = children_->find(request.id);
  if (child == nullptr) return Unexpected(SupervisorError(Kind::not_found, request.id));
  return child->info();
}

}  // namespace spawned
