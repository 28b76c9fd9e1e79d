// Seeds run twice, SPAWNED_SIM_SEEDS of them for each of some programs: no hash may differ.
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/runtime/channel.hpp>
#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

namespace sim = spawned::simulation;
using namespace std::chrono_literals;
using spawned::Task;

namespace {

Task<void> produce(spawned::ChannelSender<int> sender, int count) {
  for (int i = 0; i < count; ++i) {
    auto const sent = co_await sender.send(i);
    if (!sent) co_return;
    if (i % 3 == 0) co_await spawned::yield_now();
  }
}

// Two producers, a bounded channel, a consumer that is slow.
Task<void> pipeline() {
  auto [sender, receiver] = spawned::channel<int>(2);
  spawned::ChannelSender<int> second = sender;
  auto one = spawned::spawn(produce(std::move(sender), 5));
  auto other = spawned::spawn(produce(std::move(second), 5));
  for (;;) {
    auto const got = co_await receiver.next();
    if (!got) break;
    co_await spawned::sleep(1ms);
  }
  (void)co_await one;
  (void)co_await other;
}

Task<int> compute(int yields) {
  for (int i = 0; i < yields; ++i) co_await spawned::yield_now();
  co_return yields;
}

// Time limits race with what they limit.
Task<void> race_with_limits() {
  for (int i = 1; i < 6; ++i) {
    auto limited = spawned::timeout(10ms * i, compute(i));
    auto const answer = co_await std::move(limited);
    (void)answer;
  }
}

// What is left behind is cancelled.
Task<void> leave_tasks_behind() {
  for (int i = 0; i < 4; ++i) {
    auto left = spawned::spawn(spawned::timeout(1s * i, compute(3)));
    (void)left;
  }
  co_await spawned::sleep(2s);
}

std::uint64_t seeds_of_environment() {
  char const* const value = std::getenv("SPAWNED_SIM_SEEDS");
  return value == nullptr ? 200 : std::stoull(value);
}

}  // namespace

TEST_SUITE("runtime/simulation/determinism") {
  TEST_CASE("equal seeds are equal runs: no hash differs, whatever the program and the strategy") {
    std::array<Task<void> (*)(), 3> const programs{pipeline, race_with_limits, leave_tasks_behind};
    std::uint64_t const seeds = seeds_of_environment();
    std::uint64_t mismatches = 0;
    for (std::size_t i = 0; i < programs.size(); ++i) {
      for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        auto const one = sim::run(seed, sim::Options(), programs[i]);
        auto const other = sim::run(seed, sim::Options(), programs[i]);
        bool const equal = one.hash == other.hash && one.choices == other.choices &&
                           one.steps == other.steps && one.time == other.time;
        if (!equal) ++mismatches;
        CHECK_MESSAGE(one.passed(), "program ", i, ", seed ", seed, ": ", one.problem);
      }
    }
    CHECK(mismatches == 0);
  }
}
