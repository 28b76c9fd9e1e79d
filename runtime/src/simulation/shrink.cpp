#include "simulation/shrink.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_set>
#include <utility>

#include <spawned/runtime/clock.hpp>

#include "simulation/trace_text.hpp"

namespace spawned::simulation {

namespace {

using Choices = std::vector<std::uint32_t>;

// The first line, with every number the same: "left: 90" is like "left: 80".
std::string kind_of(std::string const& problem) {
  std::string kind;
  for (char const c : problem) {
    if (c == '\n') break;
    bool const digit = c >= '0' && c <= '9';
    if (digit && !kind.empty() && kind.back() == '#') continue;
    kind += digit ? '#' : c;
  }
  return kind;
}

std::size_t place(std::ptrdiff_t at) { return static_cast<std::size_t>(at); }
std::ptrdiff_t offset(std::size_t at) { return static_cast<std::ptrdiff_t>(at); }

class Shrinker {
 public:
  Shrinker(Report failed, Options const& options, Program const& program)
      : options_(options), program_(program), best_(std::move(failed)) {
    options_.trace = false;
    trim();
    seen_.insert(hash(best_.choices));
  }

  Shrunk shrink() {
    if (!attempt({})) {
      // What one pass leaves, another may take further.
      for (bool better = true; better && !spent();) {
        better = zero_blocks();
        better = delete_blocks() || better;
        better = lower_values() || better;
        better = move_blocks() || better;
      }
    }
    if (told_) (void)std::fprintf(stderr, "\n");
    return {std::move(best_), runs_};
  }

 private:
  // Smaller is simpler.
  static auto rank(Report const& report) {
    std::uint64_t sum = 0;
    for (std::uint32_t const choice : report.choices) sum += choice;
    return std::tuple(interesting(report.choices), report.steps, length_that_counts(report.choices),
                      sum);
  }

  [[nodiscard]] bool spent() const {
    return runs_ >= options_.shrink_runs || clock_->now() - begin_ >= options_.shrink_time;
  }

  void trim() { best_.choices.resize(length_that_counts(best_.choices)); }

  // Runs it; keeps it if it fails alike and is simpler.
  bool attempt(Choices choices) {
    choices.resize(length_that_counts(choices));
    if (!seen_.insert(hash(choices)).second || spent()) return false;
    ++runs_;
    Report tried = replay(choices, options_, program_);
    tell_progress();
    if (!same_failure(tried, best_) || rank(tried) >= rank(best_)) return false;
    tried.seed = best_.seed;
    best_ = std::move(tried);
    trim();
    return true;
  }

  static std::uint64_t hash(Choices const& choices) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325U + choices.size();
    for (std::uint32_t const choice : choices) {
      hash = (hash ^ choice) * 0x9e3779b97f4a7c15U;
      hash ^= hash >> 29;
    }
    return hash;
  }

  [[nodiscard]] std::vector<std::size_t> places() const {
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < best_.choices.size(); ++i) {
      if (best_.choices[i] != 0) result.push_back(i);
    }
    return result;
  }

  // ddmin: takes out ever smaller blocks of what is interesting.
  bool zero_blocks() {
    bool better = false;
    for (std::size_t block = places().size(); block != 0; block = block / 2) {
      for (std::size_t first = 0; first < places().size() && !spent();) {
        std::vector<std::size_t> const all = places();
        Choices simpler = best_.choices;
        for (std::size_t i = first; i < std::min(first + block, all.size()); ++i) {
          simpler[all[i]] = 0;
        }
        if (attempt(std::move(simpler))) {
          better = true;  // others have come into its place
        } else {
          first += block;
        }
      }
    }
    return better;
  }

  bool delete_blocks() {
    bool better = false;
    for (std::size_t const block : {16U, 8U, 4U, 2U, 1U}) {
      // From the end: what comes later depends on what came before.
      for (std::size_t end = best_.choices.size(); end >= block && end != 0 && !spent(); --end) {
        end = std::min(end, best_.choices.size());
        if (end < block) break;
        Choices simpler = best_.choices;
        simpler.erase(simpler.begin() + offset(end - block), simpler.begin() + offset(end));
        better = attempt(std::move(simpler)) || better;
      }
    }
    return better;
  }

  bool lower_values() {
    bool better = false;
    for (std::size_t at = 0; at < best_.choices.size() && !spent(); ++at) {
      for (bool lower = true; lower && at < best_.choices.size() && best_.choices[at] > 1;) {
        lower = false;
        std::uint32_t const value = best_.choices[at];
        for (std::uint32_t const smaller : {1U, value / 2, value - 1}) {
          Choices simpler = best_.choices;
          simpler[at] = smaller;
          if (!attempt(std::move(simpler))) continue;
          better = lower = true;
          break;
        }
      }
    }
    return better;
  }

  // Moves what is interesting next to other such things, earlier or later: there it may do what two
  // did, or no longer be needed.
  bool move_blocks() {
    bool better = false;
    for (std::size_t const block : {4U, 2U, 1U}) {
      for (std::size_t from = 0; from < best_.choices.size() && !spent(); ++from) {
        if (best_.choices[from] == 0) continue;
        for (std::size_t to = 0; to <= best_.choices.size() && !spent(); ++to) {
          if (from + block > best_.choices.size() || best_.choices[from] == 0) break;
          if (to >= from && to <= from + block) continue;
          better = attempt(moved(from, to, block)) || better;
        }
      }
    }
    return better;
  }

  [[nodiscard]] Choices moved(std::size_t from, std::size_t to, std::size_t block) const {
    Choices result = best_.choices;
    auto const first = result.begin() + offset(from);
    auto const last = first + offset(block);
    if (to < from) {
      std::rotate(result.begin() + offset(to), first, last);
    } else {
      std::rotate(first, last, result.begin() + offset(to));
    }
    return result;
  }

  void tell_progress() {
    auto const now = clock_->now();
    if (now - last_told_ < std::chrono::seconds(2)) return;
    last_told_ = now;
    told_ = true;
    (void)std::fprintf(stderr, "\rshrinking %s: %llu runs, %zu choices left that are not boring ",
                       options_.name.c_str(), static_cast<unsigned long long>(runs_),
                       interesting(best_.choices));
  }

  Options options_;
  Program const& program_;
  Report best_;
  std::uint64_t runs_ = 0;
  std::unordered_set<std::uint64_t> seen_;
  std::shared_ptr<Clock> const clock_ = real_clock();
  std::chrono::nanoseconds const begin_ = clock_->now();
  std::chrono::nanoseconds last_told_ = begin_;
  bool told_ = false;
};

}  // namespace

std::size_t interesting(Choices const& choices) noexcept {
  return choices.size() - place(std::count(choices.begin(), choices.end(), std::uint32_t{0}));
}

bool same_failure(Report const& one, Report const& other) {
  return !one.passed() && one.outcome == other.outcome &&
         kind_of(one.problem) == kind_of(other.problem);
}

Shrunk shrink(Report failed, Options const& options, Program const& program) {
  return Shrinker(std::move(failed), options, program).shrink();
}

}  // namespace spawned::simulation
