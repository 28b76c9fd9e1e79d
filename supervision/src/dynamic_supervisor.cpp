#include <spawned/supervision/dynamic_supervisor.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <spawned/actors/links.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

#include "child_set.hpp"
#include "dynamic_set.hpp"
#include "restart_budget.hpp"
#include "restart_plan.hpp"

namespace spawned {

using detail::Child;
using detail::DynamicSet;
using detail::RestartBudget;
using detail::RestartPlan;
using detail::Started;

namespace {

using Kind = SupervisorError::Kind;

DynamicOptions checked(DynamicOptions options) {
  detail::check_budget("DynamicOptions", options.intensity, options.period);
  return options;
}

ChildTemplate checked(ChildTemplate common) {
  detail::check_unnamed(common.spec());
  return common;
}

ChildSpec checked(ChildSpec spec) {
  detail::check_unnamed(spec);
  if (spec.is_significant()) {
    throw InvalidOptions("ChildSpec " + spec.id(), "significant",
                         "false for a child of a DynamicSupervisor", "true");
  }
  return spec;
}

// Of a million children the others on this worker have their turn in between.
constexpr std::size_t batch = 1024;

// A child that no set knows yet: whatever happens, its actor does not outlive the supervisor.
class NewChild {
 public:
  explicit NewChild(Child& child) noexcept : child_(&child) {}
  NewChild(NewChild const&) = delete;
  NewChild& operator=(NewChild const&) = delete;
  ~NewChild() {
    if (child_ != nullptr) child_->disown();
  }
  [[nodiscard]] Child& get() const noexcept { return *child_; }
  Child& release() noexcept { return *std::exchange(child_, nullptr); }

 private:
  Child* child_;
};

Unexpected<SupervisorError> refused(Kind kind, std::string id, ExitReason reason = {}) {
  return Unexpected(SupervisorError(kind, std::move(id), std::move(reason)));
}
std::string label(ActorId id) { return "#" + std::to_string(id.value); }

}  // namespace

DynamicSupervisor::StartChild::StartChild(ChildSpec what) : spec(checked(std::move(what))) {}

DynamicSupervisor::DynamicSupervisor(DynamicOptions options)
    : options_(checked(options)),
      children_(std::make_unique<DynamicSet>(std::nullopt)),
      budget_(std::make_unique<RestartBudget>(options.intensity, options.period)) {}
DynamicSupervisor::DynamicSupervisor(DynamicOptions options, ChildTemplate children)
    : options_(checked(options)),
      children_(std::make_unique<DynamicSet>(checked(std::move(children)))),
      budget_(std::make_unique<RestartBudget>(options.intensity, options.period)) {}
DynamicSupervisor::DynamicSupervisor(DynamicSupervisor&&) noexcept = default;
DynamicSupervisor::~DynamicSupervisor() = default;

void DynamicSupervisor::init(Context<DynamicSupervisor>& context) {
  (void)context.trap_exit(true);
  children_->open(context.self().cell(), &detail::post_child_event<DynamicSupervisor>);
}

// All at once: those with the least time are waited for first, so that none overruns its own.
Task<void> DynamicSupervisor::teardown() {
  struct Leaving {
    Child* child;
    std::int64_t deadline_ns;
  };
  std::int64_t const begin_ns = now().time_since_epoch().count();
  std::vector<Leaving> leaving;
  leaving.reserve(children_->size());
  std::size_t looked_at = 0;
  for (Child* const child : children_->all()) {
    if (++looked_at % batch == 0) co_await yield_now();
    if (!child->begin_stop(true)) continue;
    std::int64_t const limit = child->spec().shutdown().limit_ns();
    leaving.push_back({child, limit >= 0 ? begin_ns + limit : detail::no_deadline});
  }
  std::sort(leaving.begin(), leaving.end(), [](Leaving const& left, Leaving const& right) {
    // No deadline is the latest: a negative number without a sign is large.
    return static_cast<std::uint64_t>(left.deadline_ns) <
           static_cast<std::uint64_t>(right.deadline_ns);
  });
  for (Leaving const& each : leaving) {
    if (++looked_at % batch == 0) co_await yield_now();
    co_await detail::finish_stop(each.child, true, each.deadline_ns);
    children_->remove(*each.child);
  }
}

void DynamicSupervisor::handle_message(Exit const& exit) {
  detail::log_ignored("a dynamic supervisor", exit);
}

Task<void> DynamicSupervisor::drop(Child* child) {
  co_await detail::stop(child, true);
  children_->remove(*child);
}

Task<void> DynamicSupervisor::plan_restart(Child* child, Context<DynamicSupervisor>* context) {
  switch (detail::plan_restart_of(*child, *budget_, *context)) {
    case RestartPlan::give_up:
      co_await drop(child);
      context->stop(ExitReason::shutdown());
      break;
    case RestartPlan::now:
      co_await restart(child, context);
      break;
    case RestartPlan::later:
      break;
  }
}

Task<void> DynamicSupervisor::restart(Child* child, Context<DynamicSupervisor>* context) {
  Started started = co_await detail::start(child, child->reason());
  switch (started.kind) {
    case Started::Kind::up:
      ++child->restarts;
      children_->find_anew(*child);
      break;
    case Started::Kind::ignored:
      co_await drop(child);
      break;
    case Started::Kind::failed:
      co_await plan_restart(child, context);
      break;
  }
}

Task<void> DynamicSupervisor::handle_message(detail::ChildEvent event,
                                             Context<DynamicSupervisor>& context) {
  Child* const child = &event.get();
  if (!child->is_to_decide()) co_return;
  co_await detail::settle_end(child);
  if (detail::is_to_restart(*child)) {
    co_await plan_restart(child, &context);
  } else {
    co_await drop(child);
  }
}

Task<void> DynamicSupervisor::handle_message(detail::ChildRetry retry,
                                             Context<DynamicSupervisor>& context) {
  Child* const child = &retry.get();
  if (!child->is_due(retry.attempt())) co_return;
  co_await restart(child, &context);
}

Task<Result<ChildRef, SupervisorError>> DynamicSupervisor::start_new(
    std::shared_ptr<ChildSpec const> spec, detail::ArgumentsPtr arguments) {
  std::string id = spec->id();
  if (children_->size() >= options_.max_children) {
    co_return refused(Kind::max_children, std::move(id));
  }
  children_->reserve();
  NewChild made(children_->make(std::move(spec), std::move(arguments)));
  Started started = co_await detail::start(&made.get(), ExitReason());
  if (started.kind == Started::Kind::failed) {
    co_return refused(Kind::start_failed, std::move(id), std::move(started.reason));
  }
  if (started.kind == Started::Kind::ignored) co_return ChildRef();
  Child& child = made.release();
  if (child.spec().restart() == Restart::temporary) child.forget_arguments();
  children_->add(child);
  co_return child.ref();
}

Task<Result<ChildRef, SupervisorError>> DynamicSupervisor::handle_request(StartChild request) {
  if (children_->common() != nullptr) {
    co_return refused(Kind::invalid_spec, request.spec.id(),
                      ExitReason::error("this supervisor has a template: use StartWith"));
  }
  auto spec = std::make_shared<ChildSpec const>(std::move(request.spec));
  Result<ChildRef, SupervisorError> result = co_await start_new(std::move(spec), nullptr);
  co_return result;
}

Task<Result<ChildRef, SupervisorError>> DynamicSupervisor::handle_request(StartWith request) {
  ChildTemplate const* const common = children_->common();
  if (common == nullptr) {
    co_return refused(Kind::invalid_spec, "",
                      ExitReason::error("this supervisor has no template: use StartChild"));
  }
  if (common->arguments_tag() != request.arguments->tag()) {
    std::string const what = "its template takes " + std::string(common->arguments_names()) +
                             ", given was " + std::string(request.arguments->names());
    co_return refused(Kind::invalid_spec, "", ExitReason::error(what));
  }
  detail::ArgumentsPtr arguments = std::move(request.arguments);
  if (arguments->tag() == detail::TypedArguments<>::tag()) arguments = nullptr;  // none at all
  Result<ChildRef, SupervisorError> result =
      co_await start_new(children_->common_spec(), std::move(arguments));
  co_return result;
}

Task<Result<void, SupervisorError>> DynamicSupervisor::handle_request(TerminateChild request) {
  Child* const child = children_->find(request.id);
  if (child == nullptr) co_return refused(Kind::not_found, label(request.id));
  co_await drop(child);
  co_return Result<void, SupervisorError>();
}

Result<ChildInfo, SupervisorError> DynamicSupervisor::handle_request(GetChild const& request) {
  Child* const child = children_->find(request.id);
  if (child == nullptr) return refused(Kind::not_found, label(request.id));
  return child->info();
}

std::vector<ChildInfo> DynamicSupervisor::handle_request(WhichChildren) {
  return children_->list();
}

ChildCounts DynamicSupervisor::handle_request(CountChildren) { return children_->count(); }

}  // namespace spawned
