// DedicatedThread: an OS thread for one context, an actor that may block for as long as it likes.
//
//   word_         set by                                  means
//   idle (0)      the thread, before a turn               it runs, or looks for the next turn
//   posted (1)    post()                                  the context is to be run
//   asleep (2)    the thread, by a CAS from idle          it sleeps on the word
//   retired (3)   retire() of a context never started     the thread is to leave
// A context is queued by nobody twice, so one place is queue enough. The thread takes the unit by
// exchanging `posted` for `idle` before the turn; a post during the turn is found after it. It
// falls asleep only by a CAS that fails if a unit was posted meanwhile, and the poster that
// replaces `asleep` wakes it: no wake-up is lost. The object outlives the context, and is used
// again for others, because a poster may still be on its way to the futex when the context has run
// and ended. A stale wake-up is harmless.
//
// Orderings.
//   posted    post() exchanges word_ (acq_rel)  ->  run() exchanges word_ (acq_rel).
//             The thread sees what the poster wrote, work_ included.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/scheduling.hpp>

namespace spawned::detail {

class DedicatedThreads;

class DedicatedThread final : public Executor {
 public:
  DedicatedThread(Scheduler& runtime, DedicatedThreads& owner) noexcept;

  void post(Runnable& work) noexcept override;
  void retire() noexcept override;

 private:
  friend class DedicatedThreads;
  static constexpr std::uint32_t idle = 0;
  static constexpr std::uint32_t posted = 1;
  static constexpr std::uint32_t asleep = 2;
  static constexpr std::uint32_t retired = 3;
  static constexpr int spins_most = 200;  // about 5 us: an answer often comes back at once

  void run() noexcept;
  [[nodiscard]] bool wait_for_work() noexcept;

  DedicatedThreads& owner_;
  SharedCell<Runnable*> work_;
  WorkerLocal local_;
  bool leaving_ = false;  // of the thread itself
  alignas(64) atomic<std::uint32_t> word_{idle};
};

/// All dedicated threads of a runtime.
class DedicatedThreads {
 public:
  explicit DedicatedThreads(Scheduler& runtime) noexcept : runtime_(runtime) {}
  DedicatedThreads(DedicatedThreads const&) = delete;
  DedicatedThreads& operator=(DedicatedThreads const&) = delete;

  /// A started thread for one context. Errors: std::system_error when it cannot be started.
  [[nodiscard]] DedicatedThread& start();

  /// Waits until no thread is left. False: some are after `timeout_ns`.
  [[nodiscard]] bool wait_until_none(std::int64_t timeout_ns) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept;

 private:
  friend class DedicatedThread;
  void recycle(DedicatedThread& thread) noexcept;

  Scheduler& runtime_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable left_;
  std::vector<std::unique_ptr<DedicatedThread>> all_;
  std::vector<DedicatedThread*> free_;
  std::uint64_t running_ = 0;
};

}  // namespace spawned::detail
