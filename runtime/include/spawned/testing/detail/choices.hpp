// The choice stream: every decision of an execution is one number, 0 being the boring one, and each
// way to search is a class that answers them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <spawned/testing/detail/view.hpp>

namespace spawned::testing::model::detail {

enum class ChoiceKind : unsigned char {
  schedule,  // 0 = the thread that runs goes on, or the first that can
  read,      // 0 = the newest store
  failure,   // 0 = no spurious failure, no time-out
  wake,      // 0 = who has slept longest
};

struct Choice {
  std::uint32_t picked;
  std::uint32_t options;
};

/// xorshift64*: small, and the same everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {
    for (int i = 0; i < 2; ++i) {  // splitmix64, so that neighbouring seeds have nothing in common
      state_ += 0x9e3779b97f4a7c15U;
      state_ = (state_ ^ (state_ >> 30U)) * 0xbf58476d1ce4e5b9U;
      state_ = (state_ ^ (state_ >> 27U)) * 0x94d049bb133111ebU;
      state_ ^= state_ >> 31U;
    }
    if (state_ == 0) state_ = 1;
  }
  std::uint64_t next() noexcept {
    state_ ^= state_ >> 12U;
    state_ ^= state_ << 25U;
    state_ ^= state_ >> 27U;
    return state_ * 0x2545f4914f6cdd1dU;
  }
  std::uint32_t below(std::uint32_t n) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32U) * n) >> 32U);
  }
  bool percent(std::uint32_t chance) noexcept { return below(100) < chance; }

 private:
  std::uint64_t state_;
};

class Chooser {
 public:
  Chooser() noexcept = default;
  Chooser(Chooser const&) = delete;
  Chooser& operator=(Chooser const&) = delete;
  virtual ~Chooser() = default;

  virtual void begin(std::uint64_t execution) = 0;
  /// Less than `options`. For ChoiceKind::schedule, `threads` says which thread each option is.
  virtual std::uint32_t pick(ChoiceKind kind, std::uint32_t options,
                             unsigned char const* threads) = 0;
  /// After an execution. False: there is none left.
  virtual bool next() { return true; }
};

/// Each execution draws how often it switches and how often it reads old values: one fixed bias
/// misses what needs many of the one and none of the other.
class RandomWalk : public Chooser {
 public:
  explicit RandomWalk(std::uint64_t seed) noexcept : seed_(seed) {}

  void begin(std::uint64_t execution) override {
    static constexpr std::array<std::uint32_t, 4> chances{10, 25, 50, 100};
    random_ = Random(seed_ * 0x9e3779b97f4a7c15U + execution);
    switch_chance_ = chances[random_.below(4)];
    deviate_chance_ = chances[random_.below(4)];
  }
  std::uint32_t pick(ChoiceKind kind, std::uint32_t options, unsigned char const*) override {
    std::uint32_t const chance = kind == ChoiceKind::schedule ? switch_chance_ : deviate_chance_;
    return random_.percent(chance) ? random_.below(options) : 0;
  }

 protected:
  std::uint64_t seed_;
  Random random_{1};
  std::uint32_t switch_chance_ = 0;
  std::uint32_t deviate_chance_ = 0;
};

/// Probabilistic concurrency testing: the thread with the highest priority runs; depth - 1 times,
/// at random moments, the running one becomes the lowest.
class Priorities final : public RandomWalk {
 public:
  Priorities(std::uint64_t seed, unsigned depth) noexcept : RandomWalk(seed), depth_(depth) {}

  void begin(std::uint64_t execution) override {
    RandomWalk::begin(execution);
    for (unsigned i = 0; i < max_threads; ++i) {
      priority_[i] = depth_ + i;
      std::swap(priority_[i], priority_[random_.below(i + 1)]);
    }
    changes_.clear();
    for (unsigned i = 1; i < depth_; ++i) changes_.push_back(random_.below(longest_));
    decisions_ = 0;
  }
  std::uint32_t pick(ChoiceKind kind, std::uint32_t options,
                     unsigned char const* threads) override {
    if (kind != ChoiceKind::schedule) return RandomWalk::pick(kind, options, threads);
    for (std::uint32_t i = 0; i < changes_.size(); ++i) {
      if (changes_[i] == decisions_) priority_[threads[0]] = i;
    }
    if (++decisions_ > longest_) longest_ = decisions_;
    std::uint32_t best = 0;
    for (std::uint32_t i = 1; i < options; ++i) {
      if (priority_[threads[i]] > priority_[threads[best]]) best = i;
    }
    return best;
  }

 private:
  unsigned depth_;
  std::array<std::uint32_t, max_threads> priority_{};
  std::vector<std::uint32_t> changes_;
  std::uint32_t decisions_ = 0;
  std::uint32_t longest_ = 8;  // decisions of the longest execution so far
};

/// Depth first: the last choice that has an option left takes it, what followed is forgotten.
class DepthFirst final : public Chooser {
 public:
  void begin(std::uint64_t) override { position_ = 0; }
  std::uint32_t pick(ChoiceKind, std::uint32_t options, unsigned char const*) override {
    if (position_ == path_.size()) path_.push_back({0, options});
    return path_[position_++].picked;
  }
  bool next() override {
    while (!path_.empty() && path_.back().picked + 1 == path_.back().options) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().picked;
    return true;
  }

 private:
  std::vector<Choice> path_;
  std::size_t position_ = 0;
};

/// Given numbers, and 0 after them. Tells whether they fitted the program.
class Replay final : public Chooser {
 public:
  explicit Replay(std::vector<std::uint32_t> const& picks) noexcept : picks_(picks) {}
  void begin(std::uint64_t) override {}
  std::uint32_t pick(ChoiceKind, std::uint32_t options, unsigned char const*) override {
    if (position_ == picks_.size()) return 0;
    std::uint32_t const picked = picks_[position_++];
    if (picked < options) return picked;
    fits_ = false;
    return options - 1;
  }
  [[nodiscard]] bool fits() const noexcept { return fits_ && position_ == picks_.size(); }

 private:
  std::vector<std::uint32_t> const& picks_;
  std::size_t position_ = 0;
  bool fits_ = true;
};

}  // namespace spawned::testing::model::detail
