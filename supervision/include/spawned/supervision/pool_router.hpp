// PoolRouter<A>: the actor of a pool, which keeps its workers.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <spawned/actors/actor.hpp>
#include <spawned/actors/delegate.hpp>
#include <spawned/actors/links.hpp>
#include <spawned/actors/reply_to.hpp>
#include <spawned/supervision/detail/pool_table.hpp>
#include <spawned/supervision/supervisor.hpp>

namespace spawned {

/// The most workers a pool may have.
inline constexpr std::size_t pool_size_max = 65'536;

/// How a pool is made. Errors: InvalidOptions from Pool's constructor.
struct PoolOptions {
  std::size_t size = 4;  ///< workers at the start, 0 to pool_size_max
  Routing routing = Routing::round_robin;
  /// More restarts than this of all workers together within `period`, and the pool ends.
  int intensity = 100;
  std::chrono::nanoseconds period = std::chrono::seconds(10);
  /// Of each worker, as in its ChildSpec.
  Backoff backoff = {};
  Shutdown shutdown = std::chrono::seconds(5);
  /// A worker that is to go when the pool shrinks gets so long for what it was sent before.
  std::chrono::nanoseconds drain = std::chrono::seconds(5);
};

namespace detail {

/// What a pool and its router share.
template <typename A>
struct PoolPlan {
  PoolPlan(PoolOptions given, std::shared_ptr<ChildFactory> making)
      : options(given), factory(std::move(making)), table(given.routing) {}

  [[nodiscard]] ChildSpec spec(std::size_t number) const {
    return ChildSpec("worker-" + std::to_string(number), factory)
        .backoff(options.backoff)
        .shutdown(options.shutdown);
  }

  PoolOptions options;
  std::shared_ptr<ChildFactory> factory;  // of all, one call at a time
  PoolTable<A> table;
};

[[nodiscard]] SupervisorOptions supervisor_of(PoolOptions const& options);
/// Throws InvalidOptions.
void check(PoolOptions const& options);
/// The error of a worker that did not start.
[[nodiscard]] SupervisorError worker_error(std::string id, ActorError const& error);

}  // namespace detail

/// Made by Pool<A>. It starts the workers and a Supervisor for them, linked to itself, and resizes
/// the pool. It also takes every message and request that A takes, and hands it to the next worker,
/// so a ref to it is good wherever a Protocol of A's messages is wanted; that way is one hop longer
/// than Pool's, and its requests do not count as load.
template <typename A>
class PoolRouter : public Actor<PoolRouter<A>> {
  using Plan = std::shared_ptr<detail::PoolPlan<A>>;
  using Sup = ActorRef<Supervisor>;

 public:
  /// Yields the new size. New workers come after the old ones; the last ones go first, when they
  /// have handled what they were sent. Errors: start_failed (those this call has started are
  /// stopped again), invalid_spec for a size above pool_size_max.
  struct Resize {
    std::size_t size;
  };
  struct WhichChildren {};

  explicit PoolRouter(Plan plan) noexcept : plan_(std::move(plan)) {}
  PoolRouter(PoolRouter&&) noexcept = default;
  PoolRouter& operator=(PoolRouter&&) = delete;
  ~PoolRouter() {
    if (supervisor_) plan_->table.detach();
  }

  // The supervisor is stopped with reason normal, which its link does not pass on.
  Task<InitResult> init(Context<PoolRouter>& context) {
    auto started = co_await context.template start_linked<Supervisor>(
        detail::supervisor_of(plan_->options), std::vector<ChildSpec>());
    if (!started) co_return InitResult::error(started.error().reason());
    if (!plan_->table.attach(context.self())) {
      (void)co_await started->stop_and_wait();
      co_return InitResult::error(ExitReason::error("the pool has a router already"));
    }
    supervisor_.emplace(*started);
    std::optional<SupervisorError> failed = co_await grow(plan_, *supervisor_, plan_->options.size);
    if (!failed) co_return InitResult::success();
    (void)co_await supervisor_->stop_and_wait();
    co_return InitResult::error(ExitReason(ExitReason::Kind::shutdown, failed->what()));
  }
  Task<void> teardown() {
    Sup const supervisor = *supervisor_;
    plan_->table.detach();
    (void)co_await supervisor.stop_and_wait();
  }

  Task<Result<std::size_t, SupervisorError>> handle_request(Resize resize) {
    std::size_t const size = resize.size;
    if (size > pool_size_max) {
      co_return Unexpected(SupervisorError(SupervisorError::Kind::invalid_spec, "pool",
                                           ExitReason::error("too many workers")));
    }
    std::size_t const before = plan_->table.size();
    std::optional<SupervisorError> failed = co_await grow(plan_, *supervisor_, size);
    co_await shrink(plan_, *supervisor_, failed ? before : size);
    if (failed) co_return Unexpected(std::move(*failed));
    co_return size;
  }
  Task<std::vector<ChildInfo>> handle_request(WhichChildren /*which*/) {
    auto children = co_await supervisor_->template request<Supervisor::WhichChildren>();
    if (!children) co_return std::vector<ChildInfo>();
    co_return std::move(*children);
  }

  /// What A handles, handed on.
  template <typename M>
    requires detail::handles_request<A, M>
  auto handle_request(M message, Context<PoolRouter>& context) {
    using R = detail::reply_t<A, M>;
    if (auto const worker = plan_->table.pick()) {
      return context.template delegate<M>(worker->ref, moved(message));
    }
    (void)context.template defer<R>().fail(ActorError::Kind::no_such_actor);
    return RequestResponse<R>::deferred();
  }
  template <typename M>
    requires(detail::handles_message<A, M> && !std::is_same_v<M, Exit> && !std::is_same_v<M, Down>)
  void handle_message(M message) {
    if (auto const worker = plan_->table.pick()) worker->ref.template send<M>(moved(message));
  }

 private:
  static Task<std::optional<SupervisorError>> grow(Plan plan, Sup supervisor, std::size_t size) {
    for (std::size_t number = plan->table.size(); number < size; ++number) {
      ChildSpec spec = plan->spec(number);
      auto started = co_await supervisor.request_with_timeout<Supervisor::StartChild>(
          no_timeout, std::move(spec));
      if (!started) co_return detail::worker_error(plan->spec(number).id(), started.error());
      if (!*started) co_return std::move(started->error());
      auto ref = (*started)->template as<A>();
      if (!ref) {
        co_await drop(supervisor, plan->spec(number).id());
        co_return SupervisorError(SupervisorError::Kind::start_failed, plan->spec(number).id(),
                                  ExitReason::error("its factory gave nothing"));
      }
      plan->table.add(std::move(*ref));
    }
    co_return std::nullopt;
  }
  static Task<void> shrink(Plan plan, Sup supervisor, std::size_t size) {
    while (plan->table.size() > size) {
      auto const last = plan->table.remove_last();
      PendingReply<void> drained = detail::send_ping(last->ref.cell());
      (void)co_await drained.wait_for(plan->options.drain);
      co_await drop(supervisor, plan->spec(plan->table.size()).id());
    }
  }
  static Task<void> drop(Sup supervisor, std::string id) {
    (void)co_await supervisor.request_with_timeout<Supervisor::TerminateChild>(no_timeout, id);
    (void)co_await supervisor.request_with_timeout<Supervisor::DeleteChild>(no_timeout, id);
  }

  Plan plan_;
  std::optional<Sup> supervisor_;  // from init on
};

}  // namespace spawned
