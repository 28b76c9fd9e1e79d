// Supervision: restarts, the exception beside them, a large one_for_all and, when the filter names
// it, a tree of a million actors.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <spawned/supervision/pool.hpp>
#include <spawned/supervision/supervisor.hpp>
#include <spawned/tasks.hpp>

#include "micro/measure.hpp"

namespace {

namespace sp = spawned::tasks;
using spawned::ChildSpec;
using spawned::RestartStrategy;
using spawned::Supervisor;

sp::RuntimeOptions options(unsigned workers) {
  sp::RuntimeOptions result;
  result.workers = workers;
  return result;
}

/// The crash reports would go to the terminal.
class Silence final : public sp::log::Sink {
 public:
  Silence() : before_(sp::log::set_sink(this)) {}
  ~Silence() override { sp::log::set_sink(before_); }
  void write(sp::log::Record const& /*record*/) noexcept override {}

 private:
  sp::log::Sink* before_;
};

class Worker : public sp::Actor<Worker> {
 public:
  struct Crash {};
  struct Ask {
    std::int64_t n;
  };
  void handle_request(Crash /*crash*/) { throw std::runtime_error("boom"); }
  std::int64_t handle_request(Ask ask) { return ask.n + 1; }
};

std::vector<ChildSpec> workers(std::size_t count) {
  std::vector<ChildSpec> specs;
  specs.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    specs.push_back(spawned::child(std::to_string(i), [] { return Worker{}; }));
  }
  return specs;
}

spawned::SupervisorOptions lenient(RestartStrategy strategy) {
  spawned::SupervisorOptions result;
  result.strategy = strategy;
  result.intensity = std::numeric_limits<int>::max();
  result.period = std::chrono::milliseconds(1);
  return result;
}

double seconds_since(bench::RealClock::time_point begin) {
  return std::chrono::duration<double>(bench::RealClock::now() - begin).count();
}

sp::Task<sp::ActorRef<Supervisor>> up(RestartStrategy strategy, std::size_t count) {
  auto started =
      co_await Supervisor(lenient(strategy), workers(count)).start_and_wait(sp::no_timeout);
  co_return started.value();
}

sp::Task<sp::ActorRef<Worker>> worker_of(sp::ActorRef<Supervisor> supervisor, std::string id) {
  auto info = co_await supervisor.request<Supervisor::GetChild>(id);
  co_return info.value().value().ref.as<Worker>().value();
}

template <typename Batch>
void measure_inside(benchmark::State& state, std::int64_t operations, Batch&& batch) {
  (void)batch();
  double seconds = 0;
  std::int64_t count = 0;
  for ([[maybe_unused]] auto iteration : state) {
    double const took = batch();
    state.SetIterationTime(took);
    seconds += took;
    count += operations;
  }
  state.counters["ns_per_op"] = seconds * 1e9 / static_cast<double>(count);
}

// --- a crash, its report, and a request served by the next incarnation ---

sp::Task<double> crashes(sp::ActorRef<Worker> worker, std::int64_t count) {
  auto const begin = bench::RealClock::now();
  for (std::int64_t i = 0; i < count; ++i) {
    (void)co_await worker.request<Worker::Crash>();
    auto answer = co_await worker.request<Worker::Ask>(i);
    benchmark::DoNotOptimize(answer.value());
  }
  co_return seconds_since(begin);
}

void restart(benchmark::State& state, unsigned worker_count) {
  Silence const silence;
  constexpr std::int64_t batch = 5'000;
  sp::Runtime runtime(options(worker_count));
  auto supervisor = runtime.block_on(up(RestartStrategy::one_for_one, 1));
  auto worker = runtime.block_on(worker_of(supervisor, "0"));
  measure_inside(state, batch, [&] { return runtime.block_on(crashes(worker, batch)); });
  state.SetLabel("unit=ns");
}
BENCHMARK_CAPTURE(restart, one, 1U)->Name("supervision::restart/workers=1")->UseManualTime();
BENCHMARK_CAPTURE(restart, two, 2U)->Name("supervision::restart/workers=2")->UseManualTime();

// What the compiler's runtime takes of it.
[[gnu::noinline]] void throws() { throw std::runtime_error("boom"); }

void exception_alone(benchmark::State& state) {
  constexpr std::int64_t batch = 20'000;
  bench::measure(state, batch, [] {
    for (std::int64_t i = 0; i < batch; ++i) {
      try {
        throws();
      } catch (...) {
        benchmark::DoNotOptimize(std::current_exception());
      }
    }
  });
  state.SetLabel("unit=ns");
}
BENCHMARK(exception_alone)->Name("supervision::exception_alone")->UseManualTime();

// --- one_for_all: until all are up again ---

sp::Task<double> one_cycle(sp::ActorRef<Supervisor> supervisor, sp::ActorRef<Worker> worker) {
  auto const begin = bench::RealClock::now();
  (void)co_await worker.request<Worker::Crash>();
  auto counts = co_await supervisor.request_with_timeout<Supervisor::CountChildren>(sp::no_timeout);
  benchmark::DoNotOptimize(counts.value().active);
  co_return seconds_since(begin);
}

void one_for_all(benchmark::State& state) {
  Silence const silence;
  sp::Runtime runtime(options(2));
  auto supervisor = runtime.block_on(up(RestartStrategy::one_for_all, 10'000));
  auto worker = runtime.block_on(worker_of(supervisor, "5000"));
  measure_inside(state, 1, [&] { return runtime.block_on(one_cycle(supervisor, worker)); });
  state.SetLabel("unit=ns");
}
BENCHMARK(one_for_all)->Name("supervision::one_for_all/children=10000")->UseManualTime();

// --- a request through a pool, beside actors::request ---

sp::Task<double> ask_pool(sp::Pool<Worker> pool, std::int64_t count) {
  auto const begin = bench::RealClock::now();
  for (std::int64_t i = 0; i < count; ++i) {
    auto answer = co_await pool.request<Worker::Ask>(i);
    benchmark::DoNotOptimize(answer.value());
  }
  co_return seconds_since(begin);
}

void pool_request(benchmark::State& state, sp::Routing routing) {
  constexpr std::int64_t batch = 100'000;
  sp::Runtime runtime(options(2));
  sp::PoolOptions pool_options;
  pool_options.routing = routing;
  sp::Pool<Worker> pool(pool_options, [] { return Worker{}; });
  auto router = runtime.block_on(pool.start());
  measure_inside(state, batch, [&] { return runtime.block_on(ask_pool(pool, batch)); });
  router->stop();
  state.SetLabel("unit=ns");
}
BENCHMARK_CAPTURE(pool_request, round_robin, sp::Routing::round_robin)
    ->Name("supervision::pool_request/round_robin")
    ->UseManualTime();
BENCHMARK_CAPTURE(pool_request, least_loaded, sp::Routing::least_loaded)
    ->Name("supervision::pool_request/least_loaded")
    ->UseManualTime();

// --- a tree of a million actors in three levels ---

constexpr std::size_t supervisors = 1'000;
constexpr std::size_t workers_each = 999;

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

sp::Task<sp::ActorRef<Supervisor>> million() {
  std::vector<ChildSpec> specs;
  for (std::size_t i = 0; i < supervisors; ++i) {
    specs.push_back(spawned::child(std::to_string(i), [] {
      return Supervisor(lenient(RestartStrategy::one_for_one), workers(workers_each));
    }));
  }
  auto root = co_await Supervisor(lenient(RestartStrategy::one_for_one), std::move(specs))
                  .start_and_wait(sp::no_timeout);
  co_return root.value();
}

sp::Task<void> end(sp::ActorRef<Supervisor> root) { (void)co_await root.stop_and_wait(); }

void tree(benchmark::State& state) {
  double start = 0;
  double stop = 0;
  double bytes = 0;
  sp::Runtime runtime(options(2));
  for ([[maybe_unused]] auto iteration : state) {
    std::size_t const before = resident_bytes();
    auto begin = bench::RealClock::now();
    auto root = runtime.block_on(million());
    start = seconds_since(begin);
    constexpr double actors = 1.0 + supervisors + supervisors * workers_each;
    bytes = static_cast<double>(resident_bytes() - before) / actors;
    begin = bench::RealClock::now();
    runtime.block_on(end(root));
    stop = seconds_since(begin);
    state.SetIterationTime(start + stop);
  }
  state.counters["start_s"] = start;
  state.counters["stop_s"] = stop;
  state.counters["bytes_per_actor"] = bytes;
}

// Seconds, and some 500 MB: only for who asks.
bool asked_for_the_tree() {
  std::ifstream arguments("/proc/self/cmdline");
  std::string const all(std::istreambuf_iterator<char>(arguments), {});
  return all.find("supervision::tree") != std::string::npos;
}
[[maybe_unused]] bool const tree_registered = [] {
  if (asked_for_the_tree()) {
    benchmark::RegisterBenchmark("supervision::tree/actors=1000000", tree)
        ->UseManualTime()
        ->Iterations(1);
  }
  return true;
}();

}  // namespace
