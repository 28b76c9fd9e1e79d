#include "simulation/environment.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace spawned::simulation {

namespace {

[[noreturn]] void refuse(char const* variable, std::string_view value, char const* allowed) {
  throw InvalidSimulation(std::string("the environment variable ") + variable + " is \"" +
                          std::string(value) + "\"; allowed: " + allowed);
}

std::optional<std::string_view> value_of(char const* variable) {
  char const* const value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

template <class T>
bool read(char const* variable, T& into, T most, char const* allowed) {
  auto const value = value_of(variable);
  if (!value) return false;
  T number{};
  char const* const end = value->data() + value->size();
  auto const [rest, error] = std::from_chars(value->data(), end, number);
  bool const good = error == std::errc() && rest == end && number >= T{} && number <= most;
  if (!good) refuse(variable, *value, allowed);
  into = number;
  return true;
}

void read_strategy(ExploreOptions& options) {
  constexpr char const* variable = "SPAWNED_SIM_STRATEGY";
  auto const value = value_of(variable);
  if (!value) return;
  for (Strategy const strategy :
       {Strategy::portfolio, Strategy::random, Strategy::pct, Strategy::delay_bounded,
        Strategy::exhaustive, Strategy::reduced}) {
    if (*value != to_string(strategy)) continue;
    options.strategy = strategy;
    return;
  }
  refuse(variable, *value, "portfolio, random, pct, delay_bounded, exhaustive, reduced");
}

}  // namespace

bool apply_environment(ExploreOptions& options) {
  constexpr std::uint64_t any = ~std::uint64_t{0};
  constexpr double seconds_most = 1e8;
  bool const seed = read("SPAWNED_SIM_SEED", options.first_seed, any, "a number from 0 on");
  if (seed) options.seeds = 1;
  (void)read("SPAWNED_SIM_SEEDS", options.seeds, any, "a number from 0 on");
  read_strategy(options);
  double seconds = 0;
  if (read("SPAWNED_SIM_TIME_BUDGET", seconds, seconds_most, "seconds, 0 to 100000000")) {
    options.time_budget = std::chrono::nanoseconds(std::llround(seconds * 1e9));
  }
  return read("SPAWNED_SIM_JOBS", options.jobs, 256U, "0 to 256");
}

}  // namespace spawned::simulation
