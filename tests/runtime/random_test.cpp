#include <spawned/runtime/random.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/simulation/program.hpp>

namespace sim = spawned::simulation;
using spawned::Task;

namespace {

std::vector<int> shuffled() {
  std::vector<int> numbers(20);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::shuffle(numbers.begin(), numbers.end(), spawned::RandomBits());
  return numbers;
}

Task<void> draw(std::vector<std::uint64_t>& drawn) {
  for (int i = 0; i < 5; ++i) drawn.push_back(spawned::random_bits());
  for (int i = 0; i < 5; ++i) drawn.push_back(spawned::random_below(6));
  co_return;
}

std::vector<std::uint64_t> drawn_with(std::uint64_t seed) {
  std::vector<std::uint64_t> drawn;
  CHECK(sim::run(seed, [&drawn] { return draw(drawn); }).passed());
  return drawn;
}

}  // namespace

TEST_SUITE("runtime/random") {
  TEST_CASE("numbers are below their bound, and all come") {
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(spawned::random_below(6));
    CHECK(seen == std::set<std::uint64_t>{0, 1, 2, 3, 4, 5});
    CHECK(spawned::random_below(1) == 0);
    CHECK(spawned::random_below(std::uint64_t{1} << 63) < std::uint64_t{1} << 63);
    CHECK_THROWS_AS((void)spawned::random_below(0), std::invalid_argument);
    CHECK_THROWS_AS((void)sim::choose(0), std::invalid_argument);
    CHECK(sim::choose(3) < 3);
    CHECK_FALSE(spawned::random_chance(0));
    CHECK(spawned::random_chance(1));
  }

  TEST_CASE("RandomBits is a generator for the standard library") {
    static_assert(std::uniform_random_bit_generator<spawned::RandomBits>);
    std::set<std::vector<int>> seen;
    for (int i = 0; i < 10; ++i) seen.insert(shuffled());
    CHECK(seen.size() > 1);
  }

  TEST_CASE("in a simulation equal seeds draw equal numbers, other seeds others") {
    std::set<std::vector<std::uint64_t>> seen;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      auto const drawn = drawn_with(seed);
      CHECK(drawn == drawn_with(seed));
      seen.insert(drawn);
    }
    CHECK(seen.size() == 20);
  }

  TEST_CASE("in a simulation every number of a small range comes") {
    std::set<std::uint64_t> seen;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) seen.insert(drawn_with(seed).back());
    CHECK(seen == std::set<std::uint64_t>{0, 1, 2, 3, 4, 5});
  }

  TEST_CASE("a replay repeats the numbers") {
    std::vector<std::uint64_t> first;
    std::vector<std::uint64_t> second;
    auto const report = sim::run(7, [&first] { return draw(first); });
    (void)sim::replay(report.choices, [&second] { return draw(second); });
    CHECK(first == second);
  }

  TEST_CASE("drawing until a number fits ends, even where every choice is the boring one") {
    auto const program = []() -> Task<void> {
      while (spawned::random_below(6) != 5) {
      }
      std::uniform_int_distribution<int> die(1, 6);
      spawned::RandomBits bits;
      while (die(bits) != 6) {
      }
      co_return;
    };
    CHECK(sim::replay({}, program).passed());
  }

  TEST_CASE("choose is explored: the simplest run has 0 where it can") {
    auto const program = []() -> Task<void> {
      auto const one = sim::choose(10);
      auto const other = sim::choose(10);
      if (other > 6) throw std::runtime_error(std::to_string(one));
      co_return;
    };
    auto const findings = sim::explore(program);
    CHECK(findings.shrunk.outcome == sim::Outcome::failed);
    CHECK(findings.shrunk.problem == "0");
  }
}
