// What templates in headers need of the scheduler: units of work, where they run, and the calls
// that queue them. The scheduler itself is in runtime/src/scheduler/.
#pragma once

#include <coroutine>
#include <cstdint>

#include <spawned/runtime/detail/activity.hpp>

namespace spawned {
class Clock;
}

namespace spawned::detail {

class Scheduler;
class TimerWheel;
struct ExecutionContext;
struct Runnable;

/// Where units of work run: on the workers of a runtime (Scheduler), on a thread of their own
/// (DedicatedThread), or on the threads of the blocking pool (BlockingPool).
class Executor {
 public:
  Executor(Scheduler& runtime, bool detects_cycles, bool stepwise = false) noexcept
      : runtime_(&runtime), detects_cycles_(detects_cycles), stepwise_(stepwise) {}
  Executor(Executor const&) = delete;
  Executor& operator=(Executor const&) = delete;

  /// Queues `work`, whose home this is, from a thread that is none of its workers. Any thread.
  virtual void post(Runnable& work) noexcept = 0;
  /// The context that had this executor for itself has ended, or was never started. Last call.
  virtual void retire() noexcept {}

  [[nodiscard]] Scheduler& runtime() const noexcept { return *runtime_; }
  /// RuntimeOptions::detect_cycles.
  [[nodiscard]] bool detects_cycles() const noexcept { return detects_cycles_; }
  /// A turn shall be as short as it can be: one message. Others may come in between.
  [[nodiscard]] bool stepwise() const noexcept { return stepwise_; }

 protected:
  ~Executor() = default;

 private:
  Scheduler* runtime_;
  bool detects_cycles_;
  bool stepwise_;
};

/// A unit of work: what the run queues hold. Being in a queue gives the queue the sole right to
/// run it; nobody queues a Runnable twice.
struct Runnable {
  Runnable(Executor* where, void (*function)(Runnable&) noexcept) noexcept
      : run(function), home(where) {}
  Runnable(Runnable const&) = delete;
  Runnable& operator=(Runnable const&) = delete;

  Runnable* next = nullptr;  // owned by the list that holds it
  void (*run)(Runnable&) noexcept;
  Executor* home;  // null: a blocking job, or what runs on the thread that fires a timer

 protected:
  ~Runnable() = default;
};

/// A list of Runnables through `next`, oldest first.
struct RunnableChain {
  Runnable* first = nullptr;
  Runnable* last = nullptr;

  void append(Runnable& work) noexcept {
    work.next = nullptr;
    (first == nullptr ? first : last->next) = &work;
    last = &work;
  }
  Runnable* take_first() noexcept {
    Runnable* const work = first;
    if (work != nullptr) first = work->next;
    return work;
  }
};

/// What a thread of the runtime knows of itself: fields used by that thread alone, but for one.
/// Every thread that runs contexts has one: workers, actors' own threads, threads of the blocking
/// pool.
struct WorkerLocal {
  /// The runtime that the thread works for: where start() and spawn() go.
  Scheduler* scheduler = nullptr;

  /// Of a worker: its scheduler, whose local queues this thread may use. Else null: the thread may
  /// block.
  Executor* executor = nullptr;

  /// Of a worker: its own timers. Else null.
  TimerWheel* wheel = nullptr;

  /// The unit whose turn it is.
  Runnable* running = nullptr;

  /// Run when the present turn ends, before every queue. No other thread can see it, so only a turn
  /// that is about to end may fill it.
  Runnable* hand_off = nullptr;

  /// The coroutine that the trampoline resumes next (g++; clang transfers symmetrically).
  std::coroutine_handle<> transfer;

  /// The context whose root coroutine has just finished; read by the context's run function.
  ExecutionContext* completed = nullptr;

  /// What the unit whose turn it is tells of itself. Other threads read it.
  Activity activity;
};

/// What the calling thread is to a runtime, or nullptr. constinit: no wrapper on each access.
extern constinit thread_local WorkerLocal* current_worker;

/// The scheduler that the calling thread works for, or nullptr.
inline Scheduler* current_scheduler() noexcept {
  return current_worker != nullptr ? current_worker->scheduler : nullptr;
}

/// What a worker of the runtime runs for the unit that identifies itself as `id` and is described
/// by `describe`, or nullptr: none does. A moment's truth; any thread that keeps the runtime.
[[nodiscard]] Step const* step_on_workers(Scheduler& runtime, std::uint64_t id,
                                          decltype(Step::describe) describe) noexcept;

/// Throws NoRuntime unless the calling thread works for a runtime; `what` names the operation.
Scheduler& require_scheduler(char const* what);
/// Its workers; 0 in the threads flavour.
[[nodiscard]] unsigned worker_count_of(Scheduler const& scheduler) noexcept;

/// Throws RuntimeEnded once the scheduler has stopped its workers. For calls from outside.
void require_running(Scheduler& scheduler, char const* what);

/// The clock of a runtime.
[[nodiscard]] Clock& clock_of(Scheduler& scheduler) noexcept;

/// The workers of a runtime, as a place to run. Throws std::logic_error naming `what` where the
/// runtime has none, as that of the threads flavour.
[[nodiscard]] Executor& workers_of(Scheduler& scheduler, char const* what);

/// The blocking pool, as a place to run.
[[nodiscard]] Executor& blocking_executor(Scheduler& scheduler);

/// A thread of its own for one context. Give it back by retire().
/// Errors  std::system_error when no thread can be started.
[[nodiscard]] Executor& dedicated_executor(Scheduler& scheduler);

/// Tells whoever drives a simulation, if it is one: see Simulated::touches_all().
void simulated_touches_all(bool from_now_on) noexcept;
/// The same: see Simulated::waits_not().
void simulated_waits_not(ExecutionContext& waiter) noexcept;

/// Queues `work` at its home to run soon: in the run-next slot of the calling worker, or through
/// post() when the caller is no worker of that home. Any thread.
void schedule(Runnable& work) noexcept;

/// Queues `work` behind everything that waits at the calling worker. Any thread.
void schedule_last(Runnable& work) noexcept;

/// Like schedule(), for a freshly spawned task: looks at once whether another worker should help.
void schedule_spawned(Runnable& work) noexcept;

/// schedule() for a caller whose turn ends right after: no queue and no atomic access is needed.
inline void hand_off(Runnable& work) noexcept {
  WorkerLocal* const worker = current_worker;
  if (worker != nullptr && worker->executor == work.home && worker->hand_off == nullptr) {
    worker->hand_off = &work;
  } else {
    schedule(work);
  }
}

/// Makes a handed-off unit visible to other workers because the turn goes on after all.
inline void publish_hand_off() noexcept {
  WorkerLocal* const worker = current_worker;
  if (worker->hand_off == nullptr) return;
  Runnable& work = *worker->hand_off;
  worker->hand_off = nullptr;
  schedule(work);
}

}  // namespace spawned::detail
