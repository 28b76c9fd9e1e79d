// Prints, as a table in Markdown, what it takes to find each bug of the corpus: by explore(), and
// by running the same program on two real threads that sleep at random.
//
//   corpus_table [number...]     only these programs
//   corpus_table false [seeds]   how many correct programs fail in so many seeds, 100,000 by
//   default
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulation/corpus/corpus.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t seeds_most = 5'000;
constexpr std::uint64_t first_seeds = 21;
constexpr int trials = 5;
constexpr int runs_most = 150;
constexpr auto trial_most = std::chrono::seconds(3);

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

template <typename T>
T median(std::vector<T> values) {
  auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::size_t interesting(std::vector<std::uint32_t> const& choices) {
  return choices.size() -
         static_cast<std::size_t>(std::count(choices.begin(), choices.end(), std::uint32_t{0}));
}

struct Found {
  std::vector<std::uint64_t> seeds;
  std::vector<std::uint64_t> steps;
  std::vector<double> ms;  // without the shrinking
  std::vector<std::size_t> choices;
  std::vector<std::size_t> shrunk;
  std::uint64_t missed = 0;
};

// The searches begin at seeds that lie far apart.
Found find(corpus::Entry const& entry) {
  Found found;
  for (std::uint64_t i = 0; i < first_seeds; ++i) {
    std::uint64_t const first = 1 + i * 100'000;
    auto const findings = corpus::explore(entry.broken, seeds_most, first);
    if (findings.passed()) {
      ++found.missed;
      continue;
    }
    auto const begin = Clock::now();
    for (std::uint64_t seed = 0; seed < findings.runs; ++seed) {
      (void)spawned::simulation::run(first + seed, entry.broken);
    }
    found.ms.push_back(ms_since(begin));
    found.seeds.push_back(findings.runs);
    found.steps.push_back(findings.report.steps);
    found.choices.push_back(interesting(findings.report.choices));
    found.shrunk.push_back(interesting(findings.shrunk.choices));
  }
  return found;
}

struct Real {
  std::vector<int> runs;  // of the trials that found it
  double ms = 0;          // of all trials
};

Real try_for_real(corpus::Entry const& entry) {
  Real real;
  auto const all = Clock::now();
  for (int trial = 0; trial < trials; ++trial) {
    auto const begin = Clock::now();
    for (int run = 1; run <= runs_most && Clock::now() - begin < trial_most; ++run) {
      if (corpus::passes_for_real(entry.broken, std::chrono::seconds(1))) continue;
      real.runs.push_back(run);
      break;
    }
  }
  real.ms = ms_since(all) / trials;
  return real;
}

std::string describe(Real const& real) {
  std::array<char, 80> text{};
  if (real.runs.empty()) {
    std::snprintf(text.data(), text.size(), "never (%.0f ms)", real.ms);
  } else if (real.runs.size() < trials) {
    std::snprintf(text.data(), text.size(), "%d, in %zu of %d trials (%.0f ms)", median(real.runs),
                  real.runs.size(), trials, real.ms);
  } else {
    std::snprintf(text.data(), text.size(), "%d (%.0f ms)", median(real.runs), real.ms);
  }
  return text.data();
}

void print_row(corpus::Entry const& entry) {
  Found const found = find(entry);
  corpus::sleeps_at_random = true;
  std::string const real = describe(try_for_real(entry));
  corpus::sleeps_at_random = false;
  bool const boring_fails = !spawned::simulation::replay({}, entry.broken).passed();
  std::printf("| %d | %s | %s | %s | ", entry.number, entry.name, entry.needs_clock ? "yes" : "",
              boring_fails ? "fails" : "passes");
  if (found.seeds.empty()) {
    std::printf("never | | | | %s |\n", real.c_str());
    return;
  }
  std::printf("%llu", static_cast<unsigned long long>(median(found.seeds)));
  std::printf(" (most %llu)", static_cast<unsigned long long>(
                                  *std::max_element(found.seeds.begin(), found.seeds.end())));
  if (found.missed != 0) {
    std::printf(", missed %llu times", static_cast<unsigned long long>(found.missed));
  }
  std::printf(" | %.2f | %llu | %zu -> %zu | %s |\n", median(found.ms),
              static_cast<unsigned long long>(median(found.steps)), median(found.choices),
              median(found.shrunk), real.c_str());
  std::fflush(stdout);
}

int count_false_positives(std::uint64_t seeds) {
  int wrong = 0;
  for (corpus::Entry const& entry : corpus::table()) {
    auto const begin = Clock::now();
    auto const findings = corpus::explore(entry.fixed, seeds);
    double const ms = ms_since(begin);
    std::printf("%2d %-40s %llu runs, %llu steps, %.0f ms: %s\n", entry.number, entry.name,
                static_cast<unsigned long long>(findings.runs),
                static_cast<unsigned long long>(findings.steps), ms,
                findings.passed() ? "passed" : findings.to_string().c_str());
    std::fflush(stdout);
    wrong += findings.passed() ? 0 : 1;
  }
  std::printf("%d false positives\n", wrong);
  return wrong;
}

}  // namespace

int main(int argc, char** argv) {
  corpus::Silence const silence;
  std::vector<std::string> const arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments.front() == "false") {
    std::uint64_t const seeds =
        arguments.size() > 1 ? std::strtoull(arguments[1].c_str(), nullptr, 10) : 100'000;
    return count_false_positives(seeds) == 0 ? 0 : 1;
  }
  std::printf(
      "| # | bug | needs a slow clock | first in, first out | seeds, median of %llu | ms | steps | "
      "choices, shrunk | real threads, random sleeps: runs (time) |\n"
      "|---|---|---|---|---|---|---|---|---|\n",
      static_cast<unsigned long long>(first_seeds));
  for (corpus::Entry const& entry : corpus::table()) {
    std::string const number = std::to_string(entry.number);
    bool const wanted = arguments.empty() ||
                        std::find(arguments.begin(), arguments.end(), number) != arguments.end();
    if (wanted) print_row(entry);
  }
}
