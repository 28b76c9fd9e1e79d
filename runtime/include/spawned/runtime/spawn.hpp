// spawn, spawn_blocking, JoinHandle, yield_now: unstructured work.
#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/errors.hpp>
#include <spawned/runtime/moved.hpp>
#include <spawned/runtime/result.hpp>
#include <spawned/runtime/task.hpp>

namespace spawned {

namespace detail {

/// The block between a running job and its JoinHandle. Two owners, see Slot.
template <typename T>
struct JoinState {
  struct Operations {
    void (*cancel)(JoinState&) noexcept;
    void (*destroy)(JoinState&) noexcept;
  };
  explicit JoinState(Operations const& table) noexcept : operations(&table) {}

  /// Runs `function` and keeps what it returns or throws.
  template <typename Function>
  void store_result_of(Function&& function) noexcept {
    try {
      if constexpr (std::is_void_v<T>) {
        std::forward<Function>(function)();
        result.emplace();
      } else {
        result.emplace(std::forward<Function>(function)());
      }
    } catch (Cancelled const&) {
      result.emplace(Unexpected(JoinError()));
    } catch (...) {
      result.emplace(Unexpected(JoinError(std::current_exception())));
    }
  }
  void complete(bool turn_ends) noexcept {
    if (!slot.complete(turn_ends)) operations->destroy(*this);
  }

  Operations const* operations;
  Slot slot;
  std::optional<Result<T, JoinError>> result;

 protected:
  ~JoinState() = default;
};

/// An await that returns a Result reports a cancellation once; after that, awaits throw.
inline void report_cancelled(ExecutionContext& context) {
  if (context.cancel_reported) throw Cancelled();
  context.cancel_reported = true;
}

/// Awaiting it yields the context of the awaiting coroutine, without suspending.
class ThisContext {
 public:
  constexpr ThisContext() noexcept {}
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <runtime_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> self) noexcept {
    context_ = self.promise().context;
    return false;
  }
  ExecutionContext& await_resume() const noexcept { return *context_; }

 private:
  ExecutionContext* context_ = nullptr;
};

}  // namespace detail

/// The right to the result of a spawned task or blocking job.
///
/// Awaiting   `co_await handle` (once) yields `Result<T, JoinError>`: the value, or the exception
///            that left the task, or that it was cancelled.
/// Dropping   lets the task go on; it belongs to its runtime, which cancels it at its own end.
/// Cancel     A cancelled await gives JoinError cancelled and leaves the task alone; the handle
///            can be awaited again.
/// Threads    one thread at a time.
/// Resumes    on the worker that finished the joined task, if both belong to one runtime.
template <typename T>
class [[nodiscard("dropping the handle lets the task go on by itself")]] JoinHandle {
 public:
  explicit JoinHandle(detail::JoinState<T>& state) noexcept : state_(&state) {}
  JoinHandle(JoinHandle&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  JoinHandle& operator=(JoinHandle&& other) noexcept {
    JoinHandle old(std::move(*this));
    state_ = std::exchange(other.state_, nullptr);
    return *this;
  }
  ~JoinHandle() { release(); }

  /// Asks the task to end: its present and every later await returns or throws `cancelled`. A
  /// blocking job is cancelled only while it waits for a thread. No effect on what has ended.
  void cancel() noexcept {
    if (state_ != nullptr) state_->operations->cancel(*state_);
  }
  [[nodiscard]] bool is_finished() const noexcept {
    return state_ != nullptr && state_->slot.is_done();
  }

  class Awaiter {
   public:
    explicit Awaiter(JoinHandle& handle) noexcept : handle_(&handle), wait_(detail::Slot::empty) {}
    [[nodiscard]] bool await_ready() const noexcept { return handle_->state_->slot.is_done(); }
    template <detail::runtime_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
      return wait_.suspend(waiter, *waiter.promise().context, handle_->state_->slot);
    }
    Result<T, JoinError> await_resume() {
      if (wait_.finish() == detail::WaitOutcome::cancelled) {
        detail::report_cancelled(wait_.context());
        return Unexpected(JoinError());
      }
      return handle_->take();
    }

   private:
    JoinHandle* handle_;
    detail::SlotWait wait_;
  };
  Awaiter operator co_await() noexcept { return Awaiter(*this); }

  /// For threads outside the runtime: blocks until the task has ended.
  /// Errors  BlockingInWorker on a worker.
  Result<T, JoinError> join_blocking() {
    detail::require_no_worker("JoinHandle::join_blocking");
    detail::ThreadWait wait;
    (void)wait.wait(state_->slot);
    return take();
  }
  T join_blocking_or_throw() && {
    Result<T, JoinError> result = join_blocking();
    return std::move(result).value();
  }

  /// For the library: waits up to `timeout_ns` for a task that may refer to what the awaiting frame
  /// holds. Cancelling the awaiting context cancels the task and does not end the wait, and a
  /// doomed context is resumed all the same: the caller goes on waiting until the task is finished.
  class ChildAwaiter final : public detail::Wait {
   public:
    ChildAwaiter(JoinHandle& handle, std::int64_t timeout_ns) noexcept
        : Wait(&on_cancel), handle_(&handle), timeout_ns_(timeout_ns), wait_(detail::Slot::empty) {}
    [[nodiscard]] bool await_ready() const noexcept { return handle_->state_->slot.is_done(); }
    template <detail::runtime_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
      detail::ExecutionContext& context = *waiter.promise().context;
      context.resumes_doomed = suspended_ = true;
      registered_ = context.begin_wait(*this);
      if (!registered_) on_cancel(*this);
      return wait_.suspend(waiter, context, handle_->state_->slot, timeout_ns_, false);
    }
    detail::WaitOutcome await_resume() noexcept {
      if (!suspended_) return detail::WaitOutcome::completed;
      detail::WaitOutcome const outcome = wait_.finish();
      if (registered_) wait_.context().end_wait(*this);
      wait_.context().resumes_doomed = false;
      return passed_on_.get() ? detail::WaitOutcome::cancelled : outcome;
    }

   private:
    static void on_cancel(Wait& base) noexcept {
      auto& self = static_cast<ChildAwaiter&>(base);
      if (self.handle_->is_finished()) return;
      self.passed_on_.set(true);
      self.handle_->cancel();
    }

    JoinHandle* handle_;
    std::int64_t timeout_ns_;
    detail::SlotWait wait_;
    detail::SharedCell<bool> passed_on_{false};  // ordered by release of ExecutionContext
    bool registered_ = false;
    bool suspended_ = false;
  };
  [[nodiscard]] ChildAwaiter wait_within(std::int64_t timeout_ns) noexcept {
    return ChildAwaiter(*this, timeout_ns);
  }
  /// For the library, once it is finished.
  Result<T, JoinError> take() {
    Result<T, JoinError> result = std::move(*state_->result);
    release();
    return result;
  }

 private:
  void release() noexcept {
    if (state_ == nullptr) return;
    auto* const state = std::exchange(state_, nullptr);
    if (!state->slot.abandon()) state->operations->destroy(*state);
  }

  detail::JoinState<T>* state_;
};

namespace detail {

/// Suspends a doomed context for good, and no other.
class DoomPoint {
 public:
  constexpr DoomPoint() noexcept {}
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <runtime_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
    waiter.promise().context->resume_point.set(waiter);
    return waiter.promise().context->suspend_doomed();
  }
  void await_resume() const noexcept {}
};

[[nodiscard]] std::string describe_task(std::source_location where);

/// A task's turn, for Activity, and its identity there: where it was spawned. A source_location is
/// one pointer to something static.
inline std::uint64_t identity_of(std::source_location where) noexcept {
  static_assert(sizeof(std::uint64_t) == sizeof where);
  return __builtin_bit_cast(std::uint64_t, where);
}
[[nodiscard]] std::string describe_task_step(Step const& step, std::uint64_t identity);
inline constexpr Step task_step{&describe_task_step, {}, {}};

/// A spawned task: execution context, root coroutine and join state in one block.
template <typename T>
class SpawnedTask final : public ExecutionContext, public JoinState<T> {
 public:
  SpawnedTask(Executor& workers, Task<T> task, std::source_location where) noexcept
      : ExecutionContext(workers, kind_table, &run_turn),
        JoinState<T>(join_table),
        task_(std::move(task)),
        where_(where) {
    task_.handle().promise().context = this;
    resume_point.set(task_.handle());
  }

 private:
  static void run_turn(Runnable& runnable) noexcept {
    auto& self = static_cast<SpawnedTask&>(runnable);
    self.wait_gate();
    current_worker->activity.begin_turn(task_step, identity_of(self.where_));
    if (resume_chain(self.resume_point.get(), self)) self.finish();
  }
  void finish() noexcept {
    this->store_result_of([this]() -> T { return task_.handle().promise().take(); });
    {
      Task<T> const ended = std::move(task_);  // the frame goes before the result is announced
    }
    live_remove(*this);
    this->complete(true);
  }
  static void on_cancel(JoinState<T>& state) noexcept {
    static_cast<SpawnedTask&>(state).request_cancel();
  }
  static void on_destroy(JoinState<T>& state) noexcept {
    pool_delete(&static_cast<SpawnedTask&>(state));
  }
  static void on_request_end(ExecutionContext& context, UnreadMail /*mail*/) noexcept {
    context.request_cancel();
  }
  static std::string on_describe(ExecutionContext const& context) {
    return describe_task(static_cast<SpawnedTask const&>(context).where_);
  }

  static constexpr typename JoinState<T>::Operations join_table{&on_cancel, &on_destroy};
  static constexpr LiveKind kind_table{&on_request_end, &on_describe, false};

  template <typename U>
  friend void pool_delete(U*) noexcept;

  Task<T> task_;
  std::source_location where_;
};

template <typename T>
JoinHandle<T> spawn_on(Executor& workers, Task<T> task,
                       std::source_location where = std::source_location::current()) {
  auto* const spawned = pool_new<SpawnedTask<T>>(workers, std::move(task), where);
  if (!live_add(*spawned)) {
    pool_delete(spawned);
    throw RuntimeEnded("spawn");
  }
  JoinHandle<T> handle(*spawned);
  schedule_spawned(*spawned);
  return handle;
}

/// A callable on its way through the blocking pool.
template <typename T, typename Function>
class BlockingJob final : public Runnable, public JoinState<T> {
 public:
  /// `home`: null, or the blocking pool for a job that works for the runtime.
  BlockingJob(Executor* where, Function function)
      : Runnable(where, &run_job), JoinState<T>(join_table), function_(std::move(function)) {}

 private:
  static void run_job(Runnable& runnable) noexcept {
    auto& self = static_cast<BlockingJob&>(runnable);
    if (self.cancelled_.load(memory_order_relaxed)) {  // a request, ordered by nothing
      self.result.emplace(Unexpected(JoinError()));
    } else {
      self.store_result_of([&self]() -> T { return std::move(*self.function_)(); });
    }
    self.function_.reset();
    self.complete(false);
  }
  static void on_cancel(JoinState<T>& state) noexcept {
    static_cast<BlockingJob&>(state).cancelled_.store(true, memory_order_relaxed);  // a request
  }
  static void on_destroy(JoinState<T>& state) noexcept {
    pool_delete(&static_cast<BlockingJob&>(state));
  }
  static constexpr typename JoinState<T>::Operations join_table{&on_cancel, &on_destroy};

  std::optional<Function> function_;  // ends with the job, not with the handle
  atomic<bool> cancelled_{false};
};

/// Queues a job for the blocking pool, starting a thread if one is needed and allowed.
void submit_blocking(Scheduler& scheduler, Runnable& job);

template <typename Function>
auto start_blocking(Scheduler& scheduler, Executor* home, Function&& function) {
  using Callable = message_type<Function>;
  using Value = std::invoke_result_t<Callable>;
  using Job = BlockingJob<Value, Callable>;
  Job* const job = pool_new<Job>(home, Callable(forward_moved<Function>(function)));
  try {
    submit_blocking(scheduler, *job);
  } catch (...) {
    pool_delete(job);
    throw;
  }
  return JoinHandle<Value>(*job);
}

}  // namespace detail

/// Starts `task` on the calling thread's runtime, next on this worker or earlier on an idle one.
///
/// Errors   NoRuntime outside a runtime; std::bad_alloc.
/// Cost     one block from the pool, no allocation in steady state.
/// Example  tests/runtime/spawn_test.cpp
template <typename T>
JoinHandle<T> spawn(Task<T> task, std::source_location where = std::source_location::current()) {
  return detail::spawn_on(detail::workers_of(detail::require_scheduler("spawn"), "spawn"),
                          std::move(task), where);
}

/// Runs `function()` on a thread of the blocking pool: for system calls that block, files, long
/// computations. The thread is outside the runtime: it may block and call request_blocking.
///
/// Awaiting the handle yields what `function` returns.
/// Errors   NoRuntime outside a runtime; std::system_error when the pool has no thread and cannot
///          start one.
/// Cancel   A job that has begun runs to its end.
/// Cost     25 us or so: two thread wake-ups.
template <typename Function>
auto spawn_blocking(Function&& function) {
  detail::reject_dangerous_temporary<Function>();
  return detail::start_blocking(detail::require_scheduler("spawn_blocking"), nullptr,
                                std::forward<Function>(function));
}

/// Lets everything that waits at this worker run first.
///
/// Awaiting  yields nothing. Suspends always; resumes on this worker or on one that stole the task.
/// Cancel    throws Cancelled on resuming when the task is cancelled.
class [[nodiscard("co_await it")]] YieldNow {
 public:
  constexpr YieldNow() noexcept {}
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <detail::runtime_promise Promise>
  void await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
    context_ = waiter.promise().context;
    context_->resume_point.set(waiter);
    context_->close_gate();
    detail::schedule_last(*context_);
    context_->open_gate();
  }
  void await_resume() const {
    if (context_->is_cancelled()) throw Cancelled();
  }

 private:
  detail::ExecutionContext* context_ = nullptr;
};
[[nodiscard("co_await it")]] inline YieldNow yield_now() noexcept { return {}; }

}  // namespace spawned
