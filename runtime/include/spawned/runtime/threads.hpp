// The runtime's part of the threads flavour: blocking calls and OS threads, no worker, no
// coroutine.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <spawned/runtime/detail/scheduling.hpp>
#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/signal.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

namespace spawned::detail {

/// Makes the calling thread work for a runtime while it lives: start(), spawn(), sleep() and now()
/// find that runtime. The thread may block.
class ThreadScope {
 public:
  explicit ThreadScope(Scheduler& scheduler) noexcept;
  ~ThreadScope();
  ThreadScope(ThreadScope const&) = delete;
  ThreadScope& operator=(ThreadScope const&) = delete;

 private:
  WorkerLocal local_;
  WorkerLocal* before_;
};

}  // namespace spawned::detail

namespace spawned::threads {

/// A runtime without workers: each actor has a thread of its own. Starts no thread by itself; the
/// first timer starts one. RuntimeOptions about workers have no effect. Otherwise as
/// spawned::Runtime, whose block_on() and spawn() throw std::logic_error here.
class Runtime : public spawned::Runtime {
 public:
  explicit Runtime(RuntimeOptions options = {})
      : spawned::Runtime(detail::NoWorkers(), std::move(options)) {}

  /// Calls `function()` on the calling thread, which works for this runtime meanwhile.
  /// Errors  BlockingInWorker on a worker; what `function` throws.
  template <typename Function>
  decltype(auto) enter(Function&& function) {
    detail::require_no_worker("threads::Runtime::enter");
    detail::ThreadScope const scope(scheduler());
    return std::forward<Function>(function)();
  }
};

/// The one-liner for a `main`: a runtime with `options`, `main()` on it, and its value. What it
/// left behind is stopped when it ends, and waited for.
template <typename Main>
decltype(auto) run(Main&& main, RuntimeOptions options = {}) {
  Runtime runtime(std::move(options));
  return runtime.enter(std::forward<Main>(main));
}

/// Blocks the calling thread for at least `duration`; zero or less: not at all.
/// Errors  BlockingInWorker on a worker of the tasks flavour: co_await spawned::sleep() there.
template <typename Rep, typename Period>
void sleep(std::chrono::duration<Rep, Period> duration) {
  detail::require_no_worker("threads::sleep");
  detail::ThreadWait::sleep(detail::to_ns(duration));
}

/// The right to the result of a spawned function. Dropping it lets the function go on.
template <typename T>
class [[nodiscard("dropping the handle lets the function go on by itself")]] JoinHandle {
 public:
  explicit JoinHandle(spawned::JoinHandle<T> handle) noexcept : handle_(std::move(handle)) {}

  /// Blocks until the function has ended, once: its value, or the exception that left it.
  Result<T, JoinError> join() { return handle_.join_blocking(); }
  [[nodiscard]] bool is_finished() const noexcept { return handle_.is_finished(); }
  /// No effect on a function that has begun.
  void cancel() noexcept { handle_.cancel(); }

 private:
  spawned::JoinHandle<T> handle_;
};

/// Calls `function()` on another OS thread of the calling thread's runtime. It may block, start
/// actors and ask them.
///
/// Errors   NoRuntime outside a runtime; std::system_error when no thread can be started.
/// Threads  from the runtime's pool: at most RuntimeOptions::blocking_threads_max at once, more
/// wait. Cost     25 us or so: two thread wake-ups.
template <typename Function>
auto spawn(Function&& function) {
  detail::Scheduler& scheduler = detail::require_scheduler("threads::spawn");
  auto handle = detail::start_blocking(scheduler, &detail::blocking_executor(scheduler),
                                       std::forward<Function>(function));
  return JoinHandle<std::invoke_result_t<detail::message_type<Function>>>(std::move(handle));
}

/// spawned::Signals, with a next() that blocks: `while (auto signal = signals.next()) ...`
/// Errors  of next(): BlockingInWorker on a worker of the tasks flavour.
class Signals : public spawned::Signals {
 public:
  using spawned::Signals::Signals;
  std::optional<int> next() { return next_blocking(); }
};

/// Blocks until somebody types Ctrl-C (SIGINT), which does not end the process meanwhile.
/// Errors  as Signals::next().
inline void ctrl_c() { ctrl_c_blocking(); }

}  // namespace spawned::threads
