#include <spawned/runtime/simulation/checks.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/simulation/test.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

#include "support/runtime.hpp"

namespace sim = spawned::simulation;
using namespace std::chrono_literals;
using spawned::Task;

namespace {

sim::Options idle() {
  sim::Options options;
  options.clock = sim::ClockMode::idle;
  return options;
}

Task<void> set_for_a_step(int& value, int to) {
  int const before = std::exchange(value, to);
  co_await spawned::yield_now();
  value = before;
}

// The value is 1 between two steps, and only there.
Task<void> always_zero() {
  int value = 0;
  auto const check = sim::always("the value is 0", [&value] { return value == 0; });
  auto child = spawned::spawn(set_for_a_step(value, 1));
  (void)co_await child;
}

Task<void> never_one() {
  int value = 0;
  auto const check = sim::never("the value is 1", [&value] { return value == 1; });
  auto child = spawned::spawn(set_for_a_step(value, 1));
  (void)co_await child;
}

Task<void> set_after(bool& value, std::chrono::seconds delay) {
  co_await spawned::sleep(delay);
  value = true;
}

Task<void> within_ten_seconds(std::chrono::seconds delay) {
  bool value = false;
  auto const check = sim::eventually("it is set", [&value] { return value; }, 10s);
  co_await set_after(value, delay);
}

Task<void> hot_for(std::chrono::seconds time) {
  sim::Monitor leader("there is a leader", 10s);
  leader.hot();
  co_await spawned::sleep(time);
  leader.cold();
}

Task<void> set_to_one(int& value) {
  value = 1;
  co_return;
}

// Two tasks that know nothing of each other: only a check sees which of them comes first.
Task<void> never_alone(bool first) {
  int one = 0;
  int other = 0;
  auto const check = sim::never(
      "one of them alone", [&] { return first ? one == 1 && other == 0 : one == 0 && other == 1; });
  auto setting = spawned::spawn(set_to_one(one));
  auto setting_other = spawned::spawn(set_to_one(other));
  (void)co_await setting;
  (void)co_await setting_other;
}

Task<void> marks_both() {
  sim::sometimes(true, "comes here");
  sim::sometimes(spawned::now().time_since_epoch() > 1h, "is late");
  co_return;
}

}  // namespace

TEST_SUITE("runtime/simulation/checks") {
  TEST_CASE("always and never are looked at after every step") {
    auto const one = sim::run(1, always_zero);
    CHECK(one.outcome == sim::Outcome::violated);
    CHECK(one.problem == "always \"the value is 0\" does not hold");
    auto const other = sim::run(1, never_one);
    CHECK(other.outcome == sim::Outcome::violated);
    CHECK(other.problem == "never \"the value is 1\" holds");
  }

  TEST_CASE("a check that has gone is not looked at any more") {
    int value = 0;
    auto const program = [&value]() -> Task<void> {
      return [](int& number) -> Task<void> {
        {
          auto const check = sim::always("0", [&number] { return number == 0; });
          co_await spawned::yield_now();
        }
        number = 1;
        co_await spawned::yield_now();
      }(value);
    };
    CHECK(sim::run(1, program).passed());
  }

  TEST_CASE("a check is looked at when it goes, within a step") {
    auto const report = sim::run(1, []() -> Task<void> {
      int value = 0;
      {
        auto const check = sim::always("0", [&value] { return value == 0; });
        value = 1;
      }
      value = 0;
      co_return;
    });
    CHECK(report.outcome == sim::Outcome::violated);
  }

  TEST_CASE("a check that is kept lasts to the end of the run") {
    auto const report = sim::run(1, []() -> Task<void> {
      sim::eventually("never comes", [] { return false; }).keep();
      co_return;
    });
    CHECK(report.problem == "eventually \"never comes\" has not held by the end");
  }

  TEST_CASE("eventually must hold in virtual time, or by the end") {
    CHECK(sim::run(1, idle(), [] { return within_ten_seconds(9s); }).passed());
    auto const late = sim::run(1, idle(), [] { return within_ten_seconds(11s); });
    CHECK(late.outcome == sim::Outcome::violated);
    CHECK(late.problem == "eventually \"it is set\" has not held within 10.000 s");
  }

  TEST_CASE("a monitor may not stay hot for too long, nor at the end") {
    CHECK(sim::run(1, idle(), [] { return hot_for(10s); }).passed());
    auto const late = sim::run(1, idle(), [] { return hot_for(11s); });
    CHECK(late.outcome == sim::Outcome::violated);
    CHECK(late.problem == "Monitor \"there is a leader\" has been hot for more than 10.000 s");
    auto const ended = sim::run(1, []() -> Task<void> {
      sim::Monitor monitor("balanced");
      monitor.hot();
      co_return;
    });
    CHECK(ended.problem == "Monitor \"balanced\" is hot at the end");
  }

  TEST_CASE("an exception is the problem, and not the checks that go with it") {
    auto const report = sim::run(1, []() -> Task<void> {
      auto const check = sim::eventually("never comes", [] { return false; });
      co_await spawned::yield_now();
      throw std::runtime_error("no luck");
    });
    CHECK(report.outcome == sim::Outcome::failed);
    CHECK(report.problem == "no luck");
  }

  TEST_CASE("a predicate that throws does not hold") {
    auto const report = sim::run(1, []() -> Task<void> {
      auto const check =
          sim::always("it can be told", []() -> bool { throw std::runtime_error("broken"); });
      co_await spawned::yield_now();
    });
    CHECK(report.problem == "always \"it can be told\" does not hold; its predicate threw: broken");
  }

  TEST_CASE("a violation is found by explore, and repeated by replay") {
    auto const findings = sim::explore(always_zero);
    CHECK(findings.report.outcome == sim::Outcome::violated);
    CHECK(sim::replay(findings.shrunk.choices, always_zero).hash == findings.shrunk.hash);
  }

  TEST_CASE("marks are summed over the runs, and one that is never hit is reported") {
    sim::ExploreOptions options;
    options.seeds = 7;
    auto const findings = sim::explore(options, marks_both);
    REQUIRE(findings.marks.size() == 2);
    CHECK(findings.marks[0].hits == 7);
    CHECK(findings.marks[1].reached == 7);
    CHECK(findings.marks[1].hits == 0);
    CHECK(findings.passed());
    CHECK(findings.to_string() == "7 runs passed, but none hit the mark \"is late\"");
    options.marks_required = true;
    CHECK_FALSE(sim::explore(options, marks_both).passed());
  }

  TEST_CASE("a search that leaves out runs alike leaves out none that a check tells apart") {
    sim::ExploreOptions options;
    options.strategy = sim::Strategy::reduced;
    for (bool const first : {true, false}) {
      auto const program = [first] { return never_alone(first); };
      CHECK(sim::explore(options, program).report.outcome == sim::Outcome::violated);
    }
  }

  TEST_CASE("remarks are lines of the story") {
    sim::Options options;
    options.trace = true;
    auto const report = sim::run(1, options, []() -> Task<void> {
      CHECK(sim::active());
      sim::remark("half way");
      co_return;
    });
    bool found = false;
    for (std::string const& line : report.story())
      found |= line.find("half way") != std::string::npos;
    CHECK(found);
    CHECK_FALSE(sim::active());
  }

  TEST_CASE("on a real runtime checks are looked at when they are made and when they go") {
    test::LogCapture const log;
    auto const passing = sim::run_for_real([] { return within_ten_seconds(9s); });
    CHECK(passing.passed());
    CHECK(sim::run_for_real(always_zero).passed());  // nobody looks in between
    auto const failing = sim::run_for_real([]() -> Task<void> {
      auto const check = sim::always("false", [] { return false; });
      co_return;
    });
    CHECK(failing.report.outcome == sim::Outcome::violated);
    CHECK(failing.report.problem == "always \"false\" does not hold (on a real runtime)");
    auto const hot = sim::run_for_real([]() -> Task<void> {
      sim::Monitor monitor("balanced");
      monitor.hot();
      co_return;
    });
    CHECK(hot.report.outcome == sim::Outcome::violated);
    CHECK(sim::run_for_real(marks_both).missed() == std::vector<std::string>{"is late"});
    auto const skipped = sim::run_for_real([]() -> Task<void> {
      auto const check =
          sim::always("looks into others", []() -> bool { throw sim::OnlySimulated("no"); });
      co_return;
    });
    CHECK(skipped.passed());
  }

  TEST_CASE("on a real runtime what leaves the program fails it") {
    auto const findings = sim::run_for_real([]() -> Task<void> {
      co_await spawned::sleep(24h);  // virtual there, too
      throw std::runtime_error("no luck");
    });
    CHECK(findings.report.outcome == sim::Outcome::failed);
    CHECK(findings.to_string() == "failed: no luck (on a real runtime)");
  }
}
