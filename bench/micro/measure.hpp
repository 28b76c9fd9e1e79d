// How every benchmark here is timed: whole batches on the real clock, reported per operation.
#pragma once

#include <chrono>
#include <cstdint>

#include <benchmark/benchmark.h>

namespace bench {

using RealClock = std::chrono::steady_clock;

/// Runs `body` (a batch of `operations`) in each iteration and `after` outside the measured time.
/// The counter ns_per_op is what tools/bench_report.py reads.
template <typename Body, typename After>
void measure(benchmark::State& state, std::int64_t operations, Body&& body, After&& after) {
  body();  // warm pools and caches
  after();
  double seconds = 0;
  std::int64_t count = 0;
  for ([[maybe_unused]] auto iteration : state) {
    auto const begin = RealClock::now();
    body();
    double const took = std::chrono::duration<double>(RealClock::now() - begin).count();
    after();
    state.SetIterationTime(took);
    seconds += took;
    count += operations;
  }
  state.counters["ns_per_op"] = seconds * 1e9 / static_cast<double>(count);
}

template <typename Body>
void measure(benchmark::State& state, std::int64_t operations, Body&& body) {
  measure(state, operations, body, [] {});
}

}  // namespace bench
