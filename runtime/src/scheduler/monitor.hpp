// Monitor: the thread that notices workers which do not come back from a turn. It calls in spare
// workers for them, and warns.
//
// A worker in one turn for `rescue_after` is blocked. What waits there is opened to the others
// (Worker::set_blocked()): every worker that looks for work also takes the run-next unit of a
// blocked one and polls its timers; its deque is open to thieves anyway. Only the unit in the
// hand-off slot stays with it; a turn fills that slot only when it is about to end.
// A spare worker takes the place of the blocked one: it joins (idle.hpp) and is a worker like the
// others, except that it has no timers of its own. The blocked thread goes on owning all its
// structures, so it need not know that it was rescued. When more workers run than the runtime
// has been given, for `linger` times as long as a rescue takes, spares are asked to retire:
// each gives back what it holds, leaves, and waits in the pool.
//
// Time spent waiting for a processor does not count: a spare would not help on a machine that is
// overloaded.
//
// Sleeping. While a worker runs, the monitor looks every few milliseconds. When all are parked and
// nothing has run since the look before, it sleeps until on_unpark().
//
// Cost.     For workers: some plain stores a turn (activity.hpp), one load after each park, 7 us
//           for a wake-up of the monitor, at most once in a tick. A look: some loads per worker.
// Limits.   It logs from its own thread, so a log sink that blocks delays rescues. So does a worker
//           that does not answer when it is asked for its stack, by `stack_patience`.
//
// Orderings.
//   asleep    run() stores asleep_ (seq_cst), then loads Idle's counts (seq_cst); a worker changes
//             them in retract() (seq_cst), then on_unpark() loads asleep_ (seq_cst). One of the two
//             sees the other, so a worker runs only while the monitor is awake.
//   bell      ring() adds to bell_ (release)  ->  run() loads bell_ (acquire).
//             The monitor looks at everything after it has read the bell it then sleeps on.
#pragma once

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <spawned/runtime/detail/activity.hpp>
#include <spawned/runtime/detail/atomic.hpp>

#include "scheduler/thread_stack.hpp"

namespace spawned::detail {

class Scheduler;
class Worker;

class Monitor {
 public:
  explicit Monitor(Scheduler& runtime) noexcept : runtime_(runtime) {}
  Monitor(Monitor const&) = delete;
  Monitor& operator=(Monitor const&) = delete;
  /// The workers' threads have ended: a signal to one may still have been on its way.
  ~Monitor() { stop(); }

  /// Starts the thread, unless all it could do is switched off.
  /// Errors: std::system_error; InvalidOptions for a signal that is taken.
  void start();
  void stop() noexcept;

  /// Called by a worker after it was parked.
  void on_unpark() noexcept {
    if (asleep_.load(memory_order_seq_cst)) ring();  // asleep
  }

  /// Workers whose work others serve. A hint, so that nobody need look at each.
  [[nodiscard]] std::uint32_t blocked_count() const noexcept {
    return blocked_.load(memory_order_relaxed);  // a hint
  }
  [[nodiscard]] std::uint64_t rescues() const noexcept {
    return rescues_.load(memory_order_relaxed);  // a statistic
  }
  [[nodiscard]] std::int64_t longest_turn_ns() const noexcept {
    return longest_turn_ns_.load(memory_order_relaxed);  // a statistic
  }

 private:
  // What the monitor knows of a worker. A step is what Activity says: one message, one init.
  struct Watch {
    std::uint64_t turns = 0;
    std::int64_t turn_since = 0;
    std::uint32_t count = 0;
    std::int64_t step_since = 0;
    std::int64_t turn_cpu = unknown;  // the thread's processor time at the second look
    std::int64_t step_cpu = unknown;
    std::int64_t next_question = 0;  // to the kernel
    std::int64_t next_warning = 0;
    std::string warned;  // what the warning named, while it is not over
    bool blocked = false;
    bool retiring = false;
  };
  // One moment of a worker's Activity.
  struct Sight {
    std::uint64_t turns;
    Step const* step;
    std::uint64_t id;
    std::uint32_t count;
  };
  static constexpr std::int64_t unknown = -1;
  static constexpr std::int64_t linger = 10;
  static constexpr std::int64_t warning_growth = 4;
  static constexpr std::int64_t stack_patience = 100'000'000;  // ns, in which rescues wait

  void run() noexcept;
  void ring() noexcept;
  [[nodiscard]] bool look(std::int64_t now);
  void watch(std::uint32_t index, std::int64_t now);
  [[nodiscard]] bool is_stuck(Worker const& worker, Watch& watch, std::int64_t now) const noexcept;
  void set_blocked(Worker& worker, Watch& watch, bool blocked) noexcept;
  void balance(std::int64_t now);
  void serve(Worker& worker) noexcept;
  bool call_spare() noexcept;
  bool activate(std::uint32_t index) noexcept;
  void retire(std::uint32_t index) noexcept;
  void report(std::string const& text) noexcept;
  void warn(std::uint32_t index, Watch& watch, Sight const& sight, std::int64_t for_ns);
  void warn_over(std::uint32_t index, Watch& watch, std::int64_t now);
  void log_stack(Worker& worker, Watch const& watch, Sight const& sight);

  Scheduler& runtime_;
  ThreadStack stack_;
  std::thread thread_;
  std::vector<Watch> watches_;
  std::int64_t rescue_after_ = 0;
  std::int64_t warn_after_ = 0;
  std::int64_t tick_ns_ = 0;
  std::int64_t surplus_since_ = unknown;
  std::int64_t next_report_ = 0;
  std::uint64_t turns_seen_ = 0;
  std::uint32_t active_spares_ = 0;

  atomic<std::uint32_t> blocked_{0};
  atomic<std::uint64_t> rescues_{0};
  atomic<std::int64_t> longest_turn_ns_{0};
  alignas(64) atomic<bool> asleep_{false};
  atomic<bool> stopping_{false};
  atomic<std::uint32_t> bell_{0};
};

}  // namespace spawned::detail
