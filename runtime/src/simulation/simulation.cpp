#include <spawned/runtime/simulation.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "simulation/check_options.hpp"
#include "simulation/choosers.hpp"
#include "simulation/driver.hpp"
#include "simulation/findings.hpp"
#include "simulation/heap_layout.hpp"
#include "simulation/replay.hpp"
#include "simulation/running.hpp"
#include "simulation/search.hpp"
#include "simulation/told.hpp"

namespace spawned::simulation {

namespace {

// What does not end cannot be destroyed; its memory is given up (Outcome::stuck_end says so). Kept
// where a leak checker sees that it is not forgotten.
void give_up(std::unique_ptr<Runtime> runtime) {
  static std::mutex mutex;
  static auto& given_up = *new std::vector<std::unique_ptr<Runtime>>();
  std::scoped_lock const lock(mutex);
  given_up.push_back(std::move(runtime));
}

}  // namespace

namespace {

// False: the runtime lives on.
bool run_once(std::unique_ptr<Chooser> chooser, Program const& program, Options const& options,
              std::vector<std::uint64_t>* hashes, MemoryWatch* memory, Report& report) {
  Driver driver(options, std::move(chooser));
  driver.hashes = hashes;
  driver.memory = memory;
  RuntimeOptions runtime_options;
  runtime_options.name = "simulated";
  runtime_options.detect_cycles = options.detect_cycles;
  auto runtime = std::make_unique<Runtime>(detail::Driven{&driver}, std::move(runtime_options));
  report = driver.run(program);
  if (!driver.leaves_something()) return true;
  give_up(std::move(runtime));
  return false;
}

}  // namespace

Report run_with(std::unique_ptr<Chooser> chooser, Program const& program, Options const& options,
                std::vector<std::uint64_t>* hashes) {
  detail::require_no_worker("simulation::run");
  Report report;
  std::optional<MemoryWatch> memory;
  if (options.memory_is_failure) memory.emplace();
  bool const gone =
      run_once(std::move(chooser), program, options, hashes, memory ? &*memory : nullptr, report);
  if (!memory || !gone || !report.passed()) return report;
  report.problem = memory->problem(report);
  if (!report.problem.empty()) report.outcome = Outcome::leak;
  return report;
}

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
  if (auto asked = run_asked_for(options, program)) return *std::move(asked);
  Findings findings = search(options, program);
  findings.marks_required = options.marks_required;
  if (findings.report.passed()) return findings;
  if (findings.report.outcome == Outcome::crashed) {
    findings.shrunk = findings.report;
  } else {
    investigate(findings, options, program);
  }
  return findings;
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
    for (Told const& told : tell(report)) {
      if (told.step == at) text += "\n  " + sentence(report, told);
    }
    return text.empty() ? std::string("\n  (no such step)") : text;
  };
  throw NotDeterministic("seed " + std::to_string(seed) + ": step " + std::to_string(at) +
                         " is once" + lines(one) + "\nand once" + lines(other));
}

}  // namespace spawned::simulation
