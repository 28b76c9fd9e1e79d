// ExecutionContext: who a chain of awaiting coroutines belongs to. A spawned task has one, and
// every actor has one for its coroutine handlers.
//
// Suspending and resuming. One coroutine of the chain, the leaf, is suspended at a time. Whoever
// completes what it waits for queues the context, and the worker that takes it resumes the leaf.
//   gate      A waker may queue the context while the suspending thread is still inside
//             await_suspend(). close_gate() comes first and open_gate() last in every
//             await_suspend(); the worker that runs the context waits for the open gate. So a
//             suspending thread may touch its frame until it has opened the gate.
//
// Cancelling. wait_ is one word:
//   value            set by                     cleared by            means
//   0                                                                 not suspended
//   Wait*            begin_wait()               end_wait()            suspended, can be cancelled
//   | cancelled (1)  request_cancel(), sticky   clear_cancel()        seen at the next await
//   | busy (2)       the cancelling call        the same call         a canceller uses the Wait
//   | doomed (4)     request_doom(), for good                         cancelled, never to go on
// A canceller touches the Wait only under `busy`, and end_wait() does not return while it is set,
// so the Wait (which lives in a coroutine frame) outlives every use of it. Only the call that sets
// `cancelled` sets `busy`.
//
// Doom. A doomed context is cancelled in a way that no code of its own can catch: whoever runs it
// destroys the suspended frame instead of resuming it. An await that finds its context doomed
// suspends all the same and queues the context (suspend_doomed()), so that it comes to that.
// Therefore every awaiter can be destroyed while it is suspended: its destructor takes back what
// it registered. Its context has been queued exactly once by then and nobody else can resume it.
// An await that must not be left alone, such as timeout()'s for its child, sets resumes_doomed.
//
// Orderings.
//   gate      open_gate() stores (release)  ->  wait_gate() loads (acquire).
//             The resuming worker sees all that the suspending thread wrote into the frame.
//   slot      begin_wait() CASes wait_ (acq_rel)  ->  cancel_with() RMWs wait_ (acq_rel).
//             A canceller sees the Wait initialised; one word decides whether the cancellation or
//             the registration came first, so a cancellation is seen by one of the two. Who sees
//             the context doomed also sees what was written before request_doom().
//   release   cancel_with() RMWs wait_ (release)  ->  end_wait() RMWs wait_ (acquire).
//             The canceller is done with the Wait before its frame goes on.
#pragma once

#include <coroutine>
#include <cstdint>
#include <string>

#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/scheduling.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned::detail {}  // namespace spawned::detail

namespace spawned {

/// What becomes of work that has begun, and of mail that waits, when a runtime shuts down.
enum class UnreadMail : std::uint8_t {
  drain,    ///< handlers run to their end and mail is handled, as far as the deadline allows
  discard,  ///< handlers run to their end, unread mail is discarded
  cancel,   ///< awaits are cancelled at once, in handlers and tasks; what ~Runtime does
};

}  // namespace spawned

namespace spawned::detail {

/// A suspended await that a cancellation can end.
struct Wait {
  explicit Wait(void (*function)(Wait&) noexcept) noexcept : cancel(function) {}
  Wait(Wait const&) = delete;
  Wait& operator=(Wait const&) = delete;

  /// Tries to win the right to resume the waiter and, if it wins, queues its context.
  void (*cancel)(Wait&) noexcept;

 protected:
  ~Wait() = default;
};

/// What the runtime must be able to do with everything that lives on it, tasks and actors alike.
struct LiveKind {
  /// Asks it to end; called under the lock of its list, so it only posts and returns.
  void (*request_end)(ExecutionContext&, UnreadMail) noexcept;
  /// Names it for a report: kind, type, identity, what it does.
  std::string (*describe)(ExecutionContext const&);
  /// It ends after what was started later (an actor), not with everything else (a task).
  bool in_order;
  /// Faults::crash. Null: such a thing cannot crash.
  void (*crash)(ExecutionContext&) noexcept = nullptr;
  /// For the end of a simulated run: the timers that would send it a message, a line each, "\n"
  /// before it. Null: there are none.
  std::string (*describe_timers)(ExecutionContext const&) = nullptr;
};

struct ExecutionContext : Runnable {
  ExecutionContext(Executor& where, LiveKind const& live_kind,
                   void (*function)(Runnable&) noexcept) noexcept
      : Runnable(&where, function), kind(&live_kind) {}

  static constexpr std::uintptr_t cancelled_bit = 1;
  static constexpr std::uintptr_t busy_bit = 2;
  static constexpr std::uintptr_t doomed_bit = 4;
  static constexpr std::uintptr_t all_bits = 7;

  // --- gate ---
  void close_gate() noexcept { gate_closed_.store(true, memory_order_relaxed); }  // ordered by gate
  void open_gate() noexcept { gate_closed_.store(false, memory_order_release); }  // gate
  void wait_gate() const noexcept {
    if (gate_closed_.load(memory_order_acquire)) wait_gate_slowly();  // gate
  }

  // --- cancellation ---
  /// Registers a suspension. False: the context is cancelled, do not suspend.
  [[nodiscard]] bool begin_wait(Wait& wait) noexcept {
    std::uintptr_t expected = 0;
    return wait_.compare_exchange_strong(expected, reinterpret_cast<std::uintptr_t>(&wait),
                                         memory_order_acq_rel, memory_order_relaxed);  // slot
  }

  /// Ends the registration; afterwards no canceller holds the Wait.
  void end_wait(Wait& wait) noexcept {
    auto expected = reinterpret_cast<std::uintptr_t>(&wait);
    if (wait_.compare_exchange_strong(expected, 0, memory_order_acquire,
                                      memory_order_relaxed)) {  // release
      return;
    }
    end_wait_slowly();
  }

  /// Level-triggered and sticky. Wakes the context if it is suspended. Any thread; the caller keeps
  /// the context alive.
  void request_cancel() noexcept { cancel_with(cancelled_bit); }
  /// The same, for good: what is suspended, or suspends next, is not resumed any more. Only for a
  /// context whose run function looks at is_doomed().
  void request_doom() noexcept { cancel_with(cancelled_bit | doomed_bit); }

  [[nodiscard]] bool is_cancelled() const noexcept {
    return (wait_.load(memory_order_acquire) & (cancelled_bit | doomed_bit)) != 0;  // slot
  }
  [[nodiscard]] bool is_doomed() const noexcept {
    return (wait_.load(memory_order_acquire) & doomed_bit) != 0;  // slot
  }

  /// The same as a read-modify-write, for who has just published what a canceller looks for.
  [[nodiscard]] bool is_cancelled_now() noexcept {
    return (wait_.fetch_or(0, memory_order_acq_rel) & (cancelled_bit | doomed_bit)) != 0;  // slot
  }

  /// Last call of an await_suspend() that would return false because the context is cancelled; the
  /// gate is open. True: the context is doomed and queued, the frame must not be touched any more,
  /// return true.
  [[nodiscard]] bool suspend_doomed() noexcept;

  /// For an actor that unwound a cancelled handler and must still run its teardown. Not suspended.
  void clear_cancel() noexcept {
    wait_.fetch_and(~cancelled_bit, memory_order_acq_rel);  // slot
    cancel_reported = false;
  }

  /// For a context that starts again: neither cancelled nor doomed. Nobody cancels it now.
  void absolve() noexcept {
    wait_.store(0, memory_order_relaxed);  // ordered by the run queue
    cancel_reported = resumes_doomed = false;
  }

  LiveKind const* kind;
  SharedCell<std::coroutine_handle<>> resume_point;  // the suspended leaf; ordered by gate

  // The list of the living (LiveList), guarded by the lock of that shard.
  ExecutionContext* live_previous = nullptr;
  ExecutionContext* live_next = nullptr;
  std::uint32_t live_shard = 0;

  /// Owner: what an await of an answer has to look at; 0 for most.
  static constexpr std::uint8_t carries_deadline = 1;  // only of actors
  static constexpr std::uint8_t finds_cycles = 2;      // only of actors
  static constexpr std::uint8_t tells_waits = 4;       // simulated: Simulated::waits()
  std::uint8_t await_checks = 0;

  bool resumes_doomed = false;   // owner: the suspended leaf must go on even so
  bool cancel_reported = false;  // owner: an await has already returned `cancelled` as a value

 protected:
  ~ExecutionContext() = default;

 private:
  void wait_gate_slowly() const noexcept;
  void end_wait_slowly() noexcept;
  void cancel_with(std::uintptr_t bits) noexcept;

  atomic<bool> gate_closed_{false};
  atomic<std::uintptr_t> wait_{0};
};

/// Adds the context to the list of what lives on its scheduler. While the scheduler shuts down, the
/// context is asked to end at once. False: the scheduler has ended, the context cannot run.
/// `root`: nobody but the runtime ends it; roots end in the reverse of the order they were added
/// in.
[[nodiscard]] bool live_add(ExecutionContext& context, bool root = false) noexcept;
void live_remove(ExecutionContext& context) noexcept;

/// Resumes a coroutine and, on the trampoline, whatever it transfers to. True: the root coroutine
/// of `context` finished. False: the chain is suspended and `context` must not be touched any more.
inline bool resume_chain(std::coroutine_handle<> handle, ExecutionContext& context) noexcept {
  WorkerLocal& worker = *current_worker;
  for (;;) {
    handle.resume();
    if (!worker.transfer) break;
    handle = worker.transfer;
    worker.transfer = nullptr;
  }
  if (worker.completed != &context) return false;
  worker.completed = nullptr;
  return true;
}

}  // namespace spawned::detail
