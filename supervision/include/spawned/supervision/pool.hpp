// Pool<A>: supervised workers of one kind, and whom of them a message goes to.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/actors/request_set.hpp>
#include <spawned/supervision/child_spec.hpp>
#include <spawned/supervision/detail/pool_table.hpp>
#include <spawned/supervision/pool_router.hpp>

namespace spawned {

/// What Pool::request() returns: RequestAwaitable, and the request counts as load of its worker.
/// Errors  `no_such_actor` at once while the pool has no workers; else as RequestAwaitable.
template <typename A, typename R>
class [[nodiscard("co_await it, or the request is never sent")]] PoolRequest {
 public:
  template <typename Envelope>
  PoolRequest(std::shared_ptr<detail::PoolWorker<A>> worker, Envelope* envelope,
              std::int64_t timeout_ns, bool stamps)
      : share_(std::move(worker)) {
    if (envelope == nullptr) return;
    request_.emplace(share_.get()->ref.cell(), false, *envelope, timeout_ns, stamps);
  }
  PoolRequest(PoolRequest const&) = delete;
  PoolRequest& operator=(PoolRequest const&) = delete;

  [[nodiscard]] bool await_ready() const noexcept { return !request_; }
  template <detail::runtime_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> caller) noexcept {
    return request_->await_suspend(caller);
  }
  Result<R, ActorError> await_resume() {
    if (!request_) return Unexpected(ActorError(ActorError::Kind::no_such_actor));
    return request_->await_resume();
  }

 private:
  detail::PoolShare<A> share_;
  std::optional<RequestAwaitable<R>> request_;
};

/// A pool of A's, a handle: copies are the same pool. Messages go from the sender's thread straight
/// to a worker; no actor is between them. The workers are children of a Supervisor, and that of the
/// pool's router, which a supervisor of yours starts (`child("pool")`) or you do (`start()`). The
/// handle is good before that and after it, and through restarts of the router; while there are no
/// workers, requests answer `no_such_actor` and messages are dropped.
///
///   sp::Pool<Worker> pool(options, [] { return Worker{}; });
///   ... pool.child("workers") among the children of a supervisor ...
///   auto done = co_await pool.request<Worker::Job>(7);
///
/// Crash     of a worker: the request it was at gets `handler_failed` at once, those that wait in
///           its mailbox are served after its restart, the other workers go on.
/// Errors    InvalidOptions from the constructor.
/// Threads   any, as ActorRef.
/// Ordering  messages of one sender by one key go to one worker, in the order sent, while the
///           pool's size stays; without a key there is no order.
/// Memory    nothing for a message but what the worker's ref takes.
/// Cost      that of the ref, a lock held for some 10 ns and four atomic accesses; with
///           least_loaded a look at each worker.
/// Example   examples/job_queue
template <typename A>
class Pool {
 public:
  /// `factory` as of spawned::child(): gives an A, and may take a RestartInfo.
  template <typename Factory>
  Pool(PoolOptions options, Factory factory) {
    using Typed = detail::TypedFactory<Factory>;
    static_assert(std::is_same_v<typename Typed::actor, A>, "the factory must return the worker");
    detail::check(options);
    plan_ =
        std::make_shared<detail::PoolPlan<A>>(options, std::make_shared<Typed>(std::move(factory)));
  }

  /// The pool as a child of a supervisor.
  [[nodiscard]] ChildSpec child(std::string id) const {
    return spawned::child(std::move(id), [plan = plan_] { return PoolRouter<A>(plan); });
  }
  /// Starts it by itself, when awaited, and waits until all workers are up.
  [[nodiscard("co_await it")]] Task<Result<ActorRef<PoolRouter<A>>, ActorError>> start() const {
    return start_of(plan_);
  }

  [[nodiscard]] std::size_t size() const noexcept { return plan_->table.size(); }
  /// See PoolRouter::Resize. Errors: `no_such_actor` while it is not started.
  [[nodiscard("co_await it")]] Task<Result<Result<std::size_t, SupervisorError>, ActorError>>
  resize(std::size_t size) const {
    return resize_by(plan_, size);
  }

  /// Asks the next worker.
  template <typename M, typename... Args>
  [[nodiscard("co_await it")]] auto request(Args&&... args) const {
    return ask<M>(plan_->table.pick(), default_request_timeout, std::forward<Args>(args)...);
  }
  template <typename M, typename Rep, typename Period, typename... Args>
  [[nodiscard("co_await it")]] auto request_with_timeout(std::chrono::duration<Rep, Period> timeout,
                                                         Args&&... args) const {
    return ask<M>(plan_->table.pick(), timeout, std::forward<Args>(args)...);
  }
  /// Asks the worker that this key belongs to, by std::hash: always the same while the size stays,
  /// and when it changes from n to m about |n - m| / max(n, m) of all keys move.
  template <typename M, typename Key, typename... Args>
  [[nodiscard("co_await it")]] auto request_by_key(Key const& key, Args&&... args) const {
    return ask<M>(plan_->table.pick(detail::key_hash(key)), default_request_timeout,
                  std::forward<Args>(args)...);
  }

  /// Sends it to the next worker. Without workers it is dropped: `dropped`.
  template <typename M, typename... Args>
  SendResult send(Args&&... args) const {
    auto const worker = plan_->table.pick();
    return worker ? worker->ref.template send<M>(std::forward<Args>(args)...) : SendResult::dropped;
  }
  template <typename M, typename Key, typename... Args>
  SendResult send_by_key(Key const& key, Args&&... args) const {
    auto const worker = plan_->table.pick(detail::key_hash(key));
    return worker ? worker->ref.template send<M>(std::forward<Args>(args)...) : SendResult::dropped;
  }

  /// Sends `M(args...)` to every worker; how many have taken it.
  template <typename M, typename... Args>
  std::size_t broadcast(Args const&... args) const {
    std::size_t taken = 0;
    for (ActorRef<A> const& ref : plan_->table.refs()) {
      if (ref.template send<M>(args...) == SendResult::ok) ++taken;
    }
    return taken;
  }
  /// Asks every worker at once: a vector with a `Result` for each, in their order. One time limit
  /// for all. See request_all().
  template <typename M, typename... Args>
  [[nodiscard("co_await it")]] auto gather(Args&&... args) const {
    return gather_with_timeout<M>(default_request_timeout, std::forward<Args>(args)...);
  }
  template <typename M, typename Rep, typename Period, typename... Args>
  [[nodiscard("co_await it")]] auto gather_with_timeout(std::chrono::duration<Rep, Period> timeout,
                                                        Args&&... args) const {
    return request_all_with_timeout<M>(plan_->table.refs(), timeout, std::forward<Args>(args)...);
  }

  /// Its router; nothing while it is not started.
  [[nodiscard]] std::optional<ActorRef<PoolRouter<A>>> router() const noexcept {
    return plan_->table.router();
  }
  /// A worker, for everything else one does with a ref; nothing while there is none. What is asked
  /// through it does not count as load.
  [[nodiscard]] std::optional<ActorRef<A>> pick() const noexcept {
    return ref_of(plan_->table.pick());
  }
  template <typename Key>
  [[nodiscard]] std::optional<ActorRef<A>> pick_by_key(Key const& key) const {
    return ref_of(plan_->table.pick(detail::key_hash(key)));
  }

 private:
  using Plan = std::shared_ptr<detail::PoolPlan<A>>;
  using WorkerPtr = std::shared_ptr<detail::PoolWorker<A>>;

  template <typename M, typename Rep, typename Period, typename... Args>
  static auto ask(WorkerPtr worker, std::chrono::duration<Rep, Period> timeout, Args&&... args) {
    detail::require_request_handler<A, M>();
    (detail::reject_dangerous_temporary<Args>(), ...);
    if constexpr (detail::handles_request<A, M>) {
      using Envelope = detail::RequestEnvelope<A, M>;
      Envelope* envelope = nullptr;
      if (worker) {
        envelope = detail::pool_new<Envelope>(std::in_place, detail::forward_moved<Args>(args)...);
      }
      return PoolRequest<A, detail::reply_t<A, M>>(
          std::move(worker), envelope, detail::limit_ns(timeout), detail::awaits_in_request<A, M>);
    }
  }
  static std::optional<ActorRef<A>> ref_of(WorkerPtr const& worker) noexcept {
    if (!worker) return std::nullopt;
    return worker->ref;
  }
  static Task<Result<ActorRef<PoolRouter<A>>, ActorError>> start_of(Plan plan) {
    PoolRouter<A> router(std::move(plan));
    auto started = co_await std::move(router).start_and_wait(no_timeout);
    co_return started;
  }
  static Task<Result<Result<std::size_t, SupervisorError>, ActorError>> resize_by(
      Plan plan, std::size_t size) {
    using Resize = typename PoolRouter<A>::Resize;
    auto const router = plan->table.router();
    if (!router) co_return Unexpected(ActorError(ActorError::Kind::no_such_actor));
    auto resized = co_await router->template request_with_timeout<Resize>(no_timeout, size);
    co_return resized;
  }

  Plan plan_;
};

namespace tasks {
using spawned::Pool;
using spawned::PoolOptions;
using spawned::PoolRouter;
using spawned::Routing;
}  // namespace tasks

}  // namespace spawned
