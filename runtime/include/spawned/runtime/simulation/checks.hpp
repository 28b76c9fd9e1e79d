// Checks that a program sets up, and that a simulation looks at after every step.
//
//   auto const sum = simulation::always("no money is lost", [&] { return a + b == 200; });
//
// A check lasts as long as the object that it is. It is looked at after every step, and once more
// when the object goes, unless that is because of an exception. A run in which one does not hold
// has the outcome `violated`.
//
// On a real runtime nobody can look while others run: always() and never() are looked at when they
// are made and when they go, eventually() when it goes. What does not hold fails test(), and is
// logged as an error elsewhere. A predicate that throws OnlySimulated is left out.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include <spawned/runtime/simulation/program.hpp>

namespace spawned::simulation {

/// Thrown by what looks into others, which is safe only in a simulation.
class OnlySimulated : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Tells whether all is well. It runs between two steps: it sees everything and changes nothing.
/// One that throws does not hold.
using Predicate = std::function<bool()>;

class Checks;

/// A check that is set up. Threads: one at a time.
class [[nodiscard("the check lasts as long as this object")]] Check {
 public:
  struct Entry;

  explicit Check(std::shared_ptr<Entry> entry) noexcept;
  Check(Check&&) noexcept = default;
  Check& operator=(Check&& other) noexcept;
  /// Looks a last time.
  ~Check();

  /// Lets it last to the end of the run. Its predicate must not refer to what ends before.
  void keep() && noexcept;

 private:
  void end() noexcept;
  std::shared_ptr<Entry> entry_;
};

/// `predicate` holds after every step.
Check always(std::string name, Predicate predicate);
/// `predicate` does not hold after any step.
Check never(std::string name, Predicate predicate);
/// `predicate` holds after some step, before `within` has passed on the simulated clock and before
/// the check goes. With an adversarial clock the limit also passes while others could run.
Check eventually(std::string name, Predicate predicate,
                 std::chrono::nanoseconds within = std::chrono::nanoseconds::max());

/// A liveness monitor: something that may be in a state that must not last.
///
///   simulation::Monitor leader("there is a leader", 10s);
///   leader.hot();   // the old one has gone
///   leader.cold();  // there is a new one
///
/// Violated if it is hot when it goes, at the end of the run, or for longer than `limit`. It begins
/// cold. Threads: any, not while it goes.
class Monitor {
 public:
  explicit Monitor(std::string name,
                   std::chrono::nanoseconds limit = std::chrono::nanoseconds::max());
  Monitor(Monitor const&) = delete;
  Monitor& operator=(Monitor const&) = delete;
  ~Monitor();

  /// Counts from the first of several.
  void hot();
  void cold() noexcept;
  [[nodiscard]] bool is_hot() const noexcept;

 private:
  std::shared_ptr<Check::Entry> entry_;
};

}  // namespace spawned::simulation
