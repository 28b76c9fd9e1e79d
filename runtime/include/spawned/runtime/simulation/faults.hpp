// Faults: what a simulated run makes go wrong, drawn from its seed or called for by the program.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <source_location>
#include <stdexcept>

#include <spawned/runtime/detail/simulated.hpp>

namespace spawned::simulation {

/// Rates are probabilities, 0 to 1; 0, as at first, is never.
struct Faults {
  /// Of each turn of an actor: it crashes, at the message it takes as if the handler had thrown
  /// InjectedCrash, or where its handler is suspended, as if killed with that reason.
  double crash = 0;
  /// In one run, at most.
  std::uint32_t crashes_max = 1;

  /// Of each message an actor takes: it is not the oldest one, but the oldest of another sender.
  /// One sender's messages keep their order.
  double reorder = 0;

  /// Of each turn: its unit, an actor, a task, a thread, is not run for up to `pause_max`.
  double pause = 0;
  std::chrono::nanoseconds pause_max = std::chrono::milliseconds(100);
  /// Of each blocking job, and each turn of an actor on a thread: the same, as if the pool had no
  /// thread left.
  double starve = 0;

  /// Of each turn: it takes time, up to `slow_max`, before it does anything.
  double slow = 0;
  std::chrono::nanoseconds slow_max = std::chrono::milliseconds(10);

  /// Of each step: the wall clock (Clock::utc_now()) jumps, by up to `clock_jump_max`, forward or
  /// back.
  double clock_jump = 0;
  std::chrono::nanoseconds clock_jump_max = std::chrono::hours(1);
  /// The wall clock runs faster by this share, or slower if negative.
  double clock_skew = 0;

  /// Nothing of the above before, or after, these moments of virtual time.
  std::chrono::nanoseconds from{0};
  std::chrono::nanoseconds until = std::chrono::nanoseconds::max();
};

/// What an actor crashes with when Faults::crash says so.
class InjectedCrash : public std::runtime_error {
 public:
  InjectedCrash() : std::runtime_error("a crash injected by the simulation") {}
};

/// For a program that is simulated: the faults from now on, to be changed at will.
/// Errors  std::logic_error when the calling thread is not simulated.
[[nodiscard]] Faults& faults();

/// For a program that is simulated: moves virtual time by `step`, as if the calling handler had
/// taken that long. Errors: std::logic_error as faults(); std::invalid_argument if negative.
void pass_time(std::chrono::nanoseconds step);

/// For a program that is simulated: the wall clock jumps. Errors: std::logic_error as faults().
void jump_wall_clock(std::chrono::nanoseconds step);

/// A site of a program's own where something rare happens: see SPAWNED_BUGGIFY.
class Buggify {
 public:
  explicit Buggify(std::source_location where) noexcept : where_(where) {}
  [[nodiscard]] bool operator()(double probability = 0.25) const noexcept;

 private:
  std::source_location where_;
};

}  // namespace spawned::simulation

/// True now and then in a simulation: a site is active in one of four runs, and fires then with the
/// given probability, by default one in four. False on a real runtime.
/// Cost     on a real runtime a load and a branch; nothing if SPAWNED_NO_BUGGIFY is defined.
/// Example  if (SPAWNED_BUGGIFY()) co_await sleep(10s);
#if defined(SPAWNED_NO_BUGGIFY)
#define SPAWNED_BUGGIFY(...) false
#else
#define SPAWNED_BUGGIFY(...)                  \
  (::spawned::detail::simulated != nullptr && \
   ::spawned::simulation::Buggify(::std::source_location::current())(__VA_ARGS__))
#endif
