#include "simulation/search_tree.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace spawned::simulation {

namespace {

constexpr unsigned no_limit = ~0U;

bool have_to_do(Footprint const& one, Footprint const& other) noexcept {
  if (one.all || other.all || one.unit == other.unit) return true;
  auto a = one.units.begin();
  auto b = other.units.begin();
  while (a != one.units.end() && b != other.units.end()) {
    if (*a == *b) return true;
    *a < *b ? ++a : ++b;
  }
  return false;
}

}  // namespace

class SearchTree::TreeChooser final : public Chooser {
 public:
  explicit TreeChooser(SearchTree& tree) noexcept : tree_(tree) {}

  std::uint32_t next(std::span<Ready const> ready, bool clock) override {
    if (ended_) return 0;
    if (tree_.reduced_) return tree_.decide_reduced(ready, clock);
    return tree_.decide(static_cast<std::uint32_t>(ready.size()) + (clock ? 1 : 0), true, clock);
  }
  std::uint32_t choose(std::uint32_t n, Choice /*kind*/) override {
    return ended_ ? 0 : tree_.decide(n, false, false);
  }
  bool chance(double /*probability*/, Choice /*kind*/) override {
    return !ended_ && tree_.decide(2, false, false) != 0;
  }
  [[nodiscard]] bool tracks() const noexcept override { return tree_.reduced_ && !ended_; }
  void stepped(Footprint& footprint) override { tree_.add_step(footprint); }
  void ended() override {
    if (!ended_) tree_.end_run();
    ended_ = true;
  }
  [[nodiscard]] std::string name() const override {
    if (tree_.reduced_) return "reduced";
    if (tree_.delays_most_ == no_limit) return "exhaustive";
    return "delay_bounded " + std::to_string(tree_.delays_most_);
  }

 private:
  SearchTree& tree_;
  bool ended_ = false;
};

SearchTree::SearchTree(Options const& options) noexcept
    : reduced_(options.strategy == Strategy::reduced),
      clock_races_(options.clock == ClockMode::adversarial),
      delays_most_(options.strategy == Strategy::delay_bounded ? options.depth : no_limit) {}

std::unique_ptr<Chooser> SearchTree::begin_run() {
  at_ = steps_seen_ = last_schedule_ = 0;
  cut_ = false;
  return std::make_unique<TreeChooser>(*this);
}

// --- decisions ---

// Moving the clock early is one delay, and so is anything but the boring outcome.
unsigned SearchTree::delays_of(Node const& node, std::uint32_t choice) const noexcept {
  bool const one = !node.schedule || (node.clock && choice + 1 == node.of);
  return one && choice != 0 ? 1 : choice;
}

std::uint32_t SearchTree::decide(std::uint32_t of, bool schedule, bool clock) {
  if (at_ < nodes_.size()) {
    Node const& node = nodes_[at_++];
    if (node.of == of) return node.choice;
    diverged_ = true;
    return 0;
  }
  Node node;
  node.of = of;
  node.schedule = schedule;
  node.clock = clock;
  if (!nodes_.empty()) {
    Node const& before = nodes_.back();
    node.delays_before = before.delays_before + delays_of(before, before.choice);
  }
  nodes_.push_back(std::move(node));
  ++at_;
  return 0;
}

std::uint32_t SearchTree::decide_reduced(std::span<Ready const> ready, bool clock) {
  auto const of = static_cast<std::uint32_t>(ready.size()) + (clock ? 1 : 0);
  bool const is_new = at_ == nodes_.size();
  std::size_t const before = last_schedule_;
  last_schedule_ = at_;
  if (!is_new) return decide(of, true, clock);
  (void)decide(of, true, clock);
  Node& node = nodes_.back();
  for (Ready const& one : ready) node.units.push_back(one.unit);
  if (clock) node.units.push_back(0);
  node.wanted.resize(of);
  if (!steps_.empty()) {
    for (Footprint const& sleeper : nodes_[before].asleep) {
      if (!have_to_do(sleeper, steps_.back().footprint)) node.asleep.push_back(sleeper);
    }
  }
  while (node.choice != of && sleeps(node, node.units[node.choice])) ++node.choice;
  if (node.choice == of) {
    nodes_.pop_back();
    cut_ = true;
    return Chooser::give_up;
  }
  node.wanted[node.choice] = true;
  return node.choice;
}

bool SearchTree::sleeps(Node const& node, std::uint32_t unit) noexcept {
  return std::any_of(node.asleep.begin(), node.asleep.end(),
                     [unit](Footprint const& sleeper) { return sleeper.unit == unit; });
}

// --- steps ---

void SearchTree::add_step(Footprint& footprint) {
  if (steps_seen_++ < steps_.size()) return;  // repeated
  footprint.units.push_back(footprint.unit);
  std::sort(footprint.units.begin(), footprint.units.end());
  std::size_t const late = steps_.size();
  nodes_[last_schedule_].step = late;
  std::vector<bool> after(late);
  std::vector<std::size_t> races;
  for (std::size_t early = late; early-- != 0;) {
    StepTaken const& before = steps_[early];
    if (after[early] || !have_to_do(before.footprint, footprint)) continue;
    if (before.footprint.unit != footprint.unit) races.push_back(early);
    after[early] = true;
    for (std::size_t i = 0; i < early; ++i) {
      if (before.after[i]) after[i] = true;
    }
  }
  steps_.push_back({std::exchange(footprint, {}), last_schedule_, std::move(after)});
  for (std::size_t const early : races) want_earlier(early, late);
}

// `late` could come before `early`, and then the run is another one.
void SearchTree::want_earlier(std::size_t early, std::size_t late) {
  std::uint32_t const unit = steps_[late].footprint.unit;
  Node& node = nodes_[steps_[early].node];
  auto const able = [](Node const& at, std::uint32_t who) {
    return std::find(at.units.begin(), at.units.end(), who) != at.units.end();
  };
  if (unit == 0 && !clock_races_) return;  // time waited for `early`
  if (!able(node, unit) && able(nodes_[steps_[early + 1].node], unit)) return;  // woken by `early`
  auto want = [&node](std::uint32_t who) {
    for (std::size_t i = 0; i < node.units.size(); ++i) {
      if (node.units[i] == who) node.wanted[i] = true;
    }
  };
  if (able(node, unit)) return want(unit);
  for (std::size_t i = early + 1; i < late; ++i) {  // what leads to it, and could run there
    std::uint32_t const other = steps_[i].footprint.unit;
    if (steps_[late].after[i] && able(node, other)) return want(other);
  }
  node.wanted.assign(node.wanted.size(), true);
}

// What could have run, but for the end of the program, would have come before its end.
void SearchTree::end_run() {
  if (!reduced_ || cut_ || steps_.empty() || !steps_.back().footprint.all) return;
  Node& node = nodes_[steps_.back().node];
  node.wanted.assign(node.wanted.size(), true);
}

// --- from run to run ---

bool SearchTree::go_on_at(Node& node) {
  if (!reduced_ || !node.schedule) {
    while (++node.choice < node.of) {
      if (delays_most_ == no_limit) return true;
      if (node.delays_before + delays_of(node, node.choice) <= delays_most_) return true;
    }
    return false;
  }
  node.asleep.push_back(steps_[node.step].footprint);
  steps_.resize(node.step);
  for (std::uint32_t i = 0; i < node.of; ++i) {
    if (!node.wanted[i] || sleeps(node, node.units[i])) continue;
    node.choice = i;
    return true;
  }
  return false;
}

bool SearchTree::advance() {
  while (!nodes_.empty()) {
    if (go_on_at(nodes_.back())) return true;
    nodes_.pop_back();
  }
  return false;
}

}  // namespace spawned::simulation
