#include <spawned/runtime/simulation.hpp>

#include <algorithm>
#include <utility>

#include "simulation/driver.hpp"
#include "simulation/heap_layout.hpp"

namespace spawned::simulation {

namespace {

void check(Options const& options) {
  if (!(options.clock_share >= 0 && options.clock_share <= 1)) {
    throw InvalidSimulation("simulation::Options::clock_share is " +
                            std::to_string(options.clock_share) + "; allowed: 0 to 1");
  }
  if (options.steps_max == 0) {
    throw InvalidSimulation("simulation::Options::steps_max is 0; allowed: 1 and more");
  }
}

Report run_from(Choices choices, Program const& program, Options const& options,
                std::vector<std::uint64_t>* hashes = nullptr) {
  check(options);
  Driver driver(options, std::move(choices));
  driver.hashes = hashes;
  return driver.run(program);
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
      Report tried = run_from(Choices(std::move(simpler)), program, options);
      if (tried.outcome != failed.outcome) continue;
      if (interesting(tried.choices) >= interesting(failed.choices)) continue;
      failed = std::move(tried);
    }
  }
  return failed;
}

}  // namespace

char const* to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::passed:
      return "passed";
    case Outcome::failed:
      return "failed";
    case Outcome::deadlock:
      return "deadlock";
    case Outcome::step_limit:
      return "step limit";
    case Outcome::stuck_end:
      return "stuck at the end";
    case Outcome::real_world:
      return "a call of the real world";
  }
  return "?";
}

Report run(std::uint64_t seed, Program const& program, Options const& options) {
  Report report = run_from(Choices(seed), program, options);
  report.seed = seed;
  return report;
}

Report replay(std::vector<std::uint32_t> const& choices, Program const& program,
              Options const& options) {
  return run_from(Choices(choices), program, options);
}

Findings explore(std::uint64_t seeds, Program const& program, Options const& options,
                 std::uint64_t first) {
  Findings findings;
  for (std::uint64_t seed = first; findings.seeds < seeds; ++seed) {
    Options of_seed = options;
    of_seed.clock_share =
        options.clock_share * static_cast<double>(seed % 8) / 4;  // 0 to 1.75 of it
    of_seed.clock_share = std::min(of_seed.clock_share, 1.0);
    findings.report = run_from(Choices(seed), program, of_seed);
    findings.report.seed = seed;
    ++findings.seeds;
    findings.steps += findings.report.steps;
    if (findings.report.passed()) continue;
    Options with_story = options;
    with_story.story = true;
    findings.shrunk = shrink(findings.report, program, options);
    findings.shrunk = replay(findings.shrunk.choices, program, with_story);
    findings.shrunk.seed = seed;
    break;
  }
  return findings;
}

std::string Findings::to_string() const {
  if (passed()) return std::to_string(seeds) + " seeds passed";
  std::string text = std::string(simulation::to_string(report.outcome)) + " with seed " +
                     std::to_string(report.seed) + ", the " + std::to_string(seeds) +
                     ". tried: " + report.problem +
                     "\nThe simplest run found that does the same, " +
                     std::to_string(interesting(shrunk.choices)) + " of " +
                     std::to_string(shrunk.choices.size()) + " choices are not the boring one:";
  for (std::string const& line : shrunk.story) text += "\n  " + line;
  text += "\nTo repeat it: spawned::simulation::replay({";
  std::size_t size = shrunk.choices.size();
  while (size != 0 && shrunk.choices[size - 1] == 0) --size;
  for (std::size_t i = 0; i < size; ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shrunk.choices[i]);
  }
  return text + "}, program)";
}

void check_determinism(std::uint64_t seed, Program const& program, Options const& options) {
  std::vector<std::uint64_t> first;
  std::vector<std::uint64_t> second;
  Options with_story = options;
  with_story.story = true;
  auto run_under = [&](AddressOrder order, std::vector<std::uint64_t>& hashes) {
    HeapLayout const layout(order);
    return run_from(Choices(seed), program, with_story, &hashes);
  };
  Report const one = run_under(AddressOrder::ascending, first);
  Report const other = run_under(AddressOrder::descending, second);
  if (one.hash == other.hash && one.outcome == other.outcome) return;
  auto const differ = std::mismatch(first.begin(), first.end(), second.begin(), second.end());
  auto const at = static_cast<std::size_t>(differ.first - first.begin());
  auto line = [at](Report const& report) {
    return at < report.story.size() ? report.story[at] : std::string("(no such step)");
  };
  throw NotDeterministic("seed " + std::to_string(seed) + ": step " + std::to_string(at + 1) +
                         " is once \"" + line(one) + "\" and once \"" + line(other) + "\"");
}

}  // namespace spawned::simulation
