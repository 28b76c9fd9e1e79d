#include "simulation/shrink.hpp"

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/runtime/oneshot.hpp>
#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

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

Task<std::string> letters(int tasks, int times) {
  std::string text;
  std::vector<spawned::JoinHandle<void>> handles;
  for (int i = 0; i < tasks; ++i) {
    handles.push_back(spawned::spawn(append(text, static_cast<char>('a' + i), times)));
  }
  for (auto& handle : handles) (void)co_await handle;
  co_return text;
}

sim::Report first_failure(sim::Program const& program, sim::Options const& options = {}) {
  for (std::uint64_t seed = 1; seed < 5000; ++seed) {
    auto report = sim::run(seed, options, program);
    if (!report.passed()) return report;
  }
  throw std::logic_error("no seed fails");
}

// Fails if the first task runs three times before the others do once.
Task<void> overtake() {
  std::string const text = co_await letters(3, 4);
  if (text.starts_with("aaa")) throw std::runtime_error("overtaken");
}

}  // namespace

TEST_SUITE("runtime/simulation/shrink") {
  TEST_CASE("a failure that the boring run has, too, is shrunk to no choice in one run") {
    auto const always = []() -> Task<void> {
      (void)co_await letters(3, 3);
      throw std::runtime_error("always");
    };
    auto const failed = sim::run(4, always);
    REQUIRE(sim::interesting(failed.choices) > 3);
    auto const shrunk = sim::shrink(failed, {}, always);
    CHECK(sim::interesting(shrunk.report.choices) == 0);
    CHECK(shrunk.runs == 1);
  }

  TEST_CASE("what is left is needed: without any of it the run passes") {
    auto const failed = first_failure(overtake);
    auto const shrunk = sim::shrink(failed, {}, overtake);
    auto const& choices = shrunk.report.choices;
    CHECK(sim::interesting(choices) < sim::interesting(failed.choices));
    CHECK(sim::interesting(choices) <= 4);
    for (std::size_t i = 0; i < choices.size(); ++i) {
      if (choices[i] == 0) continue;
      auto without = choices;
      without[i] = 0;
      CHECK(sim::replay(without, overtake).passed());
    }
  }

  TEST_CASE("the shrunk run fails with the same kind of problem, numbers aside") {
    // Most runs fail in the one way, some in the other, which is not to be lost on the way.
    auto const two_ways = []() -> Task<void> {
      std::string const text = co_await letters(2, 3);
      if (text.starts_with("aaa")) throw std::runtime_error("rare " + text.substr(0, 0) + "17");
      throw std::runtime_error("frequent");
    };
    for (std::uint64_t seed = 1; seed < 200; ++seed) {
      auto const failed = sim::run(seed, two_ways);
      auto const shrunk = sim::shrink(failed, {}, two_ways);
      CHECK(shrunk.report.problem == failed.problem);
    }
    sim::Report one;
    one.outcome = sim::Outcome::failed;
    one.problem = "left: 90\nof 3";
    sim::Report other = one;
    other.problem = "left: 8\nof 5, and more";
    CHECK(sim::same_failure(one, other));
    other.problem = "right: 90";
    CHECK_FALSE(sim::same_failure(one, other));
    other.problem = one.problem;
    other.outcome = sim::Outcome::deadlock;
    CHECK_FALSE(sim::same_failure(one, other));
  }

  TEST_CASE("it keeps to its limits of runs and of time") {
    auto const failed = first_failure(overtake);
    sim::Options options;
    options.shrink_runs = 3;
    CHECK(sim::shrink(failed, options, overtake).runs == 3);
    options = {};
    options.shrink_time = 0s;
    auto const shrunk = sim::shrink(failed, options, overtake);
    CHECK(shrunk.runs == 0);
    CHECK(shrunk.report.hash == failed.hash);
  }

  TEST_CASE("a failure that does not repeat is NotDeterministic") {
    int runs = 0;
    auto const once = [&runs]() -> Task<void> {
      auto body = [](int run) -> Task<void> {
        co_await spawned::yield_now();
        if (run == 0) throw std::runtime_error("only once");
      };
      return body(runs++);
    };
    CHECK_THROWS_AS((void)sim::explore(once), sim::NotDeterministic);
  }
}
