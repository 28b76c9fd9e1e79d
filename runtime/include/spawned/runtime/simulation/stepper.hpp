// Stepper: a simulated runtime that a test drives by hand, message by message.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <spawned/runtime/simulation/options.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/task.hpp>

namespace spawned::simulation {

/// A Stepper was asked for what cannot happen; the message names what could.
class CannotStep : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// A check of the program (simulation/checks.hpp) does not hold after a step.
class Violated : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Nothing runs but by its calls, and time stands still but for them.
///
///   simulation::Stepper stepper;
///   auto door = Door{}.start();      // its thread is a worker while it lives
///   door.send<Door::Open>();
///   stepper.deliver_next();          // init and the message, in as many steps as that takes
///   stepper.advance(30s);            // the timer is due
///   stepper.run_until_idle();
///
/// A step runs one unit of work: an actor handles one message, a task goes on to its next
/// suspension.
///
/// Errors   CannotStep; Violated; the constructor throws BlockingInWorker on a thread that works
/// for a
///          runtime.
/// Cancel   its end cancels what lives, and runs it to its end.
/// Threads  the one that made it. While it lives that thread works for it: start() and spawn() need
///          no runtime, and blocking calls are refused.
/// Example  tests/runtime/simulation/stepper_test.cpp
class Stepper {
 public:
  Stepper();
  ~Stepper();
  Stepper(Stepper const&) = delete;
  Stepper& operator=(Stepper const&) = delete;

  // --- what can run ---

  /// The units that can run, what a worker would run next first, for people: "Door#1 (2 messages)".
  [[nodiscard]] std::vector<std::string> ready();
  [[nodiscard]] bool is_idle() { return ready_count() == 0; }
  [[nodiscard]] std::size_t ready_count();

  // --- running it ---

  /// Runs the first unit, or the one at `index` of ready(). False: there is none.
  bool deliver_next(std::size_t index = 0);
  /// Lets an actor handle its next message: `ref` is an ActorRef or a Protocol.
  /// Errors  CannotStep if it has none.
  template <typename Ref>
    requires requires(Ref const& ref) { ref.cell(); }
  void deliver_to(Ref const& ref) {
    deliver_to_context(ref.cell());
  }
  /// Runs the first unit, again and again, until none can run. Time stands still. Returns how many.
  /// Errors  CannotStep after `most`: it does not come to an end.
  std::uint64_t run_until_idle(std::uint64_t most = 1'000'000);

  // --- time ---

  /// Since the Stepper was made.
  [[nodiscard]] std::chrono::nanoseconds time() const;
  /// Moves time on, by way of each timer that becomes due. What they wake does not run yet.
  /// Errors  CannotStep for a negative duration.
  void advance(std::chrono::nanoseconds duration);
  /// The same, running until idle before and at each timer.
  void run_for(std::chrono::nanoseconds duration);
  /// Moves time to the next timer. False: there is none.
  bool advance_to_next_timer();

  // --- tasks ---

  /// Runs units and, when none can run, moves time, until the task has ended. Returns its value.
  /// Errors  what leaves the task; CannotStep, naming who waits, if nothing can run any more.
  template <typename T>
  T block_on(Task<T> task, std::source_location where = std::source_location::current()) {
    JoinHandle<T> handle = spawn_here(std::move(task), where);
    while (!handle.is_finished()) pump();
    Result<T, JoinError> result = handle.take();
    if (!result) result.error().raise();
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }

  /// What has happened so far, a line each.
  [[nodiscard]] std::vector<std::string> story() const;

 private:
  class State;

  template <typename T>
  JoinHandle<T> spawn_here(Task<T> task, std::source_location where) {
    return detail::spawn_on(workers(), std::move(task), where);
  }
  [[nodiscard]] detail::Executor& workers() noexcept;
  void deliver_to_context(detail::ExecutionContext& context);
  void pump();

  std::unique_ptr<State> state_;
};

}  // namespace spawned::simulation
