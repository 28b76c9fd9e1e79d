// What the models share: how thoroughly each is searched, and the line it reports.
#pragma once

#include <cstdint>
#include <cstdio>
#include <ctime>

#include <doctest/doctest.h>

#include <spawned/testing/model.hpp>

namespace model_test {

namespace model = spawned::testing::model;

#if defined(SPAWNED_MODEL_ASAN) || defined(SPAWNED_MODEL_TSAN)
inline constexpr int preemption_bound = 1;  // the sanitizers look at the checker itself
inline constexpr std::uint64_t random_executions = 300;
#else
inline constexpr int preemption_bound = 2;
inline constexpr std::uint64_t random_executions = 5'000;
#endif

inline bool search(char const* strategy, model::Options const& options, auto const& program) {
  std::clock_t const start = std::clock();  // of the processor: others use the machine too
  auto const result = model::explore(options, program);
  double const spent = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("model: %s: %s: %llu executions, %.3f s%s\n",
              doctest::getContextOptions()->currentTest->m_name, strategy,
              static_cast<unsigned long long>(result.executions), spent,
              !result.ok()      ? ", FAILED"
              : result.complete ? ", complete"
                                : "");
  if (!result.ok()) std::printf("model: failure: %s\n", result.failure->text.c_str());
  CHECK_MESSAGE(result.ok(), result.report());
  if (result.ok() && options.strategy == model::Strategy::exhaustive) {
    CHECK_MESSAGE(result.complete, "the budget of executions did not suffice");
  }
  return result.ok();
}

/// `program` holds in everything within the preemption bound, and in what random walks and random
/// priorities reach beyond it. Stops at the first failure.
inline void holds(auto const& program, int bound = preemption_bound) {
  using model::Strategy;
  (void)(search("exhaustive",
                {.strategy = Strategy::exhaustive,
                 .executions = 20'000'000,
                 .preemption_bound = bound < preemption_bound ? bound : preemption_bound},
                program) &&
         search("random", {.strategy = Strategy::random, .executions = random_executions},
                program) &&
         search("pct", {.strategy = Strategy::pct, .executions = random_executions}, program));
}

}  // namespace model_test
