// SimulatedRuntimes: simulates programs that make their runtime themselves, as a main or a test
// does.
#pragma once

#include <cstdint>
#include <memory>

#include <spawned/runtime/simulation/options.hpp>

namespace spawned::simulation {

/// While it lives, every Runtime that its thread makes is simulated, and spawned::run() and the
/// threads flavour's run() with it: nothing runs but while this thread waits for it.
///
/// Such a runtime has one worker. A ManualClock of its options is kept; any other clock is replaced
/// by virtual time. By default time moves only when nothing can run (ClockMode::idle), so
/// that code which expects an answer in time gets it, and units run in a random order
/// (Strategy::random).
///
/// Errors   the constructor throws InvalidSimulation for an option out of range, and
///          std::logic_error if the thread has such an object already. A wait that nothing can end
///          aborts the process, after it has said who waits.
/// Threads  the runtimes are used by this thread, and by those that the library makes for them.
///          What other threads do with them is not deterministic.
/// Example  tests/support/main.cpp
class SimulatedRuntimes {
 public:
  explicit SimulatedRuntimes(std::uint64_t seed);
  SimulatedRuntimes(std::uint64_t seed, Options const& options);
  ~SimulatedRuntimes();
  SimulatedRuntimes(SimulatedRuntimes const&) = delete;
  SimulatedRuntimes& operator=(SimulatedRuntimes const&) = delete;

  /// Of all that happened on the runtimes that have ended: equal runs have equal hashes.
  [[nodiscard]] std::uint64_t hash() const noexcept;
  /// Steps that they took.
  [[nodiscard]] std::uint64_t steps() const noexcept;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace spawned::simulation
