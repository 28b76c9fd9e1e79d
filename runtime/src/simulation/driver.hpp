// Driver: runs a runtime whose only worker has no thread, one unit of work after the other, on the
// calling thread.
//
// The worker's queues fill as they do on a real runtime; the driver empties them into one list
// before each step and lets a Chooser choose from it. So everything above the queues is the code
// that runs for real.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/detail/simulated.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/simulation.hpp>

#include "scheduler/scheduler.hpp"
#include "simulation/checks.hpp"
#include "simulation/chooser.hpp"
#include "simulation/fault_plan.hpp"
#include "simulation/memory_watch.hpp"
#include "simulation/ready_list.hpp"
#include "simulation/real_world.hpp"
#include "simulation/recent.hpp"
#include "simulation/threads.hpp"
#include "simulation/tracker.hpp"

namespace spawned::simulation {

/// Time that only the driver moves.
class SimulatedClock final : public Clock {
 public:
  [[nodiscard]] Duration now() const noexcept override { return Duration(now_ns_); }
  /// From 2000-01-01 on.
  [[nodiscard]] Duration utc_now() const noexcept override {
    return Duration(now_ns_ + wall_offset_ns_) + std::chrono::seconds(946'684'800);
  }
  [[nodiscard]] bool is_virtual() const noexcept override { return true; }
  void set(std::int64_t now_ns) noexcept { now_ns_ = now_ns; }
  void set_wall_offset(std::int64_t offset_ns) noexcept { wall_offset_ns_ = offset_ns; }

 private:
  std::int64_t now_ns_ = 0;
  std::int64_t wall_offset_ns_ = 0;
};

class Driver final : public detail::Simulated {
 public:
  Driver(Options const& options, std::unique_ptr<Chooser> chooser,
         std::shared_ptr<SimulatedClock> clock = std::make_shared<SimulatedClock>());
  Driver(Driver const&) = delete;
  Driver& operator=(Driver const&) = delete;

  [[nodiscard]] Report run(Program const& program);
  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }
  /// When the next timer is due, or TimerWheel::none.
  [[nodiscard]] std::int64_t next_timer_ns() const noexcept;
  [[nodiscard]] bool shares_clock_with(Driver const& other) const noexcept {
    return &scheduler_->clock() == &other.scheduler_->clock();
  }
  /// Something lives that never ends.
  [[nodiscard]] bool leaves_something() const;
  /// Runs what is ready, if something is; moves time, if it can, once `may_move_time`.
  [[nodiscard]] bool run_a_step(bool may_move_time);
  /// Called when the runtime is gone.
  void (*on_end)(Driver&) noexcept = nullptr;
  /// Told of who runs, if there is one.
  MemoryWatch* memory = nullptr;
  /// A hash for each step so far, if asked for.
  std::vector<std::uint64_t>* hashes = nullptr;

  // --- Simulated ---
  [[nodiscard]] detail::Scheduler& scheduler() noexcept override { return *scheduler_; }
  [[nodiscard]] std::shared_ptr<Clock> clock() noexcept override { return clock_; }
  void attach(detail::Scheduler& scheduler) override;
  void runtime_ended() noexcept override;
  std::uint32_t choose(std::uint32_t n, Choice kind) noexcept override;
  bool chance(double probability, Choice kind) noexcept override;
  std::uint64_t next_actor_id() noexcept override { return ++actor_ids_; }
  void lives(detail::ExecutionContext& context) noexcept override;
  void ended(detail::ExecutionContext& context) noexcept override;
  void sent(detail::ExecutionContext& receiver, void const* message) noexcept override;
  void waits(detail::ExecutionContext& waiter, void const* target, std::string_view message,
             std::source_location where) noexcept override;
  void waits_not(detail::ExecutionContext& waiter) noexcept override;
  void taken(detail::ExecutionContext& receiver, void const* message) noexcept override;
  [[nodiscard]] std::uint32_t sender(void const* message) noexcept override;
  void crashed(std::string_view who, bool unheard) noexcept override;
  void unread(std::string_view who, std::string_view message) noexcept override;
  [[nodiscard]] Faults& faults() noexcept override { return plan_.faults(); }
  [[nodiscard]] bool is_active(std::uint64_t site) noexcept override {
    return plan_.is_active(site);
  }
  void pass_time(std::int64_t ns) noexcept override;
  void jump_wall_clock(std::int64_t ns) noexcept override { plan_.jump_wall_clock(ns); }
  void remark(std::string_view text) noexcept override;
  void fail(std::string problem) noexcept override;
  [[nodiscard]] Checks& checks() noexcept override { return checks_; }
  [[nodiscard]] std::int64_t now_ns() noexcept override;
  void touches_all(bool from_now_on) noexcept override {
    from_now_on ? tracker_.touches_all_from_now_on() : tracker_.touches_all();
  }
  void post(detail::Runnable& work) noexcept override { make_ready(work); }
  void block(detail::atomic<std::uint32_t>& word) noexcept override;
  void wake(detail::atomic<std::uint32_t>& word) noexcept override { threads_->wake(word); }
  void run_blocking(detail::Runnable& work) noexcept override { threads_->submit(work); }
  [[nodiscard]] detail::Executor& dedicated() override { return threads_->dedicated(); }
  [[nodiscard]] bool run_until_ended(bool roots_only, std::int64_t timeout_ns) noexcept override;

 private:
  friend class Stepper;
  enum class Step : std::uint8_t { done, quiet, limit, gave_up };
  struct Waiting {
    std::uint32_t target;
    std::string_view message;  // empty: it waits for the target's end
    std::source_location where;
  };

  Step step();
  std::size_t collect();
  [[nodiscard]] bool run_any_step();
  void abort_waiting() noexcept;
  [[nodiscard]] bool nothing_is_left() const;
  void run_unit(detail::Runnable& work, std::uint32_t unit);
  [[nodiscard]] bool let_go_wrong(Ready const& unit);
  [[nodiscard]] bool move_time(std::int64_t to_ns, bool tell);
  void mix(std::uint64_t value) noexcept;
  void mix(std::string_view text) noexcept;
  Event& note(Event::Kind kind, std::uint32_t unit, std::string text);
  [[nodiscard]] bool move_time_to_a_timer();
  void notice_handling() noexcept;
  void note_step(detail::Runnable& work, std::uint32_t unit);
  void make_ready(detail::Runnable& work);
  void keep(std::uint32_t choice, std::uint32_t of);
  void look(bool last);
  void end(Report& report);
  // leaks.cpp
  [[nodiscard]] std::string find_leak();
  Step run_on(bool moves_time);
  [[nodiscard]] std::string armed_timers() const;
  [[nodiscard]] std::string unanswered_requests() const;
  void end_tracked_step();
  [[nodiscard]] std::string who_lives() const;
  [[nodiscard]] std::string name_of(std::uint32_t unit) const;
  [[nodiscard]] std::string what_it_awaits(Waiting const& waiting) const;
  [[nodiscard]] std::vector<std::uint32_t> find_circle(std::uint32_t unit) const;
  [[nodiscard]] std::string who_ran() const;
  template <typename Condition>
  [[nodiscard]] bool run_until(Condition condition) noexcept;

  Options options_;
  std::unique_ptr<Chooser> chooser_;
  std::shared_ptr<SimulatedClock> clock_;
  RealWorldPolicy real_world_;
  detail::Scheduler* scheduler_ = nullptr;
  detail::Worker* worker_ = nullptr;

  FaultPlan plan_;
  ReadyList ready_;
  std::optional<Threads> threads_;
  std::uint32_t running_ = Event::nobody;
  std::unordered_map<std::uint32_t, Waiting> waits_for_;  // by unit
  std::uint64_t actor_ids_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t steps_at_timeout_ = 0;  // when the end of the runtime last took too long
  std::uint64_t hash_ = 0xcbf29ce484222325U;
  std::vector<std::uint32_t> choices_;
  std::string problem_;
  Recent recent_;
  bool tracks_ = false;
  Tracker tracker_;        // used if tracks_
  bool violated_ = false;  // problem_ is a check's
  Checks checks_;

  // Of the trace.
  std::vector<Event> events_;
  std::vector<std::string> units_{"nobody"};
  struct UnderWay {
    std::uint64_t event;  // that sent it
    std::uint32_t from;
  };
  std::unordered_map<void const*, UnderWay> under_way_;
  void const* taken_ = nullptr;
  detail::Step const* handling_ = nullptr;                 // what the unit did with `taken_`
  std::unordered_map<void const*, std::uint64_t> wakers_;  // what can run: the event that let it
  std::uint64_t last_step_ = Event::no_cause;              // the event of the step before
};

/// The same for the other runtimes that the calling thread simulates.
[[nodiscard]] bool run_another_runtime(Driver const& but, bool may_move_time);
/// The earliest timer of this one and of the other runtimes that share its clock.
[[nodiscard]] std::int64_t earliest_timer_ns(Driver const& driver) noexcept;

}  // namespace spawned::simulation
