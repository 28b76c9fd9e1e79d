// The runtime's hot paths. spawn_many_local, spawn_many_remote_idle, yield_many, chained_spawn and
// ping_pong do what Tokio's rt_multi_threaded benches of the same names do.
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <spawned/tasks.hpp>

#include "micro/measure.hpp"

namespace {

namespace sp = spawned::tasks;

sp::RuntimeOptions two_workers() {
  sp::RuntimeOptions result;
  result.workers = 2;
  return result;
}

sp::Task<int> one() { co_return 1; }

sp::Task<void> spawn_and_join(std::int64_t count) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    auto result = co_await sp::spawn(one());
    sum += *result;
  }
  benchmark::DoNotOptimize(sum);
}

void spawn_join(benchmark::State& state) {
  constexpr std::int64_t batch = 100'000;
  sp::Runtime runtime(two_workers());
  bench::measure(state, batch, [&] { runtime.block_on(spawn_and_join(batch)); });
  state.SetLabel("unit=ns");
}
BENCHMARK(spawn_join)->Name("runtime::spawn_join")->UseManualTime();

// A countdown that the last task reports.
struct Countdown {
  std::atomic<std::int64_t> left{0};
  sp::OneshotSender<bool>* done = nullptr;
  void count() {
    if (left.fetch_sub(1, std::memory_order_acq_rel) == 1) done->send(true);
  }
};

sp::Task<void> count_down(Countdown* countdown) {
  countdown->count();
  co_return;
}

sp::Task<void> spawn_locally(std::int64_t count) {
  auto [sender, receiver] = sp::oneshot<bool>();
  Countdown countdown{.left = count, .done = &sender};
  for (std::int64_t i = 0; i < count; ++i) (void)sp::spawn(count_down(&countdown));
  (void)co_await receiver;
}

constexpr std::int64_t spawns = 10'000;

void spawn_many_local(benchmark::State& state) {
  sp::Runtime runtime(two_workers());
  bench::measure(state, spawns, [&] { runtime.block_on(spawn_locally(spawns)); });
  state.SetLabel("unit=ns");
}
BENCHMARK(spawn_many_local)->Name("runtime::spawn_many_local")->UseManualTime();

void spawn_many_remote_idle(benchmark::State& state) {
  sp::Runtime runtime(two_workers());
  bench::measure(state, spawns, [&] {
    auto [sender, receiver] = sp::oneshot<bool>();
    Countdown countdown{.left = spawns, .done = &sender};
    for (std::int64_t i = 0; i < spawns; ++i) (void)runtime.spawn(count_down(&countdown));
    (void)receiver.receive_blocking();
  });
  state.SetLabel("unit=ns");
}
BENCHMARK(spawn_many_remote_idle)->Name("runtime::spawn_many_remote_idle")->UseManualTime();

sp::Task<void> yield_often(std::int64_t yields, Countdown* countdown) {
  for (std::int64_t i = 0; i < yields; ++i) co_await sp::yield_now();
  countdown->count();
}

sp::Task<void> yield_tasks(std::int64_t tasks, std::int64_t yields) {
  auto [sender, receiver] = sp::oneshot<bool>();
  Countdown countdown{.left = tasks, .done = &sender};
  for (std::int64_t i = 0; i < tasks; ++i) (void)sp::spawn(yield_often(yields, &countdown));
  (void)co_await receiver;
}

void yield_many(benchmark::State& state) {
  constexpr std::int64_t tasks = 200;
  constexpr std::int64_t yields = 1000;
  sp::Runtime runtime(two_workers());
  bench::measure(state, tasks * yields, [&] { runtime.block_on(yield_tasks(tasks, yields)); });
  state.SetLabel("unit=ns");
}
BENCHMARK(yield_many)->Name("runtime::yield_many")->UseManualTime();

sp::Task<void> chain(std::int64_t left, sp::OneshotSender<bool>* done) {
  if (left == 0) {
    done->send(true);
  } else {
    (void)sp::spawn(chain(left - 1, done));
  }
  co_return;
}

sp::Task<void> run_chain(std::int64_t length) {
  auto [sender, receiver] = sp::oneshot<bool>();
  (void)sp::spawn(chain(length, &sender));
  (void)co_await receiver;
}

void chained_spawn(benchmark::State& state) {
  constexpr std::int64_t length = 10'000;
  sp::Runtime runtime(two_workers());
  bench::measure(state, length, [&] { runtime.block_on(run_chain(length)); });
  state.SetLabel("unit=ns");
}
BENCHMARK(chained_spawn)->Name("runtime::chained_spawn")->UseManualTime();

sp::Task<void> pong(sp::OneshotReceiver<bool> ping, sp::OneshotSender<bool> answer) {
  (void)co_await ping;
  answer.send(true);
}

sp::Task<void> ping(Countdown* countdown) {
  auto [ping_sender, ping_receiver] = sp::oneshot<bool>();
  auto [pong_sender, pong_receiver] = sp::oneshot<bool>();
  (void)sp::spawn(pong(std::move(ping_receiver), std::move(pong_sender)));
  ping_sender.send(true);
  (void)co_await pong_receiver;
  countdown->count();
}

sp::Task<void> run_pings(std::int64_t count) {
  auto [sender, receiver] = sp::oneshot<bool>();
  Countdown countdown{.left = count, .done = &sender};
  for (std::int64_t i = 0; i < count; ++i) (void)sp::spawn(ping(&countdown));
  (void)co_await receiver;
}

void ping_pong(benchmark::State& state) {
  constexpr std::int64_t pings = 1000;
  sp::Runtime runtime(two_workers());
  bench::measure(state, pings, [&] { runtime.block_on(run_pings(pings)); });
  state.SetLabel("unit=ns");
}
BENCHMARK(ping_pong)->Name("runtime::ping_pong")->UseManualTime();

sp::Task<void> arm_and_cancel(std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    // An answer that comes at once against a time limit of an hour.
    auto handle = sp::spawn(one());
    (void)co_await handle.wait_within(3'600'000'000'000);
    (void)handle.take();
  }
}
sp::Task<void> no_timer(std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    auto handle = sp::spawn(one());
    (void)co_await handle.wait_within(spawned::detail::no_deadline);
    (void)handle.take();
  }
}

// What a time limit adds to a wait that ends before it: arming and cancelling one timer.
void timer_arm_cancel(benchmark::State& state) {
  constexpr std::int64_t batch = 100'000;
  sp::Runtime runtime(two_workers());
  double with = 0;
  double without = 0;
  std::int64_t count = 0;
  runtime.block_on(arm_and_cancel(batch));
  for ([[maybe_unused]] auto iteration : state) {
    auto const begin = bench::RealClock::now();
    runtime.block_on(arm_and_cancel(batch));
    auto const middle = bench::RealClock::now();
    runtime.block_on(no_timer(batch));
    auto const end = bench::RealClock::now();
    with += std::chrono::duration<double>(middle - begin).count();
    without += std::chrono::duration<double>(end - middle).count();
    count += batch;
    state.SetIterationTime(std::chrono::duration<double>(end - begin).count());
  }
  state.counters["ns_per_op"] = (with - without) * 1e9 / static_cast<double>(count);
  state.SetLabel("unit=ns");
}
BENCHMARK(timer_arm_cancel)->Name("runtime::timer_arm_cancel")->UseManualTime();

sp::Task<void> send_values(std::int64_t count) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    auto [sender, receiver] = sp::oneshot<std::int64_t>();
    sender.send(i);
    auto value = co_await receiver;
    sum += *value;
  }
  benchmark::DoNotOptimize(sum);
}

void oneshot(benchmark::State& state) {
  constexpr std::int64_t batch = 200'000;
  sp::Runtime runtime(two_workers());
  bench::measure(state, batch, [&] { runtime.block_on(send_values(batch)); });
  state.SetLabel("unit=ns");
}
BENCHMARK(oneshot)->Name("runtime::oneshot")->UseManualTime();

// --- idle: a million idle actors and a thousand armed timers ---

class Idle : public sp::Actor<Idle> {
 public:
  struct Nothing {};
  void handle_message(Nothing /*message*/) {}
};

sp::Task<void> sleeper() { co_await sp::sleep(std::chrono::hours(1)); }

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto const seconds = [](timeval const& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void idle_cpu(benchmark::State& state) {
  double percent = 0;
  for ([[maybe_unused]] auto iteration : state) {
    sp::Runtime runtime(two_workers());
    std::vector<sp::ActorRef<Idle>> actors;
    for (int i = 0; i < 1'000'000; ++i) actors.emplace_back(Idle{}.start_on(runtime));
    std::vector<sp::JoinHandle<void>> timers;
    for (int i = 0; i < 1000; ++i) timers.push_back(runtime.spawn(sleeper()));
    std::this_thread::sleep_for(std::chrono::seconds(1));  // waiver G23: the start dies down
    auto const begin = bench::RealClock::now();
    double const before = cpu_seconds();
    std::this_thread::sleep_for(std::chrono::seconds(10));  // waiver G23: the window
    double const used = cpu_seconds() - before;
    double const window = std::chrono::duration<double>(bench::RealClock::now() - begin).count();
    percent = 100 * used / window;
    state.SetIterationTime(window);
  }
  state.counters["value"] = percent;
  state.SetLabel("unit=percent of one core");
}
BENCHMARK(idle_cpu)->Name("runtime::idle_cpu")->UseManualTime()->Iterations(1);

}  // namespace
