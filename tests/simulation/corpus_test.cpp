// The bug corpus: what is broken is found, and what is right is left alone.
#include "simulation/corpus/corpus.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

namespace sim = spawned::simulation;

namespace {

constexpr std::uint64_t seeds_to_find = 1'000;

// How many seeds the correct programs must pass: SPAWNED_SIM_SEEDS, an environment variable.
std::uint64_t seeds_to_pass() {
  char const* const text = std::getenv("SPAWNED_SIM_SEEDS");
  return text == nullptr ? 2'000 : std::strtoull(text, nullptr, 10);
}

}  // namespace

TEST_SUITE("simulation/corpus") {
  TEST_CASE("every broken program of the corpus is found within 1,000 seeds") {
    corpus::Silence const silence;
    for (corpus::Entry const& entry : corpus::table()) {
      auto const findings = corpus::explore(entry.broken, seeds_to_find);
      INFO(entry.number << ": " << std::string(entry.name));
      CHECK_FALSE(findings.passed());
    }
  }

  TEST_CASE("no seed fails a correct program of the corpus") {
    corpus::Silence const silence;
    for (corpus::Entry const& entry : corpus::table()) {
      auto const findings = corpus::explore(entry.fixed, seeds_to_pass());
      INFO(entry.number << ": " << std::string(entry.name) << ": " << findings.to_string());
      CHECK(findings.passed());
    }
  }

  TEST_CASE("a seed decides everything in both variants of every program") {
    corpus::Silence const silence;
    for (corpus::Entry const& entry : corpus::table()) {
      INFO(entry.number << ": " << std::string(entry.name));
      for (std::uint64_t seed = 1; seed <= 25; ++seed) {
        CHECK_NOTHROW(sim::check_determinism(seed, entry.broken));
        CHECK_NOTHROW(sim::check_determinism(seed, entry.fixed));
      }
    }
  }

  TEST_CASE("the correct programs of the corpus pass on a real runtime, too") {
    corpus::Silence const silence;
    for (corpus::Entry const& entry : corpus::table()) {
      INFO(entry.number << ": " << std::string(entry.name));
      CHECK(corpus::passes_for_real(entry.fixed, std::chrono::seconds(20)));
    }
  }
}
