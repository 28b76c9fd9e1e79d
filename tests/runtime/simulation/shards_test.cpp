// Seeds in several processes.
#include "simulation/shards.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/spawn.hpp>

namespace sim = spawned::simulation;
using spawned::Task;

namespace {

Task<void> add_one(int& account) {
  int const before = account;
  for (int i = 0; i < 4; ++i) co_await spawned::yield_now();
  account = before + 1;
}

// Rarely goes right.
Task<int> two_additions() {
  int account = 0;
  auto first = spawned::spawn(add_one(account));
  auto second = spawned::spawn(add_one(account));
  (void)co_await first;
  (void)co_await second;
  co_return account;
}

Task<void> fail_if_nothing_is_lost() {
  auto additions = two_additions();
  int const account = co_await std::move(additions);
  if (account == 2) throw std::runtime_error("nothing is lost");
}

Task<void> die_if_nothing_is_lost() {
  auto additions = two_additions();
  int const account = co_await std::move(additions);
  if (account == 2) std::raise(SIGKILL);
}

Task<void> exit_if_nothing_is_lost() {
  auto additions = two_additions();
  int const account = co_await std::move(additions);
  if (account == 2) std::exit(3);
}

Task<void> pass() {
  auto additions = two_additions();
  (void)co_await std::move(additions);
}

int leaks = 0;  // what a run leaves in a static

Task<void> leave_something() {
  co_await spawned::yield_now();
  ++leaks;
}

sim::ExploreOptions in_processes(unsigned jobs, std::uint64_t seeds = 1000) {
  sim::ExploreOptions options;
  options.jobs = jobs;
  options.seeds = seeds;
  options.strategy = sim::Strategy::random;
  return options;
}

// The thread sanitizer has a thread of its own, so processes cannot be made.
bool can_fork() { return sim::count_threads() == 1; }

}  // namespace

TEST_SUITE("runtime/simulation/shards") {
  TEST_CASE("processes find the same first failure as one alone, and cover the same") {
    if (!can_fork()) return;
    auto const alone = sim::explore(in_processes(1), fail_if_nothing_is_lost);
    REQUIRE_FALSE(alone.passed());
    for (unsigned const jobs : {2U, 3U, 7U}) {
      auto const findings = sim::explore(in_processes(jobs), fail_if_nothing_is_lost);
      CHECK(findings.report.seed == alone.report.seed);
      CHECK(findings.report.hash == alone.report.hash);
      CHECK(findings.report.problem == "nothing is lost");
      CHECK(findings.coverage.jobs == jobs);
      CHECK_FALSE(findings.shrunk.passed());
    }
    auto const all = sim::explore(in_processes(1, 500), pass);
    auto const shared = sim::explore(in_processes(3, 500), pass);
    CHECK(shared.passed());
    CHECK(shared.runs == 500);
    CHECK(shared.steps == all.steps);
    CHECK(shared.coverage.distinct == all.coverage.distinct);
  }

  TEST_CASE("a run that kills its process is a finding: seed and signal") {
    if (!can_fork()) return;
    auto const alone = sim::explore(in_processes(1), fail_if_nothing_is_lost);
    auto const findings = sim::explore(in_processes(3), die_if_nothing_is_lost);
    CHECK(findings.report.outcome == sim::Outcome::crashed);
    CHECK(findings.report.seed == alone.report.seed);
    CHECK(findings.report.problem.find("killed by signal 9") != std::string::npos);
    std::string const text = findings.to_string();
    CHECK(text.find("SPAWNED_SIM_SEED=" + std::to_string(alone.report.seed)) != std::string::npos);
  }

  TEST_CASE("so is a run that exits") {
    if (!can_fork()) return;
    auto const findings = sim::explore(in_processes(2), exit_if_nothing_is_lost);
    CHECK(findings.report.outcome == sim::Outcome::crashed);
    CHECK(findings.report.problem.find("exited with status 3") != std::string::npos);
  }

  TEST_CASE("what a run leaves in statics stays in its process") {
    if (!can_fork()) return;
    leaks = 0;
    CHECK(sim::explore(in_processes(2, 50), leave_something).passed());
    CHECK(leaks == 0);
    CHECK(sim::explore(in_processes(1, 50), leave_something).passed());
    CHECK(leaks == 50);
  }

  TEST_CASE("processes end when the time is up") {
    if (!can_fork()) return;
    auto options = in_processes(2, ~std::uint64_t{0});
    options.time_budget = std::chrono::milliseconds(100);
    auto const findings = sim::explore(options, pass);
    CHECK(findings.passed());
    CHECK(findings.runs > 0);
  }

  TEST_CASE("a process with other threads cannot be copied, and says how many it has") {
    std::atomic<bool> over{false};
    std::thread other([&over] { over.wait(false); });
    std::string problem;
    try {
      (void)sim::explore(in_processes(2), pass);
    } catch (sim::InvalidSimulation const& error) {
      problem = error.what();
    }
    CHECK(problem.starts_with("simulation::ExploreOptions::jobs is 2, and this process has "));
    // Where the environment asks for it, one process does.
    setenv("SPAWNED_SIM_JOBS", "2", 1);
    auto const findings = sim::explore(in_processes(1, 10), pass);
    unsetenv("SPAWNED_SIM_JOBS");
    CHECK(findings.runs == 10);
    CHECK(findings.coverage.jobs == 1);
    over = true;
    over.notify_all();
    other.join();
  }
}
