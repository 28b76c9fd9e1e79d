// What templates in headers need of the scheduler: units of work and the calls that queue them.
// The scheduler itself is in runtime/src/scheduler/.
#pragma once

#include <coroutine>
#include <cstdint>

namespace spawned {
class Clock;
}

namespace spawned::detail {

class Scheduler;
struct ExecutionContext;

/// A unit of work: what the run queues hold. Being in a queue gives the queue the sole right to
/// run it; nobody queues a Runnable twice.
struct Runnable {
  explicit Runnable(void (*function)(Runnable&) noexcept) noexcept : run(function) {}
  Runnable(Runnable const&) = delete;
  Runnable& operator=(Runnable const&) = delete;

  Runnable* next = nullptr;  // owned by the list that holds it
  void (*run)(Runnable&) noexcept;

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

/// The part of a worker that headers touch: plain fields, used by the worker's own thread alone.
struct WorkerLocal {
  Scheduler* scheduler = nullptr;

  /// Run when the present turn ends, before every queue. No other thread can see it, so only a turn
  /// that is about to end may fill it.
  Runnable* hand_off = nullptr;

  /// The coroutine that the trampoline resumes next (g++; clang transfers symmetrically).
  std::coroutine_handle<> transfer;

  /// The context whose root coroutine has just finished; read by the context's run function.
  ExecutionContext* completed = nullptr;
};

/// The calling thread's worker, or nullptr. constinit: no initialisation wrapper on each access.
extern constinit thread_local WorkerLocal* current_worker;

/// The scheduler of the calling thread: its worker's, or nullptr.
inline Scheduler* current_scheduler() noexcept {
  return current_worker != nullptr ? current_worker->scheduler : nullptr;
}

/// Throws NoRuntime unless the calling thread works for a runtime; `what` names the operation.
Scheduler& require_scheduler(char const* what);

/// Throws RuntimeEnded once the scheduler has stopped its workers. For calls from outside.
void require_running(Scheduler& scheduler, char const* what);

/// Queues `work` to run soon: in the run-next slot of the calling worker, or through the injection
/// queue when the caller is not a worker of `scheduler`. Any thread.
void schedule(Scheduler& scheduler, Runnable& work) noexcept;

/// Queues `work` behind everything that waits at the calling worker. Any thread.
void schedule_last(Scheduler& scheduler, Runnable& work) noexcept;

/// Like schedule(), for a freshly spawned task: looks at once whether another worker should help.
void schedule_spawned(Scheduler& scheduler, Runnable& work) noexcept;

/// schedule() for a caller whose turn ends right after: no queue and no atomic access is needed.
inline void hand_off(Scheduler& scheduler, Runnable& work) noexcept {
  WorkerLocal* const worker = current_worker;
  if (worker != nullptr && worker->scheduler == &scheduler && worker->hand_off == nullptr) {
    worker->hand_off = &work;
  } else {
    schedule(scheduler, work);
  }
}

/// Makes a handed-off unit visible to other workers because the turn goes on after all.
inline void publish_hand_off() noexcept {
  WorkerLocal* const worker = current_worker;
  if (worker->hand_off == nullptr) return;
  Runnable& work = *worker->hand_off;
  worker->hand_off = nullptr;
  schedule(*worker->scheduler, work);
}

}  // namespace spawned::detail
