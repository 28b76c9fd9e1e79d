// How explore() searches: budgets, strategies with seeds, coverage, the environment.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

#include "simulation/choosers.hpp"
#include "simulation/environment.hpp"
#include "simulation/progress.hpp"

namespace sim = spawned::simulation;
using namespace std::chrono_literals;
using spawned::Task;

namespace {

Task<void> append(std::string& text, char letter, int times) {
  for (int i = 0; i < times; ++i) {
    text += letter;
    co_await spawned::yield_now();
  }
}

// Two tasks, two letters each: six orders.
Task<void> interleave(std::string& text) {
  text.clear();
  auto a = spawned::spawn(append(text, 'a', 2));
  auto b = spawned::spawn(append(text, 'b', 2));
  (void)co_await a;
  (void)co_await b;
}

Task<void> add_one(int& account) {
  int const before = account;
  co_await spawned::yield_now();
  account = before + 1;
}

// An update is lost when both read before one writes.
Task<void> lose_an_update() {
  int account = 0;
  auto first = spawned::spawn(add_one(account));
  auto second = spawned::spawn(add_one(account));
  (void)co_await first;
  (void)co_await second;
  if (account != 2) throw std::runtime_error("the account holds " + std::to_string(account));
}

Task<void> pass() { co_await spawned::yield_now(); }

Task<void> spin(int yields) {
  for (int i = 0; yields < 0 || i < yields; ++i) co_await spawned::yield_now();
}

Task<void> spin_for_ever() {
  auto busy = spawned::spawn(spin(-1));
  (void)co_await busy;
}

// Sleeps 5 s at most while the other computes: with an idle clock the other always wins.
Task<void> lose_against_the_clock() {
  bool in_time = false;
  auto compute = [](bool& done) -> Task<void> {
    co_await spin(5);
    done = true;
  };
  auto work = spawned::spawn(compute(in_time));
  co_await spawned::sleep(5s);
  bool const was_in_time = in_time;
  (void)co_await work;
  if (!was_in_time) throw std::runtime_error("too late");
}

// Polls what another task does: who starves the other never ends.
Task<void> poll_for_it() {
  bool done = false;
  auto set = [](bool& flag) -> Task<void> {
    flag = true;
    co_return;
  };
  auto setter = spawned::spawn(set(done));
  while (!done) co_await spawned::yield_now();
  (void)co_await setter;
}

sim::ExploreOptions with(sim::Strategy strategy, std::uint64_t count = 1000) {
  sim::ExploreOptions options;
  options.strategy = strategy;
  options.seeds = count;
  return options;
}

class Variable {
 public:
  Variable(char const* name, char const* value) : name_(name) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name_); }
  Variable(Variable const&) = delete;
  Variable& operator=(Variable const&) = delete;

 private:
  char const* name_;
};

std::string refused(sim::ExploreOptions const& options) {
  try {
    (void)sim::explore(options, pass);
  } catch (sim::InvalidSimulation const& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_SUITE("runtime/simulation/search") {
  TEST_CASE("every strategy with seeds finds a lost update, and its seed alone repeats it") {
    for (auto const strategy :
         {sim::Strategy::portfolio, sim::Strategy::random, sim::Strategy::pct}) {
      auto const options = with(strategy);
      auto const findings = sim::explore(options, lose_an_update);
      CHECK(findings.report.outcome == sim::Outcome::failed);
      CHECK(findings.runs < 100);
      auto const again = sim::run(findings.report.seed, options, lose_an_update);
      CHECK(again.hash == findings.report.hash);
      CHECK(again.problem == findings.report.problem);
      CHECK(again.strategy == findings.report.strategy);
    }
  }

  TEST_CASE("the portfolio is 30 % random walk, 50 % PCT 2 or 3, 20 % a hurried clock") {
    constexpr int seeds = 10'000;
    int pct2 = 0;
    int pct3 = 0;
    int hurried = 0;
    std::set<std::string> names;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      std::string const name = sim::make_chooser(seed, sim::Options())->name();
      names.insert(name);
      pct2 += name.starts_with("pct 2, ") ? 1 : 0;
      pct3 += name.starts_with("pct 3, ") ? 1 : 0;
      std::string const clock = "random, clock ";
      hurried += name.starts_with(clock) && std::stod(name.substr(clock.size())) >= 0.3 ? 1 : 0;
    }
    CHECK(pct2 + pct3 == doctest::Approx(seeds * 0.5).epsilon(0.05));
    CHECK(pct2 == doctest::Approx(pct3).epsilon(0.1));
    CHECK(hurried == doctest::Approx(seeds * 0.2).epsilon(0.1));
    CHECK(names.size() > 50);
  }

  TEST_CASE("PCT reaches every order of two tasks, and its name says the depth") {
    std::set<std::string> seen;
    std::string text;
    auto options = with(sim::Strategy::pct);
    options.depth = 3;
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
      auto const report = sim::run(seed, options, [&text] { return interleave(text); });
      CHECK(report.passed());
      CHECK(report.strategy.starts_with("pct 3, length "));
      seen.insert(text);
    }
    CHECK(seen == std::set<std::string>{"aabb", "abab", "abba", "baab", "baba", "bbaa"});
  }

  TEST_CASE("PCT of depth 1 has no changes: who is preferred stays it") {
    std::set<std::string> seen;
    std::string text;
    auto options = with(sim::Strategy::pct);
    options.depth = 1;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      CHECK(sim::run(seed, options, [&text] { return interleave(text); }).passed());
      seen.insert(text);
    }
    CHECK(seen == std::set<std::string>{"aabb", "bbaa"});
  }

  TEST_CASE("the clock has a priority of its own, unless it is idle") {
    auto options = with(sim::Strategy::pct, 100);
    CHECK_FALSE(sim::explore(options, lose_against_the_clock).passed());
    options.clock = sim::ClockMode::idle;
    CHECK(sim::explore(options, lose_against_the_clock).passed());
    options.clock = sim::ClockMode::adversarial;
    options.clock_share = 0;
    CHECK(sim::explore(options, lose_against_the_clock).passed());
  }

  TEST_CASE("PCT is fair in the long run: a task that polls does not starve what it waits for") {
    auto options = with(sim::Strategy::pct, 200);
    options.steps_max = 100'000;
    CHECK(sim::explore(options, poll_for_it).passed());
  }

  TEST_CASE("a run without an end says who ran most") {
    sim::Options options;
    options.steps_max = 3000;
    auto const report = sim::run(1, options, spin_for_ever);
    CHECK(report.outcome == sim::Outcome::step_limit);
    CHECK(report.problem.find("after 3000 steps; of the last 1024 steps:\n  1024: task spawned") !=
          std::string::npos);
  }

  TEST_CASE("coverage counts interleavings, and its curve ends in them") {
    std::string text;
    auto const program = [&text] { return interleave(text); };
    auto const findings = sim::explore(with(sim::Strategy::random, 1000), program);
    auto const& coverage = findings.coverage;
    CHECK(findings.runs == 1000);
    CHECK(coverage.distinct >= 6);
    CHECK(coverage.distinct < 100);
    CHECK_FALSE(coverage.complete);
    REQUIRE(coverage.curve.size() == 11);  // 1, 2, 4, ... 512, 1000
    CHECK(coverage.curve.front().runs == 1);
    CHECK(coverage.curve.front().distinct == 1);
    CHECK(coverage.curve.back().runs == 1000);
    CHECK(coverage.curve.back().distinct == coverage.distinct);
    for (std::size_t i = 1; i < coverage.curve.size(); ++i) {
      CHECK(coverage.curve[i].distinct >= coverage.curve[i - 1].distinct);
    }
  }

  TEST_CASE("a search ends when nothing new comes any more, if asked to") {
    std::string text;
    auto options = with(sim::Strategy::random, 1'000'000);
    options.saturated_after = 300;
    auto const findings = sim::explore(options, [&text] { return interleave(text); });
    CHECK(findings.passed());
    CHECK(findings.coverage.saturated);
    CHECK(findings.runs < 5000);
  }

  TEST_CASE("a search ends when its time is up") {
    auto options = with(sim::Strategy::portfolio, ~std::uint64_t{0});
    options.time_budget = 20ms;
    auto const findings = sim::explore(options, pass);
    CHECK(findings.passed());
    CHECK(findings.runs > 0);
    CHECK(findings.coverage.elapsed >= 20ms);
  }

  TEST_CASE("no seeds are no runs") {
    auto const findings = sim::explore(with(sim::Strategy::portfolio, 0), lose_an_update);
    CHECK(findings.passed());
    CHECK(findings.runs == 0);
  }

  TEST_CASE("exhaustive: every order once, and it says that it is complete") {
    std::set<std::string> seen;
    std::string text;
    auto const program = [&text, &seen]() -> Task<void> {
      if (!text.empty()) seen.insert(text);
      return interleave(text);
    };
    auto const findings = sim::explore(with(sim::Strategy::exhaustive), program);
    seen.insert(text);
    CHECK(findings.coverage.complete);
    CHECK(findings.coverage.distinct == findings.runs);
    CHECK(seen == std::set<std::string>{"aabb", "abab", "abba", "baab", "baba", "bbaa"});
  }

  TEST_CASE("the reduction leaves tasks alone, which may share anything") {
    std::string text;
    auto const program = [&text] { return interleave(text); };
    auto const all = sim::explore(with(sim::Strategy::exhaustive), program);
    auto const reduced = sim::explore(with(sim::Strategy::reduced), program);
    CHECK(reduced.coverage.complete);
    CHECK(reduced.runs == all.runs);
    CHECK_FALSE(sim::explore(with(sim::Strategy::reduced), lose_an_update).passed());
  }

  TEST_CASE("what enumerates finds a lost update, and the choices repeat it") {
    for (auto const strategy : {sim::Strategy::delay_bounded, sim::Strategy::exhaustive}) {
      auto options = with(strategy);
      options.depth = 1;
      auto const findings = sim::explore(options, lose_an_update);
      CHECK(findings.report.outcome == sim::Outcome::failed);
      auto const again = sim::replay(findings.report.choices, options, lose_an_update);
      CHECK(again.hash == findings.report.hash);
    }
  }

  TEST_CASE("moving time early is one delay") {
    auto options = with(sim::Strategy::delay_bounded);
    options.depth = 1;
    CHECK_FALSE(sim::explore(options, lose_against_the_clock).passed());
    options.clock = sim::ClockMode::idle;
    auto const findings = sim::explore(options, lose_against_the_clock);
    CHECK(findings.passed());
    CHECK(findings.coverage.complete);
  }

  TEST_CASE("an enumeration of a program that is not deterministic is refused") {
    int runs = 0;
    auto const program = [&runs]() -> Task<void> {
      auto several = [](int tasks) -> Task<void> {
        std::vector<spawned::JoinHandle<void>> handles;
        for (int i = 0; i < tasks; ++i) handles.push_back(spawned::spawn(spin(2)));
        for (auto& handle : handles) (void)co_await handle;
      };
      return several(2 + runs++ % 2);
    };
    CHECK_THROWS_AS((void)sim::explore(with(sim::Strategy::exhaustive), program),
                    sim::NotDeterministic);
  }

  TEST_CASE("strategies that enumerate have no seeds to run") {
    for (auto const strategy :
         {sim::Strategy::delay_bounded, sim::Strategy::exhaustive, sim::Strategy::reduced}) {
      CHECK_THROWS_AS((void)sim::run(1, with(strategy), pass), sim::InvalidSimulation);
    }
  }

  TEST_CASE("options out of range are refused by name") {
    auto options = with(sim::Strategy::portfolio);
    options.jobs = 257;
    CHECK(refused(options) == "simulation::ExploreOptions::jobs is 257; allowed: 0 to 256");
    options = {};
    options.time_budget = -1ns;
    CHECK(refused(options).starts_with("simulation::ExploreOptions::time_budget is -1 ns"));
    options = {};
    options.depth = 0;
    CHECK(refused(options).starts_with("simulation::Options::depth is 0"));
    options.depth = 101;
    CHECK(refused(options).starts_with("simulation::Options::depth is 101"));
    options = {};
    options.steps_max = 0;
    CHECK(refused(options).starts_with("simulation::Options::steps_max is 0"));
    for (double const share : {-0.1, 1.1, static_cast<double>(NAN)}) {
      options = {};
      options.clock_share = share;
      CHECK(refused(options).starts_with("simulation::Options::clock_share is "));
    }
  }

  TEST_CASE("the environment wins over the options") {
    sim::ExploreOptions options;
    Variable const seed("SPAWNED_SIM_SEED", "17");
    CHECK_FALSE(sim::apply_environment(options));
    CHECK(options.first_seed == 17);
    CHECK(options.seeds == 1);  // just this one
    Variable const seeds("SPAWNED_SIM_SEEDS", "250");
    Variable const strategy("SPAWNED_SIM_STRATEGY", "delay_bounded");
    Variable const jobs("SPAWNED_SIM_JOBS", "4");
    Variable const budget("SPAWNED_SIM_TIME_BUDGET", "1.5");
    CHECK(sim::apply_environment(options));
    CHECK(options.first_seed == 17);
    CHECK(options.seeds == 250);
    CHECK(options.strategy == sim::Strategy::delay_bounded);
    CHECK(options.jobs == 4);
    CHECK(options.time_budget == 1500ms);
  }

  TEST_CASE("the environment says which seed explore runs") {
    Variable const seed("SPAWNED_SIM_SEED", "42");
    auto const findings = sim::explore(pass);
    CHECK(findings.runs == 1);
    CHECK(findings.report.seed == 42);
  }

  TEST_CASE("a value that is none is refused, and the variable named") {
    struct Bad {
      char const* name;
      char const* value;
    };
    for (Bad const bad :
         {Bad{"SPAWNED_SIM_SEED", "abc"}, Bad{"SPAWNED_SIM_SEED", "-1"},
          Bad{"SPAWNED_SIM_SEED", "1x"}, Bad{"SPAWNED_SIM_SEEDS", "18446744073709551616"},
          Bad{"SPAWNED_SIM_STRATEGY", "pc"}, Bad{"SPAWNED_SIM_JOBS", "257"},
          Bad{"SPAWNED_SIM_TIME_BUDGET", "-1"}, Bad{"SPAWNED_SIM_TIME_BUDGET", "nan"}}) {
      Variable const variable(bad.name, bad.value);
      CHECK(refused({}).starts_with(std::string("the environment variable ") + bad.name + " is \"" +
                                    bad.value + "\"; allowed: "));
    }
  }

  TEST_CASE("progress says how fast it is and what is left") {
    CHECK(sim::progress_text(4000, 10'000, 3100, 2s, 0ns) ==
          "4000 of 10000 runs, 2000/s, 3100 interleavings, 3 s left");
    CHECK(sim::progress_text(4000, 10'000'000, 3100, 2s, 10s) ==
          "4000 of 10000000 runs, 2000/s, 3100 interleavings, 8 s left");
    CHECK(sim::progress_text(0, 10, 0, 0ns, 0ns) == "0 of 10 runs, 0/s, 0 interleavings");
  }
}
