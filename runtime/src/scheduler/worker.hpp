// Worker: one OS thread and its queues. Where a worker gets its next unit of work is next_work();
// where it parks is park(). The order of the queues is explained in docs/design/scheduler.md.
//
// A spare is a worker that takes part only while others are blocked (monitor.hpp). It has no timers
// of its own: what runs on it arms at the timekeeper, so that nothing ticks here when it leaves.
//
//   life_           set by                      means
//   active (0)      activate(); from the start  takes part
//   dormant (1)     retire()                    waits in the pool of spares
#pragma once

#include <array>
#include <cstdint>
#include <thread>

#include <spawned/runtime/detail/scheduling.hpp>
#include <spawned/runtime/lockfree/work_stealing_deque.hpp>
#include <spawned/runtime/runtime.hpp>

#include "time/wheel.hpp"

namespace spawned::detail {

/// A statistic with one writer: a plain increment that other threads may read.
class Counter {
 public:
  void add(std::uint64_t amount) noexcept {
    value_.store(value_.load(memory_order_relaxed) + amount, memory_order_relaxed);  // one writer
  }
  [[nodiscard]] std::uint64_t get() const noexcept {
    return value_.load(memory_order_relaxed);  // a statistic
  }

 private:
  atomic<std::uint64_t> value_{0};
};

class Worker final : public WorkerLocal {
 public:
  enum class Kind : std::uint8_t { permanent, spare };
  Worker(Scheduler& home, std::uint32_t number, std::uint64_t seed, Kind kind = Kind::permanent);

  /// The thread's body.
  void run() noexcept;

  // --- called by the worker's own thread, from the unit of work it runs ---
  void push_next(Runnable& work, bool spawned) noexcept {
    if (run_next_.load(memory_order_relaxed) == nullptr) {  // only we fill it: no race to lose
      run_next_.store(&work, memory_order_release);         // run_next
      if (spawned) call_for_spawned();
    } else {
      displace_next(work, spawned);
    }
  }
  void push_last(Runnable& work) noexcept;

  [[nodiscard]] WorkerCounters counters() const;

  /// For the driver of a worker without a thread: all that is queued here, injected or due now.
  /// How many timers have fired.
  std::size_t take_all(std::int64_t now_ns, RunnableChain& chain) noexcept;

  // --- called by the monitor ---
  [[nodiscard]] std::uint64_t turns() const noexcept { return turns_.get(); }
  [[nodiscard]] int thread_id() const noexcept {
    return thread_id_.load(memory_order_relaxed);  // a number; 0 until the thread runs
  }
  /// Others shall serve what waits here until further notice.
  void set_blocked(bool blocked) noexcept {
    blocked_.store(blocked, memory_order_relaxed);  // a hint: all it opens has its own order
  }
  /// Something waits that thieves may take.
  [[nodiscard]] bool has_waiting() const noexcept;
  /// Of a spare: it shall give back what it holds and leave / take part again.
  void ask_to_retire() noexcept {
    retire_asked_.store(true, memory_order_relaxed);  // a request, ordered by nothing
  }
  [[nodiscard]] bool is_dormant() const noexcept {
    return life_.load(memory_order_acquire) == dormant;  // life
  }
  void activate() noexcept;
  /// Before it has a thread.
  void make_dormant() noexcept { life_.store(dormant, memory_order_release); }  // life

  // --- called by thieves ---
  [[nodiscard]] bool is_blocked() const noexcept {
    return blocked_.load(memory_order_relaxed);  // a hint
  }
  /// Takes the run-next unit of a blocked worker.
  [[nodiscard]] Runnable* take_run_next() noexcept;
  /// Takes the run-next unit of a worker that has been in one turn since `turns_seen`.
  [[nodiscard]] Runnable* steal_run_next(std::uint64_t turns_seen) noexcept;

  using Deque = runtime::lockfree::WorkStealingDeque<Runnable*>;
  Deque deque;
  TimerWheel timers;
  std::uint32_t const index;
  std::thread thread;

 private:
  static constexpr unsigned local_turns_max = 32;     // hand-offs and run-next units in a row
  static constexpr unsigned maintenance_period = 61;  // turns between looks at timers and injection
  static constexpr unsigned eviction_notify = 16;     // pushes in one turn before help is called
  static constexpr std::size_t raid_max = 64;         // units one raid or one look takes at most

  Runnable* take_soon() noexcept;
  Runnable* next_work() noexcept;
  Runnable* take_local() noexcept;
  bool drain_injected() noexcept;
  Runnable* search() noexcept;
  Runnable* raid(Worker& victim) noexcept;
  void displace_next(Runnable& work, bool spawned) noexcept;
  void leave_search() noexcept;
  bool expire_timers() noexcept;
  bool serve_blocked() noexcept;
  [[nodiscard]] std::int64_t next_timer(std::int64_t now_ns) noexcept;
  void retire() noexcept;
  void give_back() noexcept;
  void maintain() noexcept;
  void park() noexcept;
  void call_help() noexcept;
  void call_for_spawned() noexcept;
  [[nodiscard]] bool is_work_elsewhere() const noexcept;
  std::uint32_t random_below(std::uint32_t bound) noexcept;

  // Orderings.
  //   run_next  push_next() stores or exchanges run_next_ (release)  ->  steal_run_next() and
  //             take_local() exchange it (acquire). Who takes the unit sees what its waker wrote.
  //   life      retire() and activate() store (release)  ->  is_dormant() and retire() load
  //             (acquire). The monitor sees that the spare has left; the spare sees that it joined.
  static constexpr std::uint32_t active = 0;
  static constexpr std::uint32_t dormant = 1;

  alignas(64) atomic<Runnable*> run_next_{nullptr};

  unsigned local_turns_ = 0;
  unsigned until_maintenance_ = maintenance_period;
  unsigned evictions_ = 0;
  bool help_wanted_ = false;
  bool searching_ = false;
  Kind const kind_;
  atomic<bool> blocked_{false};
  atomic<bool> retire_asked_{false};
  atomic<std::uint32_t> life_{active};
  atomic<int> thread_id_{0};
  std::uint64_t random_;

  Counter turns_;
  Counter injected_;
  Counter steals_;
  Counter stolen_;
  Counter parks_;
  Counter wakes_sent_;
  Counter timers_fired_;
  Counter parked_ns_;
};

}  // namespace spawned::detail
