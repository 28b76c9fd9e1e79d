// Scheduler: what stands behind a Runtime. Owns the workers, the injection queue, the list of the
// living, and the threads beside the workers: blocking pool, dedicated threads, timekeeper,
// monitor.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/detail/extensions.hpp>
#include <spawned/runtime/detail/scheduling.hpp>
#include <spawned/runtime/detail/simulated.hpp>
#include <spawned/runtime/runtime.hpp>

#include "blocking/blocking_pool.hpp"
#include "scheduler/idle.hpp"
#include "scheduler/injector.hpp"
#include "scheduler/live_list.hpp"
#include "scheduler/monitor.hpp"
#include "scheduler/worker.hpp"
#include "threads/dedicated_thread.hpp"
#include "time/timekeeper.hpp"

namespace spawned::detail {

class Scheduler final : public Executor {
 public:
  /// `driver`: its worker has no thread (simulation/driver.hpp).
  explicit Scheduler(RuntimeOptions options, Simulated* driver = nullptr, bool has_workers = true);
  ~Scheduler();

  /// Queues work from a thread that is no worker of this scheduler.
  void post(Runnable& work) noexcept override;

  /// Somebody outside the workers uses the scheduler, which must not go while he does: what he
  /// brings may be the end of the last task, so that the runtime is destroyed before he returns.
  class Entry {
   public:
    explicit Entry(Scheduler& scheduler) noexcept : scheduler_(scheduler) {
      scheduler_.entries_.fetch_add(1, memory_order_relaxed);  // published with the work
    }
    ~Entry() { scheduler_.entries_.fetch_sub(1, memory_order_release); }  // entry
    Entry(Entry const&) = delete;
    Entry& operator=(Entry const&) = delete;

   private:
    Scheduler& scheduler_;
  };

  /// The workers have stopped: nothing can run any more.
  [[nodiscard]] bool ended() const noexcept { return stopping(); }

  /// Ends everything, waits, reports.
  ShutdownReport shut_down(ShutdownOptions const& options);
  /// From the beginning of the end on: nothing is started from outside any more.
  [[nodiscard]] bool refusing() const noexcept {
    return refusing_.load(memory_order_relaxed);  // a courtesy: who comes too late is ended
  }

  // --- for workers ---
  [[nodiscard]] bool stopping() const noexcept {
    return stopping_.load(memory_order_seq_cst);  // stop
  }
  [[nodiscard]] RuntimeOptions const& options() const noexcept { return options_; }
  [[nodiscard]] Clock& clock() const noexcept { return *options_.clock; }
  /// Who drives it, or null: it is real.
  [[nodiscard]] Simulated* driver() const noexcept { return driver_; }
  /// The permanent ones; spares not counted.
  [[nodiscard]] std::uint32_t worker_count() const noexcept { return options_.workers; }
  /// How many worker() knows: first the permanent ones, then the spares started so far.
  [[nodiscard]] std::uint32_t worker_slots() const noexcept {
    return slots_.load(memory_order_acquire);  // slots
  }
  /// Tasks can run here.
  [[nodiscard]] bool has_workers() const noexcept { return has_workers_; }
  [[nodiscard]] Worker& worker(std::uint32_t index) const noexcept { return *workers_[index]; }
  [[nodiscard]] Worker* own_worker() const noexcept;
  /// Called by a worker that is about to sleep under a virtual clock. True: time has moved.
  bool advance_virtual_time() noexcept;
  [[nodiscard]] int processor_for(std::uint32_t index) const noexcept;
  [[nodiscard]] bool live_add(ExecutionContext& context, bool root) noexcept;

  // --- for virtual clocks ---
  void stamp_timers() noexcept;
  void wake_all() noexcept {
    idle.notify_all();
    timekeeper.wake();
  }
  /// A thread that is no worker has got work, or has done it. Virtual time stands still in between.
  void outside_starts() noexcept {
    if (virtual_time_) outside_.fetch_add(one_outside_start + 1, memory_order_seq_cst);  // outside
  }
  /// The last one to stop lets the others try to move time again.
  void outside_stops() noexcept {
    if (!virtual_time_) return;
    if (outside_.fetch_sub(1, memory_order_seq_cst) % one_outside_start == 1)
      wake_all();  // outside
  }
  /// The same for the timekeeper's thread, which then tries to move time itself.
  void timekeeper_stops() noexcept {
    outside_.fetch_sub(1, memory_order_seq_cst);  // outside
  }

  // --- for the monitor ---
  /// Makes one more worker, as yet without a thread. Null: no memory, or as many as allowed.
  [[nodiscard]] Worker* add_spare() noexcept;

  [[nodiscard]] RuntimeCounters counters() const;

  Extensions extensions;
  Idle idle;
  Injector injector;
  LiveList living;
  BlockingPool blocking;
  DedicatedThreads dedicated;
  Timekeeper timekeeper;
  Monitor monitor;

 private:
  void add_worker(std::uint32_t index, Worker::Kind kind);
  void stop_workers() noexcept;
  [[nodiscard]] bool wait_for_the_living(std::int64_t timeout_ns, bool roots_only) noexcept;
  bool outlive_the_living(std::string const& who, std::int64_t patience, ShutdownReport& report);

  // Orderings.
  //   stop      stop_workers() stores (seq_cst)  ->  stopping() loads (seq_cst).
  //             A stopping worker sees the emptied queues. Part of the total order of idle.hpp: the
  //             store comes before wake_all() reads who is parked, the look after announce().
  //   slots     add_spare() stores (release)  ->  worker_slots() loads (acquire).
  //             Who may name a spare finds it constructed.
  //   entry     ~Entry() subtracts (release)  ->  the destructor loads (acquire).
  //             The last one from outside is done with the scheduler before it goes.
  //   outside   outside_starts() and outside_stops() RMW outside_ (seq_cst)  ->
  //             advance_virtual_time() loads it (seq_cst). Part of the total order of idle.hpp:
  //             who sees the last thread outside idle also sees what it queued. The word counts
  //             starts, too: the same word twice means that none has worked in between.
  RuntimeOptions options_;
  Simulated* const driver_;
  bool const has_workers_;
  std::vector<std::unique_ptr<Worker>> workers_;  // room for all spares from the start
  atomic<std::uint32_t> slots_{0};                // of workers_, those that are filled
  std::uint64_t seed_;
  std::vector<int> processors_;
  atomic<bool> stopping_{false};
  atomic<bool> refusing_{false};
  atomic<std::uint64_t> entries_{0};  // of threads outside that still use the scheduler
  static constexpr std::uint64_t one_outside_start = std::uint64_t{1} << 24;
  atomic<std::uint64_t> outside_{0};  // threads that work and are no workers, under virtual time
  bool const virtual_time_;
  std::mutex shut_down_mutex_;
};

}  // namespace spawned::detail
