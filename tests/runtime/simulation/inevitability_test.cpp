#include <spawned/runtime/simulation/inevitability.hpp>

#include <stdexcept>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/spawn.hpp>

namespace sim = spawned::simulation;
using spawned::Task;

namespace {

Task<void> append(std::string& text, char letter) {
  text += letter;
  co_await spawned::yield_now();
  text += letter;
}

// What is decided by who runs first of three; the rest does not matter.
Task<void> first_decides() {
  std::string text;
  auto a = spawned::spawn(append(text, 'a'));
  auto b = spawned::spawn(append(text, 'b'));
  auto c = spawned::spawn(append(text, 'c'));
  (void)co_await a;
  (void)co_await b;
  (void)co_await c;
  if (text[0] == 'b') throw std::runtime_error("b was first");
}

sim::Report failure() {
  for (std::uint64_t seed = 1;; ++seed) {
    auto report = sim::run(seed, first_decides);
    if (!report.passed()) return report;
  }
}

Task<void> fail_after(int yields) {
  for (int i = 0; i < yields; ++i) {
    auto a = spawned::spawn([]() -> Task<void> { co_return; }());
    auto b = spawned::spawn([]() -> Task<void> { co_return; }());
    (void)co_await a;
    (void)co_await b;
  }
  throw std::runtime_error("in the end");
}

}  // namespace

TEST_SUITE("runtime/simulation/inevitability") {
  TEST_CASE("the choice that decides is the turn of the curve") {
    auto const report = failure();
    auto const curve = sim::inevitability(report, {}, first_decides, 300);
    REQUIRE(curve.points.size() == report.choices.size() + 1);
    CHECK(curve.points.front().kept == 0);
    CHECK(curve.points.front().probability > 0.15);
    CHECK(curve.points.front().probability < 0.55);
    REQUIRE(curve.turn == 1);
    CHECK(curve.points[1].probability == 1);
    CHECK(curve.points.back().probability == 1);
    CHECK(curve.step.find("task inevitability_test.cpp") != std::string::npos);
    std::string const text = curve.to_string();
    CHECK(text.find(" -> 1.00 at choice 1: (2) task") != std::string::npos);
  }

  TEST_CASE("a curve is the same each time") {
    auto const report = failure();
    auto const one = sim::inevitability(report, {}, first_decides, 50);
    auto const other = sim::inevitability(report, {}, first_decides, 50);
    CHECK(one.to_string() == other.to_string());
  }

  TEST_CASE("a failure that nothing decides has no turn") {
    auto const program = [] { return fail_after(2); };
    auto const curve = sim::inevitability(sim::run(1, program), {}, program, 20);
    CHECK(curve.turn == 0);
    CHECK(curve.to_string().starts_with("no choice made the failure more likely"));
  }

  TEST_CASE("a long run is looked at in steps, not at each choice") {
    auto const program = [] { return fail_after(200); };
    auto const report = sim::run(1, program);
    REQUIRE(report.choices.size() > 200);
    auto const curve = sim::inevitability(report, {}, program, 2);
    CHECK(curve.points.size() < 70);
    CHECK(curve.points.back().kept == report.choices.size());
  }

  TEST_CASE("a run that has passed has no curve, and no runs make none") {
    auto const program = []() -> Task<void> { co_return; };
    CHECK_THROWS_AS((void)sim::inevitability(sim::run(1, program), {}, program),
                    sim::InvalidSimulation);
    CHECK_THROWS_AS((void)sim::inevitability(failure(), {}, first_decides, 0),
                    sim::InvalidSimulation);
  }
}
