// Chooser: who makes the decisions of one run. A new one is made for each run.
//
// Everything is drawn as small numbers of which 0 is the boring one: the oldest unit runs, nothing
// goes wrong. Choices (choices.hpp) keeps them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <spawned/runtime/detail/simulated.hpp>
#include <spawned/runtime/simulation/options.hpp>

namespace spawned::simulation {

/// A unit that can run.
struct Ready {
  detail::Runnable* work;
  /// Which unit: the same number from its birth to its end, counted from 1, equal in equal runs.
  std::uint32_t unit;
};

/// What a step has to do with: two steps whose order matters have a unit in common, or one of them
/// has to do with all.
struct Footprint {
  std::uint32_t unit = 0;  ///< who ran; 0: the clock
  bool all = false;
  std::vector<std::uint32_t> units;  ///< whom it sent to, woke, or serves; with itself
};

class Chooser {
 public:
  /// Instead of an index: this run is not worth going on with.
  static constexpr std::uint32_t give_up = ~std::uint32_t{0};

  Chooser() = default;
  Chooser(Chooser const&) = delete;
  Chooser& operator=(Chooser const&) = delete;
  virtual ~Chooser() = default;

  /// Which of `ready`, oldest first, runs next: its index. ready.size(), if `clock`: time moves to
  /// the next timer instead. `ready` is empty only if `clock` and nothing else can be chosen.
  virtual std::uint32_t next(std::span<Ready const> ready, bool clock) = 0;
  /// Every other decision: 0 to n - 1.
  virtual std::uint32_t choose(std::uint32_t n, Choice kind) = 0;
  /// The same with two answers: 1 with the given probability.
  virtual bool chance(double probability, Choice kind) = 0;
  /// Wants to be told of steps(), and asked for the next() even where there is one answer.
  [[nodiscard]] virtual bool tracks() const noexcept { return false; }
  /// A step was this. Called before the next decision, and after the last.
  virtual void stepped(Footprint& /*footprint*/) {}
  /// The program has ended: what comes now is not part of the run.
  virtual void ended() {}
  /// For people: "random, clock 0.15".
  [[nodiscard]] virtual std::string name() const = 0;
};

}  // namespace spawned::simulation
