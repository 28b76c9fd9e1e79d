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

class Chooser {
 public:
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
  /// For people: "random, clock 0.15".
  [[nodiscard]] virtual std::string name() const = 0;
};

}  // namespace spawned::simulation
