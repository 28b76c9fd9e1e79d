// Shrinking: from the choices of an execution that failed to few and small ones that fail alike.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <spawned/testing/detail/execution.hpp>

namespace spawned::testing::model::detail {

struct Program {
  Job job;
  void* argument;
};

using Picks = std::vector<std::uint32_t>;

inline Picks trimmed(std::vector<Choice> const& choices) {
  Picks picks;
  for (Choice const choice : choices) picks.push_back(choice.picked);
  while (!picks.empty() && picks.back() == 0) picks.pop_back();
  return picks;
}

inline std::size_t weight(Picks const& picks) {
  return picks.size() - static_cast<std::size_t>(std::count(picks.begin(), picks.end(), 0U));
}

/// Fewer and smaller choices that fail in the same way.
class Shrinker {
 public:
  Shrinker(Execution& execution, Program program)
      : execution_(execution),
        program_(program),
        kind_(execution.kind()),
        best_(trimmed(execution.choices())) {}

  [[nodiscard]] Picks const& shrink() {
    bool better = true;
    while (better) {
      better = false;
      for (std::size_t size = std::max<std::size_t>(best_.size() / 2, 1); size > 0; size /= 2) {
        for (std::size_t from = 0; from < best_.size(); from += size) {
          better = without(from, size) || zeroed(from, size) || better;
        }
      }
      for (std::size_t at = 0; at < best_.size(); ++at) better = lowered(at) || better;
    }
    return best_;
  }

 private:
  static constexpr unsigned most_runs = 3'000;

  bool without(std::size_t from, std::size_t size) {
    Picks candidate = best_;
    auto const begin = candidate.begin() + static_cast<std::ptrdiff_t>(from);
    candidate.erase(begin,
                    begin + static_cast<std::ptrdiff_t>(std::min(size, candidate.size() - from)));
    return accept(candidate);
  }
  bool zeroed(std::size_t from, std::size_t size) {
    Picks candidate = best_;
    for (std::size_t i = from; i < std::min(from + size, candidate.size()); ++i) candidate[i] = 0;
    return accept(candidate);
  }
  bool lowered(std::size_t at) {
    if (best_[at] < 2) return false;
    Picks candidate = best_;
    candidate[at] = 1;
    return accept(candidate);
  }
  bool accept(Picks const& candidate) {
    if (++runs_ > most_runs) return false;
    Replay replay(candidate);
    if (execution_.run(replay, program_.job, program_.argument, false)) return false;
    if (execution_.kind() != kind_) return false;
    Picks found = trimmed(execution_.choices());
    if (!simpler(found, best_)) return false;
    best_ = std::move(found);
    return true;
  }
  static bool simpler(Picks const& left, Picks const& right) {
    if (weight(left) != weight(right)) return weight(left) < weight(right);
    if (left.size() != right.size()) return left.size() < right.size();
    return left < right;
  }

  Execution& execution_;
  Program program_;
  FailureKind kind_;
  Picks best_;
  unsigned runs_ = 0;
};

}  // namespace spawned::testing::model::detail
