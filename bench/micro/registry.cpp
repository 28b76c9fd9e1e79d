// The registry: look-ups, alone and beside others, and names that come and go.
#include <spawned/registry/registry.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>
#include <time.h>

#include <spawned/tasks.hpp>

#include "micro/measure.hpp"

namespace {

namespace sp = spawned::tasks;

class Holder : public sp::Actor<Holder> {
 public:
  struct Ping {};
  void handle_message(Ping) {}
};

constexpr std::size_t names = 64;
constexpr std::int64_t batch = 200'000;
constexpr sp::registry::Key<Holder> typed{"holder"};

sp::RuntimeOptions one_worker() {
  sp::RuntimeOptions options;
  options.workers = 1;
  return options;
}

/// A registry with short names, each of an actor of its own.
struct World {
  World() {
    for (std::size_t i = 0; i < names; ++i) {
      keys.push_back("name" + std::to_string(i));
      actors.push_back(Holder{}.start_on(runtime));
      (void)registry.register_name(keys.back(), actors.back());
    }
    (void)registry.register_name(typed, actors.front());
  }
  void look_up(std::int64_t count, std::size_t first) const {
    for (std::int64_t i = 0; i < count; ++i) {
      auto found = registry.whereis<Holder>(keys[(first + static_cast<std::size_t>(i)) % names]);
      benchmark::DoNotOptimize(found);
    }
  }
  sp::Runtime runtime{one_worker()};
  sp::registry::Registry registry = sp::registry::Registry::of(runtime);
  std::vector<std::string> keys;
  std::vector<sp::ActorRef<Holder>> actors;
};

void whereis(benchmark::State& state) {
  World const world;
  bench::measure(state, batch, [&] { world.look_up(batch, 0); });
  state.SetLabel("unit=ns");
}
BENCHMARK(whereis)->Name("registry/whereis")->UseManualTime()->Unit(benchmark::kMillisecond);

void whereis_key(benchmark::State& state) {
  World const world;
  bench::measure(state, batch, [&] {
    for (std::int64_t i = 0; i < batch; ++i) {
      auto found = world.registry.whereis(typed);
      benchmark::DoNotOptimize(found);
    }
  });
  state.SetLabel("unit=ns");
}
BENCHMARK(whereis_key)
    ->Name("registry/whereis_key")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

// The registry of the thread's own runtime: the functions without an object.
void whereis_own(benchmark::State& state) {
  World world;
  auto body = [](std::vector<std::string> const& keys) -> sp::Task<double> {
    auto const begin = bench::RealClock::now();
    for (std::int64_t i = 0; i < batch; ++i) {
      auto found = sp::registry::whereis<Holder>(keys[static_cast<std::size_t>(i) % names]);
      benchmark::DoNotOptimize(found);
    }
    co_return std::chrono::duration<double>(bench::RealClock::now() - begin).count();
  };
  double seconds = 0;
  std::int64_t count = 0;
  for ([[maybe_unused]] auto iteration : state) {
    double const took = world.runtime.block_on(body(world.keys));
    state.SetIterationTime(took);
    seconds += took;
    count += batch;
  }
  state.counters["ns_per_op"] = seconds * 1e9 / static_cast<double>(count);
  state.SetLabel("unit=ns");
}
BENCHMARK(whereis_own)
    ->Name("registry/whereis_own")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Two threads read and one writes; the readers' own processor time, since there may be fewer cores.
void whereis_beside_a_writer(benchmark::State& state) {
  World world;
  double seconds = 0;
  std::int64_t count = 0;
  for ([[maybe_unused]] auto iteration : state) {
    std::atomic<bool> done{false};
    std::thread writer([&] {
      while (!done.load(std::memory_order_relaxed)) {
        (void)world.registry.register_name("writer", world.actors.front());
        (void)world.registry.unregister("writer");
      }
    });
    double took[2] = {};
    auto const read = [&](std::size_t reader) {
      double const begin = thread_seconds();
      world.look_up(batch, reader * names / 2);
      took[reader] = thread_seconds() - begin;
    };
    std::thread other([&] { read(1); });
    read(0);
    other.join();
    done.store(true, std::memory_order_relaxed);
    writer.join();
    state.SetIterationTime((took[0] + took[1]) / 2);
    seconds += (took[0] + took[1]) / 2;
    count += batch;
  }
  state.counters["ns_per_op"] = seconds * 1e9 / static_cast<double>(count);
  state.SetLabel("unit=ns");
}
BENCHMARK(whereis_beside_a_writer)
    ->Name("registry/whereis_2_readers_1_writer")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

void register_unregister(benchmark::State& state) {
  World world;
  bench::measure(state, batch, [&] {
    for (std::int64_t i = 0; i < batch; ++i) {
      (void)world.registry.register_name("again", world.actors.front());
      (void)world.registry.unregister("again");
    }
  });
  state.SetLabel("unit=ns");
}
BENCHMARK(register_unregister)
    ->Name("registry/register_unregister")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
