#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/simulation/replay.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

#include "simulation/trace_text.hpp"

namespace sim = spawned::simulation;
using spawned::Task;

namespace {

using Choices = std::vector<std::uint32_t>;

Task<void> add_one(int& account) {
  int const before = account;
  co_await spawned::yield_now();
  account = before + 1;
}

Task<void> lose_an_update() {
  int account = 0;
  auto first = spawned::spawn(add_one(account));
  auto second = spawned::spawn(add_one(account));
  (void)co_await first;
  (void)co_await second;
  if (account != 2) throw std::runtime_error("the account holds " + std::to_string(account));
}

Task<void> many_steps() {
  for (int i = 0; i < 60; ++i) {
    int account = 0;
    auto first = spawned::spawn(add_one(account));
    auto second = spawned::spawn(add_one(account));
    (void)co_await first;
    (void)co_await second;
  }
}

Choices through_text(Choices const& choices) {
  sim::Trace trace;
  trace.build = "0123456789ab";
  trace.choices = choices;
  return sim::decode(sim::encode(trace)).choices;
}

sim::ExploreOptions named(std::string const& name) {
  sim::ExploreOptions options;
  options.name = name;
  return options;
}

class Variable {
 public:
  Variable(char const* name, std::string const& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { ::unsetenv(name_); }
  Variable(Variable const&) = delete;
  Variable& operator=(Variable const&) = delete;

 private:
  char const* name_;
};

class Directory {
 public:
  Directory() {
    char name[] = "/tmp/spawned-trace-XXXXXX";
    if (::mkdtemp(name) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(Directory const&) = delete;
  Directory& operator=(Directory const&) = delete;
  [[nodiscard]] std::string const& path() const { return path_; }

 private:
  std::string path_;
};

// The trace as another build would have written it.
std::string of_another_build(std::string const& text) {
  sim::Trace trace = sim::decode(text);
  trace.build = trace.build == "000000000000" ? "111111111111" : "000000000000";
  return sim::encode(trace);
}

}  // namespace

TEST_SUITE("runtime/simulation/trace") {
  TEST_CASE("any choices come back from their text, without the boring ones at the end") {
    CHECK(through_text({}) == Choices{});
    CHECK(through_text({1}) == Choices{1});
    CHECK(through_text({0, 0, 0}) == Choices{});
    CHECK(through_text({0, 3, 0, 0, 1, 0}) == Choices{0, 3, 0, 0, 1});
    CHECK(through_text({15, 16, 17, 0xffffffff}) == Choices{15, 16, 17, 0xffffffff});
    Choices far(10'000);
    far.push_back(2);
    CHECK(through_text(far) == far);
    CHECK(through_text(Choices(14)).empty());
    for (std::size_t zeros = 12; zeros < 20; ++zeros) {
      Choices some(zeros);
      some.push_back(1);
      CHECK(through_text(some) == some);
    }
  }

  TEST_CASE("the trace of a run replays it, hash and all") {
    for (std::uint64_t seed = 1; seed < 50; ++seed) {
      auto const report = sim::run(seed, lose_an_update);
      auto const again = sim::replay(report.trace(), lose_an_update);
      CHECK(again.outcome == report.outcome);
      CHECK(again.hash == report.hash);
    }
  }

  TEST_CASE("the trace of a shrunk run has 80 characters at most") {
    auto const findings = sim::explore(lose_an_update);
    REQUIRE_FALSE(findings.passed());
    CHECK(findings.trace == findings.shrunk.trace());
    CHECK(findings.trace.size() <= 80);
    // Forty choices that are not boring still fit.
    sim::Report report;
    report.choices = Choices(40, 3);
    CHECK(report.trace().size() <= 80);
  }

  TEST_CASE("the clock travels in the trace") {
    auto const sleep_and_yield = []() -> Task<void> {
      auto sleeper = spawned::spawn(
          []() -> Task<void> { co_await spawned::sleep(std::chrono::seconds(1)); }());
      for (int i = 0; i < 5; ++i) co_await spawned::yield_now();
      (void)co_await sleeper;
    };
    sim::Options idle;
    idle.clock = sim::ClockMode::idle;
    auto const report = sim::run(3, idle, sleep_and_yield);
    auto const again = sim::replay(report.trace(), sleep_and_yield);  // not with `idle`
    CHECK(again.hash == report.hash);
    CHECK(again.clock == sim::ClockMode::idle);
  }

  TEST_CASE("the identity of the build is at least 16 digits, and always the same") {
    std::string const identity = sim::build_identity();
    CHECK(identity.size() >= 16);
    CHECK(identity.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(identity == sim::build_identity());
    CHECK(sim::decode(sim::Report().trace()).build == identity.substr(0, 12));
  }

  TEST_CASE("a trace of another build is refused with both identities, unless asked for") {
    auto const report = sim::run(1, lose_an_update);
    std::string const other = of_another_build(report.trace());
    try {
      (void)sim::replay(other, lose_an_update);
      FAIL("replayed");
    } catch (sim::TraceMismatch const& mismatch) {
      CHECK(mismatch.theirs() == sim::decode(other).build);
      CHECK(mismatch.ours() == sim::short_build_identity());
      std::string const what = mismatch.what();
      CHECK(what.find(mismatch.theirs()) != std::string::npos);
      CHECK(what.find(mismatch.ours()) != std::string::npos);
      CHECK(what.find("SPAWNED_SIM_ANY_BUILD=1") != std::string::npos);
    }
    sim::Options options;
    options.any_build = true;
    CHECK(sim::replay(other, options, lose_an_update).hash == report.hash);
    Variable const set("SPAWNED_SIM_ANY_BUILD", "1");
    CHECK(sim::replay(other, lose_an_update).hash == report.hash);
  }

  TEST_CASE("a trace of another format is refused with both formats") {
    std::string text = sim::Report().trace();
    text[1] = '7';
    try {
      (void)sim::replay(text, lose_an_update);
      FAIL("replayed");
    } catch (sim::TraceMismatch const& mismatch) {
      CHECK(mismatch.theirs() == "s7");
      CHECK(mismatch.ours() == "s1");
    }
  }

  TEST_CASE("a trace that leads elsewhere says so: another program, other options") {
    auto const report = sim::run(1, lose_an_update);
    CHECK_THROWS_AS((void)sim::replay(report.trace(), many_steps), sim::TraceMismatch);
  }

  TEST_CASE("text that is no trace, is cut off or has changed in any one character is refused") {
    CHECK_THROWS_AS((void)sim::replay("", lose_an_update), sim::InvalidTrace);
    CHECK_THROWS_AS((void)sim::replay("hello", lose_an_update), sim::InvalidTrace);
    CHECK_THROWS_AS((void)sim::replay("s1", lose_an_update), sim::InvalidTrace);
    CHECK_THROWS_AS((void)sim::replay("s1 !", lose_an_update), sim::InvalidTrace);
    std::string const good = sim::run(5, lose_an_update).trace();
    for (std::size_t size = 0; size < good.size(); ++size) {
      CHECK_THROWS_AS((void)sim::decode(good.substr(0, size)), sim::InvalidTrace);
    }
    for (std::size_t at = 2; at < good.size(); ++at) {
      std::string changed = good;
      changed[at] = changed[at] == 'A' ? 'B' : 'A';
      CHECK_THROWS_AS((void)sim::decode(changed), sim::InvalidTrace);
    }
  }

  TEST_CASE("the failure text has the command that replays it, and the seed's") {
    auto const findings = sim::explore(named("lost update"), lose_an_update);
    std::string const text = findings.to_string();
    CHECK(text.find("SPAWNED_SIM_REPLAY=\"lost update:" + findings.trace + "\" ") !=
          std::string::npos);
    CHECK(text.find("SPAWNED_SIM_SEED=" + std::to_string(findings.report.seed) + " ") !=
          std::string::npos);
    CHECK(findings.shrunk.replay_command().find(findings.trace) != std::string::npos);
  }

  TEST_CASE("what a shell looks at is escaped in the command") {
    sim::Report report;
    report.name = "a\"b$c";
    CHECK(report.replay_command().find("SPAWNED_SIM_REPLAY=\"a\\\"b\\$c:s1") == 0);
  }

  TEST_CASE("SPAWNED_SIM_REPLAY makes explore run that run only, if the name is its own") {
    auto const found = sim::explore(named("this:one"), lose_an_update);
    REQUIRE_FALSE(found.passed());
    Variable const set("SPAWNED_SIM_REPLAY", "this:one:" + found.trace);
    auto const again = sim::explore(named("this:one"), lose_an_update);
    CHECK(again.runs == 1);
    CHECK(again.report.hash == found.shrunk.hash);
    CHECK_FALSE(again.report.events.empty());
    CHECK(again.to_string().find("when it is replayed: the account holds 1") != std::string::npos);
    auto const other = sim::explore(named("another"), []() -> Task<void> { co_return; });
    CHECK(other.runs == 1000);
  }

  TEST_CASE("a trace that is too long for a line goes to a file, from which it replays") {
    Directory const directory;
    auto options = named("many/steps");
    options.trace_directory = directory.path() + "/new";
    options.shrink_runs = 0;
    auto const fail_late = []() -> Task<void> {
      co_await many_steps();
      throw std::runtime_error("late");
    };
    auto const findings = sim::explore(options, fail_late);
    REQUIRE(findings.shrunk.trace().size() > 80);
    REQUIRE(findings.trace.starts_with("@" + options.trace_directory + "/many_steps-"));
    auto const again = sim::replay_file(findings.trace.substr(1), {}, fail_late);
    CHECK(again.hash == findings.shrunk.hash);
    Variable const set("SPAWNED_SIM_REPLAY", "many/steps:" + findings.trace);
    CHECK(sim::explore(options, fail_late).report.hash == findings.shrunk.hash);
  }

  TEST_CASE("a file of a trace that cannot be read is a system_error that names it") {
    try {
      (void)sim::replay_file("/nowhere/at-all.trace", {}, lose_an_update);
      FAIL("read");
    } catch (std::system_error const& error) {
      CHECK(std::string(error.what()).find("/nowhere/at-all.trace") != std::string::npos);
    }
  }
}
