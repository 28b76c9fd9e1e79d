#include <spawned/runtime/simulation/test_case.hpp>

#include <cstdlib>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

namespace sim = spawned::simulation;
using namespace std::chrono_literals;
using spawned::Task;

namespace {

Task<void> lose_an_update() {
  int account = 0;
  auto const add = [](int& balance) -> Task<void> {
    int const before = balance;
    co_await spawned::yield_now();
    balance = before + 1;
  };
  auto first = spawned::spawn(add(account));
  auto second = spawned::spawn(add(account));
  (void)co_await first;
  (void)co_await second;
  if (account != 2) throw std::runtime_error("the account holds " + std::to_string(account));
}

int simulated_runs = 0;
int real_runs = 0;

Task<void> count_runs() {
  ++(sim::active() ? simulated_runs : real_runs);
  co_return;
}

/// Sets SPAWNED_SIM_REAL, and what it was before at the end.
class Switch {
 public:
  explicit Switch(char const* value) {
    if (char const* const text = std::getenv(name)) before_ = text;
    setenv(name, value, 1);
  }
  ~Switch() { setenv(name, before_.c_str(), 1); }
  Switch(Switch const&) = delete;
  Switch& operator=(Switch const&) = delete;

 private:
  static constexpr char const* name = "SPAWNED_SIM_REAL";
  std::string before_;
};

}  // namespace

TEST_SUITE("runtime/simulation/test_case") {
  SPAWNED_SIMULATION_TEST("a test case is explored with the options behind its name",
                          options.seeds = 50) {
    auto const begin = spawned::now();
    co_await spawned::sleep(24h);
    if (spawned::now() - begin < 24h) throw std::runtime_error("not a day");
  }

  SPAWNED_SIMULATION_TEST("a test case needs no options") { co_await count_runs(); }

  SPAWNED_SIMULATION_TEST("all options can be given", options.clock = sim::ClockMode::idle,
                          options.steps_max = 100) {
    co_await count_runs();
  }

  TEST_CASE("test explores, and reports the simplest run that fails") {
    Switch const off("");
    sim::Findings const findings = sim::test("an update", {}, lose_an_update);
    CHECK_FALSE(findings.passed());
    CHECK(findings.to_string().find("the account holds 1") != std::string::npos);
  }

  TEST_CASE("SPAWNED_SIM_REAL runs a test once on a real runtime") {
    simulated_runs = real_runs = 0;
    sim::ExploreOptions options;
    options.seeds = 10;
    {
      Switch const on("1");
      CHECK(sim::test("counting", options, count_runs).passed());
    }
    CHECK(simulated_runs == 0);
    CHECK(real_runs == 1);
    Switch const off("0");
    CHECK(sim::test("counting", options, count_runs).passed());
    CHECK(simulated_runs == 10);
    CHECK(real_runs == 1);
  }
}
