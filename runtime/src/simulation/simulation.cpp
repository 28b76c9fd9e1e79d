#include <spawned/runtime/simulation.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "simulation/check_options.hpp"
#include "simulation/choosers.hpp"
#include "simulation/driver.hpp"
#include "simulation/heap_layout.hpp"

namespace spawned::simulation {

namespace {

Report run_with(std::unique_ptr<Chooser> chooser, Program const& program, Options const& options,
                std::vector<std::uint64_t>* hashes = nullptr) {
  detail::require_no_worker("simulation::run");
  Driver driver(options, std::move(chooser));
  driver.hashes = hashes;
  RuntimeOptions runtime_options;
  runtime_options.name = "simulated";
  runtime_options.detect_cycles = options.detect_cycles;
  auto runtime = std::make_unique<Runtime>(detail::Driven{&driver}, std::move(runtime_options));
  Report report = driver.run(program);
  // What does not end cannot be destroyed; its memory is given up (Outcome::stuck_end says so).
  if (driver.leaves_something()) (void)runtime.release();
  return report;
}

std::size_t interesting(std::vector<std::uint32_t> const& choices) {
  return choices.size() -
         static_cast<std::size_t>(std::count(choices.begin(), choices.end(), std::uint32_t{0}));
}

// Makes ever smaller parts of the choices boring, as long as the run fails in the same way.
Report shrink(Report failed, Program const& program, Options const& options) {
  constexpr int runs_most = 2000;
  int runs = 0;
  for (std::size_t part = failed.choices.size(); part != 0; part /= 2) {
    for (std::size_t begin = 0; begin < failed.choices.size() && runs < runs_most; begin += part) {
      std::vector<std::uint32_t> simpler = failed.choices;
      auto const first = simpler.begin() + static_cast<std::ptrdiff_t>(begin);
      auto const last =
          simpler.begin() + static_cast<std::ptrdiff_t>(std::min(begin + part, simpler.size()));
      if (std::all_of(first, last, [](std::uint32_t choice) { return choice == 0; })) continue;
      std::fill(first, last, std::uint32_t{0});
      ++runs;
      Report tried = replay(simpler, options, program);
      if (tried.outcome != failed.outcome) continue;
      if (interesting(tried.choices) >= interesting(failed.choices)) continue;
      failed = std::move(tried);
    }
  }
  return failed;
}

}  // namespace

Report run(std::uint64_t seed, Options const& options, Program const& program) {
  check_options(options);
  Report report = run_with(make_chooser(seed, options), program, options);
  report.seed = seed;
  return report;
}

Report replay(std::vector<std::uint32_t> const& choices, Options const& options,
              Program const& program) {
  check_options(options);
  return run_with(std::make_unique<GivenChooser>(choices), program, options);
}

Findings explore(ExploreOptions const& options, Program const& program) {
  check_options(options);
  Findings findings;
  for (std::uint64_t seed = options.first_seed; findings.runs < options.seeds; ++seed) {
    findings.report = run(seed, options, program);
    ++findings.runs;
    findings.steps += findings.report.steps;
    if (findings.report.passed()) continue;
    Options traced = options;
    traced.trace = true;
    findings.shrunk = shrink(findings.report, program, options);
    findings.shrunk = replay(findings.shrunk.choices, traced, program);
    findings.shrunk.seed = seed;
    break;
  }
  return findings;
}

std::string Findings::to_string() const {
  if (passed()) return std::to_string(runs) + " runs passed";
  std::string text = std::string(simulation::to_string(report.outcome)) + " with seed " +
                     std::to_string(report.seed) + " (" + report.strategy + "), run " +
                     std::to_string(runs) + ": " + report.problem +
                     "\nThe simplest run found that does the same, " +
                     std::to_string(interesting(shrunk.choices)) + " of " +
                     std::to_string(shrunk.choices.size()) + " choices are not the boring one:";
  for (std::string const& line : shrunk.story()) text += "\n  " + line;
  text += "\nTo repeat it: spawned::simulation::replay({";
  std::size_t size = shrunk.choices.size();
  while (size != 0 && shrunk.choices[size - 1] == 0) --size;
  for (std::size_t i = 0; i < size; ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shrunk.choices[i]);
  }
  return text + "}, program)";
}

void check_determinism(std::uint64_t seed, Options const& options, Program const& program) {
  check_options(options);
  std::vector<std::uint64_t> first;
  std::vector<std::uint64_t> second;
  Options traced = options;
  traced.trace = true;
  auto run_under = [&](AddressOrder order, std::vector<std::uint64_t>& hashes) {
    HeapLayout const layout(order);
    return run_with(make_chooser(seed, traced), program, traced, &hashes);
  };
  Report const one = run_under(AddressOrder::ascending, first);
  Report const other = run_under(AddressOrder::descending, second);
  if (one.hash == other.hash && one.outcome == other.outcome) return;
  auto const differ = std::mismatch(first.begin(), first.end(), second.begin(), second.end());
  auto const at = static_cast<std::uint64_t>(differ.first - first.begin()) + 1;
  auto lines = [at](Report const& report) {
    std::string text;
    std::vector<std::string> const story = report.story();
    for (std::size_t i = 0; i < story.size(); ++i) {
      if (report.events[i].step == at) text += "\n  " + story[i];
    }
    return text.empty() ? std::string("\n  (no such step)") : text;
  };
  throw NotDeterministic("seed " + std::to_string(seed) + ": step " + std::to_string(at) +
                         " is once" + lines(one) + "\nand once" + lines(other));
}

}  // namespace spawned::simulation
