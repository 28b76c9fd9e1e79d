#include <spawned/runtime/simulation/inevitability.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <span>

#include "simulation/choosers.hpp"
#include "simulation/prefix_chooser.hpp"
#include "simulation/running.hpp"
#include "simulation/shrink.hpp"
#include "simulation/told.hpp"
#include "simulation/trace_text.hpp"

namespace spawned::simulation {

namespace {

constexpr std::size_t points_most = 48;

class Curve {
 public:
  Curve(Report const& failed, Options const& options, Program const& program, unsigned runs)
      : failed_(failed), options_(options), program_(program), runs_(runs) {
    options_.trace = false;
    options_.clock = failed.clock;
    options_.strategy = Strategy::random;
  }

  std::map<std::size_t, double> draw() {
    // Every choice counts, also boring ones at the end: after them nothing is random any more.
    std::size_t const count = failed_.choices.size();
    std::size_t const stride = count / points_most + 1;
    for (std::size_t kept = 0; kept < count; kept += stride) measure(kept);
    known_[count] = 1;
    while (refine()) continue;
    return std::move(known_);
  }

 private:
  void measure(std::size_t kept) {
    std::span<std::uint32_t const> const prefix = std::span(failed_.choices).first(kept);
    unsigned failures = 0;
    for (unsigned i = 0; i < runs_; ++i) {
      std::uint64_t const seed = kept * std::uint64_t{runs_} + i + 1;
      auto chooser = std::make_unique<PrefixChooser>(prefix, make_chooser(seed, options_));
      if (same_failure(run_with(std::move(chooser), program_, options_), failed_)) ++failures;
    }
    known_[kept] = static_cast<double>(failures) / runs_;
  }

  // Halves the gap with the steepest rise. False: there is none.
  bool refine() {
    auto steepest = known_.begin();
    for (auto at = known_.begin(); std::next(at) != known_.end(); ++at) {
      if (rise(at) > rise(steepest)) steepest = at;
    }
    std::size_t const gap = std::next(steepest)->first - steepest->first;
    if (gap < 2) return false;
    measure(steepest->first + gap / 2);
    return true;
  }
  static double rise(std::map<std::size_t, double>::iterator at) {
    return std::next(at)->second - at->second;
  }

  Report const& failed_;
  Options options_;
  Program const& program_;
  unsigned runs_;
  std::map<std::size_t, double> known_;
};

// The step for which choice number `choice`, from 1, was made: the first that knows of it.
std::string step_of(Report const& failed, Options options, Program const& program,
                    std::size_t choice) {
  options.trace = true;
  options.clock = failed.clock;
  Report const traced = replay(failed.choices, options, program);
  auto const event =
      std::find_if(traced.events.begin(), traced.events.end(), [choice](Event const& one) {
        return one.choices >= choice &&
               (one.kind == Event::Kind::step || one.kind == Event::Kind::time);
      });
  if (event == traced.events.end()) return {};
  std::vector<Told> const told = tell(traced);
  std::size_t const at = find_step(told, event->step);
  return at == told.size() ? std::string() : sentence(traced, told[at]);
}

std::string two_digits(double probability) {
  char text[16];
  (void)std::snprintf(text, sizeof text, "%.2f", probability);
  return text;
}

}  // namespace

Inevitability inevitability(Report const& failed, Options const& options, Program const& program,
                            unsigned runs_per_point) {
  if (failed.passed()) {
    throw InvalidSimulation("simulation::inevitability: the run has passed; give one that failed");
  }
  if (runs_per_point == 0) {
    throw InvalidSimulation("simulation::inevitability: runs_per_point is 0; allowed: 1 and more");
  }
  Inevitability result;
  result.runs_per_point = runs_per_point;
  for (auto const& [kept, probability] : Curve(failed, options, program, runs_per_point).draw()) {
    result.points.push_back({kept, probability});
  }
  double most = 0;
  for (std::size_t i = 1; i < result.points.size(); ++i) {
    double const rise = result.points[i].probability - result.points[i - 1].probability;
    if (rise <= most) continue;
    most = rise;
    result.turn = i;
  }
  if (result.turn != 0) {
    result.step = step_of(failed, options, program, result.points[result.turn].kept);
  }
  return result;
}

std::string Inevitability::to_string() const {
  std::string text;
  if (turn != 0) {
    text = two_digits(points[turn - 1].probability) + " -> " +
           two_digits(points[turn].probability) + " at choice " +
           std::to_string(points[turn].kept) + ": " + step + "\n";
  } else {
    text = "no choice made the failure more likely\n";
  }
  text += "Of the runs that keep the first choices and are random then, so many fail (" +
          std::to_string(runs_per_point) + " runs each):\n";
  for (Point const& point : points) {
    std::string const kept = std::to_string(point.kept);
    text += std::string(kept.size() < 6 ? 6 - kept.size() : 0, ' ') + kept + "  " +
            two_digits(point.probability) + "  " +
            std::string(static_cast<std::size_t>(point.probability * 40 + 0.5), '#') + "\n";
  }
  return text;
}

}  // namespace spawned::simulation
