// BlockingPool: threads for work that blocks. A job costs two thread wake-ups (25 us or so), so one
// mutex around everything is neither the cost nor the bottleneck, and it needs no wake-up argument.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

#include <spawned/runtime/detail/scheduling.hpp>

namespace spawned::detail {

class BlockingPool final : public Executor {
 public:
  BlockingPool(Scheduler& owner, std::string name, unsigned threads_max,
               std::int64_t keep_alive_ns);
  ~BlockingPool();

  /// Queues a turn of an actor that lives here. Never fails: without a thread, the turn waits for
  /// the next that can be started.
  void post(Runnable& turn) noexcept override;

  /// Queues a job; starts a thread when none is idle and the cap allows it. From here until it has
  /// run, virtual time stands still.
  /// Errors  std::system_error when there is no thread at all and none can be started.
  void submit(Runnable& job);

  /// Runs what is queued and waits until the threads are gone. Afterwards submit() runs jobs in
  /// place. False: some still run after `timeout_ns`; call it again.
  [[nodiscard]] bool stop(std::int64_t timeout_ns) noexcept;

  struct Counters {
    std::uint64_t threads, idle, queued;
  };
  [[nodiscard]] Counters counters() const;

 private:
  void work() noexcept;
  void run_turn(Runnable& turn) noexcept;
  [[nodiscard]] bool enqueue(Runnable& job, bool must_have_thread);

  Scheduler& owner_;
  std::string const name_;
  unsigned const threads_max_;
  std::int64_t const keep_alive_ns_;

  mutable std::mutex mutex_;  // guards everything below
  std::condition_variable work_or_stop_;
  std::condition_variable thread_left_;
  RunnableChain queue_;
  std::uint64_t queued_ = 0;
  std::uint64_t idle_ = 0;
  std::uint64_t threads_ = 0;
  std::uint64_t wakes_due_ = 0;
  bool stopping_ = false;
};

}  // namespace spawned::detail
