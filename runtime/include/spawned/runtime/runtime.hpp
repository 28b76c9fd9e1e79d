// Runtime: the object a program embeds. Everything else in the library lives on one.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/task.hpp>

namespace spawned {

/// The number of processors this process may use: its CPU affinity and its container's quota,
/// whichever is smaller, at least 1.
[[nodiscard]] unsigned default_worker_count() noexcept;

/// True in debug builds of the library (without NDEBUG).
[[nodiscard]] bool default_detect_cycles() noexcept;

/// How a Runtime is built. A new option always defaults to what the library did before it existed.
struct RuntimeOptions {
  /// Worker threads, 1 to 256.
  unsigned workers = default_worker_count();

  /// Worker threads are called "<name>-w0", ..., with the first 10 characters of the name; blocking
  /// ones "<name>-b", with 13. A thread's name has room for 15.
  std::string name = "spawned";

  /// Binds worker i to the i-th processor of the affinity mask. For measurements, and for machines
  /// that run nothing else.
  bool pin_workers = false;

  /// How long one idle worker looks for work before it sleeps; 0 to 10 ms. A sleeping worker needs
  /// 25-50 us to come back, a spinning one 0.1 us. 0 saves power.
  std::chrono::nanoseconds spin = std::chrono::microseconds(30);

  /// Threads for spawn_blocking, 1 to 10,000, started when needed.
  unsigned blocking_threads_max = 512;

  /// How long a blocking thread without work stays; not negative.
  std::chrono::nanoseconds blocking_keep_alive = std::chrono::seconds(10);

  /// How long the end of the runtime waits for what is cancelled before it reports what still runs;
  /// not negative.
  std::chrono::nanoseconds shutdown_timeout = std::chrono::seconds(5);

  /// A unit of work that does not end its turn within this time blocks its worker; a spare worker
  /// then serves what waits there. Zero: no spares. Up to 365 days.
  std::chrono::nanoseconds rescue_after = std::chrono::milliseconds(10);

  /// The most spare workers there may be at a time, started when needed and kept; 0 to 1024.
  unsigned spare_workers_max = 64;

  /// A handler or task that does not end its turn within this time is logged as a warning, again
  /// after 4, 16, ... times as long, and once more when it is over. Zero: never. Up to 365 days.
  std::chrono::nanoseconds slow_turn_warning = std::chrono::milliseconds(25);

  /// With a real-time signal (SIGRTMIN to SIGRTMAX) that the program uses for nothing else, the
  /// first of these warnings is followed by the stack of the thread, in an entry of its own. The
  /// signal interrupts the thread, so a system call that the kernel does not restart (nanosleep,
  /// poll, epoll_wait, select, a wait on a futex or semaphore) fails with EINTR in the code that
  /// blocks. That is why the default is zero: no signal, no stacks. Needs `slow_turn_warning`.
  ///
  /// Errors   InvalidOptions for another signal, and for one that has a handler or is ignored.
  /// Threads  the workers and their spares; other threads may block. They get the signal unblocked.
  ///          The handler belongs to the process: several runtimes may name the same signal, and
  ///          with the last of them the signal does again what it did before.
  /// Cost     a stack holds up the monitor for 100 ms at most; a thread that has not answered by
  ///          then is named as such. Nothing while no turn is slow.
  int slow_turn_stack_signal = 0;

  /// Seed of the workers' choice of victims; 0 takes one from the address of the runtime.
  std::uint64_t seed = 0;

  /// A request that closes a cycle of actors that wait for each other fails at once with `deadlock`
  /// and the names of all, instead of at its time limit.
  bool detect_cycles = default_detect_cycles();

  /// Where the time comes from; null: the machine's clock.
  std::shared_ptr<Clock> clock;
};

/// A field of RuntimeOptions (or another struct of options) has a value that cannot be served.
class InvalidOptions : public std::invalid_argument {
 public:
  InvalidOptions(std::string const& options, std::string field, std::string allowed,
                 std::string const& given);
  [[nodiscard]] std::string const& field() const noexcept { return field_; }
  [[nodiscard]] std::string const& allowed() const noexcept { return allowed_; }

 private:
  std::string field_;
  std::string allowed_;
};

/// What one worker has done since it started. Each counter has one writer and is never reset.
struct WorkerCounters {
  std::uint64_t turns = 0;                  ///< units of work run
  std::uint64_t injected = 0;               ///< units taken from the injection queue
  std::uint64_t steals = 0;                 ///< successful raids on another worker
  std::uint64_t stolen = 0;                 ///< units they brought
  std::uint64_t parks = 0;                  ///< times it went to sleep
  std::uint64_t wakes_sent = 0;             ///< other workers it woke
  std::uint64_t timers_fired = 0;           ///< timers that expired on its wheel
  std::uint64_t queue_depth = 0;            ///< units in its deque now
  std::chrono::nanoseconds parked_time{0};  ///< spent asleep
};

struct RuntimeCounters {
  std::vector<WorkerCounters> workers;
  std::uint64_t live = 0;              ///< tasks and actors that have not ended
  std::uint64_t injection_depth = 0;   ///< units waiting in the injection queue
  std::uint64_t blocking_threads = 0;  ///< threads of the blocking pool
  std::uint64_t blocking_idle = 0;     ///< of these, without a job
  std::uint64_t blocking_queued = 0;   ///< jobs that wait for a thread
  std::uint64_t blocked_workers = 0;   ///< in one turn for longer than `rescue_after`, now
  std::uint64_t rescues = 0;           ///< times a spare worker was called in
  std::uint64_t spare_workers = 0;     ///< spare workers started so far
  std::uint64_t active_spares = 0;     ///< of these, taking part now
  std::uint64_t spare_turns = 0;       ///< units of work they have run
  /// The longest turn so far, to some milliseconds; zero while none took longer than these.
  std::chrono::nanoseconds longest_turn{0};
};

/// How Runtime::shutdown() goes about it.
struct ShutdownOptions {
  /// For everything to end, on the machine's clock; not negative.
  std::chrono::nanoseconds deadline = std::chrono::seconds(5);
  UnreadMail mail = UnreadMail::cancel;
};

struct ShutdownReport {
  bool in_time = true;                  ///< everything ended before the deadline
  std::vector<std::string> late;        ///< up to 10 of those that had not: type, identity, at what
  std::chrono::nanoseconds started{0};  ///< on the machine's monotonic clock
};

namespace detail {
struct NoWorkers {};
class Simulated;
/// One worker, without a thread: `driver` runs what is queued (simulation/driver.hpp).
struct Driven {
  Simulated* driver;
  bool has_workers = true;  // false: of the threads flavour
};
}  // namespace detail

/// An M:N scheduler with its workers, timers and blocking pool.
///
/// Errors   The constructor throws InvalidOptions for an option out of range, std::system_error
///          when a thread cannot be started and std::bad_alloc without memory; nothing is left
///          behind then.
/// Threads  The object may be used from any thread. It must not be destroyed, nor block_on() be
///          called, from one of its own workers: that would wait for itself. (Nor
///          from one of its blocking jobs, which the end waits for, and reports.) block_on() then
///          throws BlockingInWorker; the destructor logs the reason and aborts, since it cannot
///          throw.
/// Cancel   The destructor cancels all tasks and stops all actors, waits `shutdown_timeout`, logs
///          by name what still runs, and goes on waiting for what occupies a thread.
/// Memory   About 20 KiB and a thread for each worker, spares included, and one thread that watches
///          them, which sleeps while they do. Any number of them may live in a process.
class Runtime {
 public:
  explicit Runtime(RuntimeOptions options = {});
  /// For the threads flavour: a runtime without workers, on which no task can run.
  Runtime(detail::NoWorkers tag, RuntimeOptions options);
  Runtime(detail::Driven tag, RuntimeOptions options);
  ~Runtime();
  Runtime(Runtime const&) = delete;
  Runtime& operator=(Runtime const&) = delete;

  /// Runs `task` on the workers and blocks the calling thread until it ends.
  ///
  /// Errors   rethrows what leaves the task; Cancelled when it was cancelled; BlockingInWorker when
  ///          called from a worker of any runtime; RuntimeEnded after shutdown().
  template <typename T>
  T block_on(Task<T> task) {
    detail::require_no_worker("Runtime::block_on");
    JoinHandle<T> handle = spawn(std::move(task));
    return std::move(handle).join_blocking_or_throw();
  }

  /// Starts `task` on the workers. Any thread. Errors: RuntimeEnded after shutdown().
  template <typename T>
  JoinHandle<T> spawn(Task<T> task, std::source_location where = std::source_location::current()) {
    detail::require_running(scheduler(), "Runtime::spawn");
    return detail::spawn_on(detail::workers_of(scheduler(), "Runtime::spawn"), std::move(task),
                            where);
  }

  /// Ends everything that lives on the runtime; see the destructor, which calls it.
  /// True: all ended within the timeout. Errors: BlockingInWorker when called from a worker.
  bool shutdown();

  /// The same in an orderly way: refuses new work from outside, then stops the actors that no other
  /// actor started, one after the other, the newest first; each has ended before the next is asked.
  /// Then the rest is cancelled. At the deadline all that is left is cancelled, named in the log
  /// and in the report, and waited for: nothing outlives the runtime. Errors  BlockingInWorker on a
  /// worker; InvalidOptions for a negative deadline.
  ShutdownReport shutdown(ShutdownOptions options);

  [[nodiscard]] RuntimeCounters counters() const;
  [[nodiscard]] Clock& clock() const noexcept;
  [[nodiscard]] unsigned worker_count() const noexcept;

  /// For the other modules.
  [[nodiscard]] detail::Scheduler& scheduler() const noexcept { return *scheduler_; }

 private:
  void make_driven(detail::Driven tag, RuntimeOptions options);

  struct Delete {
    void operator()(detail::Scheduler* scheduler) const noexcept;
  };
  std::unique_ptr<detail::Scheduler, Delete> scheduler_;
};

/// The one-liner for a `main`: a runtime with `options`, `task` on it, and its value.
///
/// Cancel   what `task` left behind is cancelled when it ends, and waited for.
/// Errors   as Runtime and Runtime::block_on.
template <typename T>
T run(Task<T> task, RuntimeOptions options = {}) {
  Runtime runtime(std::move(options));
  return runtime.block_on(std::move(task));
}

/// The same for a function that makes the task: `sp::run(demo)`, which reads alike in both
/// flavours.
template <typename Main>
  requires detail::is_task<std::invoke_result_t<Main>>
auto run(Main&& main, RuntimeOptions options = {}) {
  return run(std::forward<Main>(main)(), std::move(options));
}

}  // namespace spawned
