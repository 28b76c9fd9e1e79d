#include "simulation/search.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <spawned/runtime/runtime.hpp>

#include "scheduler/scheduler.hpp"
#include "simulation/check_options.hpp"
#include "simulation/checks.hpp"
#include "simulation/choosers.hpp"
#include "simulation/environment.hpp"
#include "simulation/search_tree.hpp"
#include "simulation/shards.hpp"
#include "simulation/tally.hpp"

namespace spawned::simulation {

namespace {

bool enumerates(Strategy strategy) noexcept {
  return strategy == Strategy::delay_bounded || strategy == Strategy::exhaustive ||
         strategy == Strategy::reduced;
}

void search_tree(ExploreOptions const& options, Program const& program, Tally& tally,
                 Findings& findings) {
  SearchTree tree(options);
  std::uint64_t cut = 0;
  bool complete = false;
  while (tally.runs() != options.seeds && !complete) {
    Report report = run_with(tree.begin_run(), program, options);
    if (tree.has_diverged()) {
      throw NotDeterministic("simulation::explore: run " + std::to_string(tally.runs() + 1) +
                             " did not repeat the beginning of the one before; see "
                             "simulation::check_determinism");
    }
    findings.steps += report.steps;
    if (tree.was_cut()) {
      ++cut;
    } else {
      tally.add(report.hash);
      add_marks(findings.marks, report.marks);
      report.seed = tally.runs();
      findings.report = std::move(report);
      if (!findings.report.passed()) break;
    }
    complete = !tree.advance();
    if (tally.is_over()) break;
  }
  findings.coverage = tally.finish();
  findings.coverage.complete = complete;
  findings.coverage.cut = cut;
}

void search_here(ExploreOptions const& options, Program const& program, Tally& tally,
                 Findings& findings) {
  while (tally.runs() != options.seeds) {
    findings.report = run(options.first_seed + tally.runs(), options, program);
    findings.steps += findings.report.steps;
    tally.add(findings.report.hash);
    add_marks(findings.marks, findings.report.marks);
    if (!findings.report.passed() || tally.is_over()) break;
  }
  findings.coverage = tally.finish();
}

void search_in_processes(ExploreOptions const& options, Program const& program, Tally& tally,
                         Findings& findings) {
  ShardsResult const result = run_shards(options, program, tally);
  findings.coverage = tally.finish();
  findings.coverage.jobs = options.jobs;
  findings.steps = result.steps;
  if (!result.failed) return;
  std::uint64_t const seed = options.first_seed + *result.failed;
  if (result.crash.empty()) {
    findings.report = run(seed, options, program);
    if (!findings.report.passed()) return;
    findings.report.problem = "seed " + std::to_string(seed) +
                              " fails in one process and passes in another: something besides the "
                              "seed decides; see simulation::check_determinism";
    findings.report.outcome = Outcome::failed;
    return;
  }
  findings.report.outcome = Outcome::crashed;
  findings.report.seed = seed;
  findings.report.problem = result.crash;
  findings.report.strategy = make_chooser(seed, options)->name();
}

// 1: in this process.
unsigned jobs_of(ExploreOptions const& options, bool asked_by_environment) {
  unsigned const jobs = options.jobs == 0 ? default_worker_count() : options.jobs;
  if (jobs < 2 || options.seeds < 2 || enumerates(options.strategy)) return 1;
  unsigned const threads = count_threads();
  if (threads == 1) return static_cast<unsigned>(std::min<std::uint64_t>(jobs, options.seeds));
  if (asked_by_environment || options.jobs == 0) return 1;
  throw InvalidSimulation("simulation::ExploreOptions::jobs is " + std::to_string(jobs) +
                          ", and this process has " + std::to_string(threads) +
                          " threads; it can be copied only while it has one: end the others, or "
                          "set jobs to 1");
}

}  // namespace

Findings search(ExploreOptions options, Program const& program) {
  bool const environment = apply_environment(options);
  check_options(options);
  detail::require_no_worker("simulation::explore");
  options.jobs = jobs_of(options, environment);
  if (options.marks_required && options.jobs > 1) {
    throw InvalidSimulation(
        "simulation::ExploreOptions::marks_required needs jobs = 1, and jobs is " +
        std::to_string(options.jobs));
  }
  Findings findings;
  Tally tally(options);
  if (enumerates(options.strategy)) {
    search_tree(options, program, tally, findings);
  } else if (options.jobs == 1) {
    search_here(options, program, tally, findings);
  } else {
    search_in_processes(options, program, tally, findings);
  }
  findings.runs = tally.runs();
  return findings;
}

}  // namespace spawned::simulation
