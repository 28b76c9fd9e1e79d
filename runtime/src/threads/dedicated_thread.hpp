// DedicatedThread: an OS thread for one context, an actor that may block for as long as it likes.
// single_post.hpp is how it gets its turns. The object outlives the context, and is used again for
// others, because a poster may still be on its way to the futex when the context has run and ended.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <spawned/runtime/detail/scheduling.hpp>

#include "threads/single_post.hpp"

namespace spawned::detail {

class DedicatedThreads;

class DedicatedThread final : public Executor {
 public:
  DedicatedThread(Scheduler& runtime, DedicatedThreads& owner) noexcept;

  void post(Runnable& work) noexcept override;
  void retire() noexcept override;

 private:
  friend class DedicatedThreads;
  static constexpr int spins_most = 200;  // about 5 us: an answer often comes back at once

  void run() noexcept;

  DedicatedThreads& owner_;
  WorkerLocal local_;
  bool leaving_ = false;  // of the thread itself
  SinglePost<Runnable, spins_most> turns_;
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
