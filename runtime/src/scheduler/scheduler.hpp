// Scheduler: what stands behind a Runtime. Owns the workers, the injection queue, the list of the
// living and the blocking pool.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/detail/scheduling.hpp>
#include <spawned/runtime/runtime.hpp>

#include "blocking/blocking_pool.hpp"
#include "scheduler/idle.hpp"
#include "scheduler/injector.hpp"
#include "scheduler/live_list.hpp"
#include "scheduler/worker.hpp"

namespace spawned::detail {

class Scheduler {
 public:
  explicit Scheduler(RuntimeOptions options);
  ~Scheduler();
  Scheduler(Scheduler const&) = delete;
  Scheduler& operator=(Scheduler const&) = delete;

  /// Queues work from a thread that is no worker of this scheduler.
  void inject(Runnable& work) noexcept;

  /// The workers have stopped: nothing can run any more.
  [[nodiscard]] bool ended() const noexcept { return stopping(); }

  /// Cancels, waits, reports. True: everything ended within the timeout.
  bool shut_down();

  // --- for workers ---
  [[nodiscard]] bool stopping() const noexcept {
    return stopping_.load(memory_order_seq_cst);  // stop
  }
  [[nodiscard]] RuntimeOptions const& options() const noexcept { return options_; }
  [[nodiscard]] Clock& clock() const noexcept { return *options_.clock; }
  [[nodiscard]] std::uint32_t worker_count() const noexcept {
    return static_cast<std::uint32_t>(workers_.size());
  }
  [[nodiscard]] Worker& worker(std::uint32_t index) const noexcept { return *workers_[index]; }
  [[nodiscard]] Worker* own_worker() const noexcept;
  /// Called by a worker that is about to sleep under a virtual clock. True: time has moved.
  bool advance_virtual_time() noexcept;
  [[nodiscard]] int processor_for(std::uint32_t index) const noexcept;
  [[nodiscard]] bool live_add(ExecutionContext& context) noexcept;

  // --- for virtual clocks ---
  void stamp_timers() noexcept;
  void wake_all() noexcept { idle.notify_all(); }
  /// A worker that parked while a blocking job ran could not advance virtual time: let it try
  /// again.
  void on_blocking_idle() noexcept {
    if (clock().is_virtual()) wake_all();
  }

  [[nodiscard]] RuntimeCounters counters() const;

  Idle idle;
  Injector injector;
  LiveList living;
  BlockingPool blocking;

 private:
  void stop_workers() noexcept;
  [[nodiscard]] bool wait_for_the_living(std::int64_t timeout_ns) noexcept;
  bool outlive_the_living(std::string const& who);

  // Orderings.
  //   stop      stop_workers() stores (seq_cst)  ->  stopping() loads (seq_cst).
  //             A stopping worker sees the emptied queues. Part of the total order of idle.hpp: the
  //             store comes before the claims of wake_all(), the look after announce().
  //   inject    inject() subtracts (release)  ->  the destructor loads (acquire).
  //             The last inject() is done with the scheduler before it goes.
  RuntimeOptions options_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<int> processors_;
  atomic<bool> stopping_{false};
  atomic<std::uint64_t> injecting_{0};  // calls of inject() that still use the scheduler
  std::mutex shut_down_mutex_;
};

}  // namespace spawned::detail
