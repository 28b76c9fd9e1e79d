// SearchTree: enumerates runs, one after the other, by trying every answer to every decision, depth
// first. Between two runs it holds the decisions of the last one; a run repeats the beginning of
// the one before and differs in its last decision that had an answer left.
//
// Reduction. Two runs that differ only in the order of neighbouring steps that have nothing to do
// with each other are the same run. Of those it makes one, by two rules together:
//   races       A decision is tried another way only if a later step of the run had to do with the
//               step chosen there, without a chain of others between the two: then the later one is
//               tried first. (Flanagan and Godefroid, "Dynamic Partial-Order Reduction for Model
//               Checking Software", POPL 2005.)
//   sleep sets  What was tried at a decision need not be tried again after a step that has nothing
//               to do with it. (Godefroid, LNCS 1032, 1996.)
// What steps have to do with each other is in Footprint; it says too much rather than too little.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <spawned/runtime/simulation/options.hpp>

#include "simulation/chooser.hpp"

namespace spawned::simulation {

class SearchTree {
 public:
  /// A strategy that enumerates.
  explicit SearchTree(Options const& options) noexcept;

  /// For the next run; the tree outlives it.
  [[nodiscard]] std::unique_ptr<Chooser> begin_run();
  /// After a run: goes on to the next. False: there is none.
  [[nodiscard]] bool advance();
  /// The last run was given up: it repeats others.
  [[nodiscard]] bool was_cut() const noexcept { return cut_; }
  /// The last run did not repeat the one before as far as it should have.
  [[nodiscard]] bool has_diverged() const noexcept { return diverged_; }

 private:
  class TreeChooser;

  struct Node {
    std::uint32_t choice = 0;
    std::uint32_t of = 1;
    unsigned delays_before = 0;
    bool schedule = false;
    bool clock = false;  // the last answer is the clock
    // Of a reduced search:
    std::vector<std::uint32_t> units;  // that can run; the clock is 0
    std::vector<bool> wanted;          // to be tried
    std::vector<Footprint> asleep;     // not to be tried, or tried already
    std::size_t step = 0;              // of steps_, that was chosen here
  };
  struct StepTaken {
    Footprint footprint;
    std::size_t node;
    std::vector<bool> after;  // the steps before that it comes after in every order
  };

  [[nodiscard]] std::uint32_t decide(std::uint32_t of, bool schedule, bool clock);
  [[nodiscard]] std::uint32_t decide_reduced(std::span<Ready const> ready, bool clock);
  void add_step(Footprint& footprint);
  void end_run();
  void want_earlier(std::size_t early, std::size_t late);
  [[nodiscard]] bool go_on_at(Node& node);
  [[nodiscard]] unsigned delays_of(Node const& node, std::uint32_t choice) const noexcept;
  [[nodiscard]] static bool sleeps(Node const& node, std::uint32_t unit) noexcept;

  bool reduced_;
  bool clock_races_;
  unsigned delays_most_;
  std::vector<Node> nodes_;
  std::vector<StepTaken> steps_;
  // Of the present run:
  std::size_t at_ = 0;  // decisions made
  std::size_t steps_seen_ = 0;
  std::size_t last_schedule_ = 0;  // the node of the step that runs
  bool cut_ = false;
  bool diverged_ = false;
};

}  // namespace spawned::simulation
