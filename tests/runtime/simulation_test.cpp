#include <spawned/runtime/simulation.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/channel.hpp>
#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/oneshot.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

namespace sim = spawned::simulation;
using namespace std::chrono_literals;
using spawned::Task;

namespace {

Task<void> append(std::string& text, char letter) {
  text += letter;
  co_await spawned::yield_now();
  text += letter;
}

// Two tasks, two letters each.
Task<void> interleave(std::string& text) {
  auto a = spawned::spawn(append(text, 'a'));
  auto b = spawned::spawn(append(text, 'b'));
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

Task<int> answer_after_yields(int yields) {
  for (int i = 0; i < yields; ++i) co_await spawned::yield_now();
  co_return 1;
}

// The work takes no virtual time at all, so a time limit never strikes unless time moves meanwhile.
Task<void> fail_when_a_limit_strikes() {
  auto answer = co_await spawned::timeout(5s, answer_after_yields(3));
  if (!answer.has_value()) throw std::runtime_error("the limit has struck");
}

Task<void> wait_for_ever() {
  auto [sender, receiver] = spawned::oneshot<int>();
  auto never = co_await receiver;
  (void)never;
  (void)sender;
}

Task<void> spin() {
  for (;;) co_await spawned::yield_now();
}

}  // namespace

namespace {
sim::ExploreOptions seeds(std::uint64_t count, sim::Options const& options = {}) {
  sim::ExploreOptions result;
  static_cast<sim::Options&>(result) = options;
  result.seeds = count;
  return result;
}
}  // namespace

TEST_SUITE("runtime/simulation") {
  TEST_CASE("equal seeds are equal runs") {
    std::string text;
    auto const program = [&text] { return interleave(text); };
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      text.clear();
      auto const one = sim::run(seed, program);
      std::string const first = std::exchange(text, {});
      auto const other = sim::run(seed, program);
      CHECK(one.passed());
      CHECK(text == first);
      CHECK(one.hash == other.hash);
      CHECK(one.choices == other.choices);
      CHECK(one.steps == other.steps);
    }
  }

  TEST_CASE("different seeds reach every order of two tasks") {
    std::set<std::string> seen;
    std::string text;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      text.clear();
      CHECK(sim::run(seed, [&text] { return interleave(text); }).passed());
      seen.insert(text);
    }
    CHECK(seen == std::set<std::string>{"aabb", "abab", "abba", "baab", "baba", "bbaa"});
  }

  TEST_CASE("virtual time moves to the next timer and is right") {
    auto const program = []() -> Task<void> {
      auto const begin = spawned::now();
      co_await spawned::sleep(24h);
      if (spawned::now() - begin != 24h) throw std::runtime_error("not a day");
    };
    auto const report = sim::run(1, program);
    CHECK(report.problem.empty());
    CHECK(report.time == 24h);
  }

  TEST_CASE("an exception that leaves the program is the problem of the report") {
    auto const report = sim::run(1, []() -> Task<void> {
      co_await spawned::yield_now();
      throw std::runtime_error("no luck");
    });
    CHECK(report.outcome == sim::Outcome::failed);
    CHECK(report.problem == "no luck");
  }

  TEST_CASE("a deadlock is found and says what waits") {
    auto const report = sim::run(1, wait_for_ever);
    CHECK(report.outcome == sim::Outcome::deadlock);
    CHECK(report.problem.find("task spawned at") != std::string::npos);
  }

  TEST_CASE("a program without an end runs into the limit of steps") {
    sim::Options options;
    options.steps_max = 1000;
    auto const report = sim::run(1, options, spin);
    CHECK(report.outcome == sim::Outcome::step_limit);
    CHECK(report.steps == 1000);
  }

  TEST_CASE("what the program leaves behind is cancelled") {
    bool cancelled = false;
    auto const program = [&cancelled]() -> Task<void> {
      auto sleeper = [](bool& flag) -> Task<void> {
        try {
          co_await spawned::sleep(1h);
        } catch (spawned::Cancelled const&) {
          flag = true;
          throw;
        }
      };
      auto ignored = spawned::spawn(sleeper(cancelled));
      co_await spawned::yield_now();
      co_await spawned::yield_now();
      (void)ignored;
    };
    sim::Options options;
    options.clock = sim::ClockMode::idle;
    CHECK(sim::replay({}, options, program).passed());
    CHECK(cancelled);
  }

  TEST_CASE("explore finds a lost update, shrinks it, and the replay fails alike") {
    auto const findings = sim::explore(seeds(1000), lose_an_update);
    CHECK(findings.report.outcome == sim::Outcome::failed);
    CHECK(findings.runs < 100);
    CHECK(findings.shrunk.problem == "the account holds 1");
    CHECK(findings.to_string().find("SPAWNED_SIM_REPLAY=") != std::string::npos);
    auto const again = sim::replay(findings.shrunk.choices, lose_an_update);
    CHECK(again.outcome == sim::Outcome::failed);
    CHECK(again.hash == findings.shrunk.hash);
  }

  TEST_CASE("a time limit strikes only under the adversarial clock") {
    sim::Options options;
    options.clock = sim::ClockMode::idle;
    CHECK(sim::explore(seeds(500, options), fail_when_a_limit_strikes).passed());
    options.clock = sim::ClockMode::adversarial;
    CHECK_FALSE(sim::explore(seeds(500, options), fail_when_a_limit_strikes).passed());
  }

  TEST_CASE("check_determinism names the first step that differs") {
    CHECK_NOTHROW(sim::check_determinism(1, lose_an_update));
    int runs = 0;
    auto const program = [&runs]() -> Task<void> {
      auto twice = [](int yields) -> Task<void> {
        for (int i = 0; i < yields; ++i) co_await spawned::yield_now();
      };
      return twice(runs++);
    };
    CHECK_THROWS_AS(sim::check_determinism(1, program), sim::NotDeterministic);
  }

  TEST_CASE("options out of range are refused") {
    sim::Options options;
    options.clock_share = 1.5;
    CHECK_THROWS_AS((void)sim::run(1, options, spin), sim::InvalidSimulation);
    options = {};
    options.steps_max = 0;
    CHECK_THROWS_AS((void)sim::run(1, options, spin), sim::InvalidSimulation);
  }

  TEST_CASE("a worker cannot simulate") {
    auto const program = []() -> Task<void> {
      CHECK_THROWS_AS((void)sim::run(1, spin), spawned::BlockingInWorker);
      co_return;
    };
    spawned::run(program());
  }
}
