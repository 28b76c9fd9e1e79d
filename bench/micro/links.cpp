// Links and monitors: made and taken back, and what a death costs each of those it is told to.
#include <cstdint>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <spawned/tasks.hpp>

#include "micro/measure.hpp"

namespace {

namespace sp = spawned::tasks;

class Peer : public sp::Actor<Peer> {
 public:
  struct Nothing {};
  void handle_message(Nothing) {}
};

class Keeper : public sp::Actor<Keeper> {
 public:
  struct LinkUnlink {
    std::int64_t count;
  };
  struct MonitorDemonitor {
    std::int64_t count;
  };
  explicit Keeper(sp::ActorRef<Peer> peer) : peer_(std::move(peer)) {}
  // Timed here: no message is part of it.
  double handle_request(LinkUnlink batch, sp::Context<Keeper>& context) {
    auto const begin = bench::RealClock::now();
    for (std::int64_t i = 0; i < batch.count; ++i) {
      benchmark::DoNotOptimize(context.link(peer_));
      benchmark::DoNotOptimize(context.unlink(peer_));
    }
    return std::chrono::duration<double>(bench::RealClock::now() - begin).count();
  }
  double handle_request(MonitorDemonitor batch, sp::Context<Keeper>& context) {
    auto const begin = bench::RealClock::now();
    for (std::int64_t i = 0; i < batch.count; ++i) {
      benchmark::DoNotOptimize(context.demonitor(context.monitor(peer_)));
    }
    return std::chrono::duration<double>(bench::RealClock::now() - begin).count();
  }
  void handle_message(sp::Down const& /*down*/) {}

 private:
  sp::ActorRef<Peer> peer_;
};

template <typename M>
void pairs(benchmark::State& state) {
  constexpr std::int64_t batch = 200'000;
  sp::RuntimeOptions options;
  options.workers = 2;
  options.slow_turn_warning = std::chrono::nanoseconds(0);  // the batch is one turn
  sp::Runtime runtime(options);
  auto peer = Peer().start_on(runtime);
  auto keeper = Keeper(peer).start_on(runtime);
  auto const run = [&] {
    return keeper.template request_blocking_with_timeout<M>(sp::no_timeout, batch).value();
  };
  (void)run();
  double seconds = 0;
  std::int64_t count = 0;
  for ([[maybe_unused]] auto iteration : state) {
    double const took = run();
    state.SetIterationTime(took);
    seconds += took;
    count += batch;
  }
  state.counters["ns_per_op"] = seconds * 1e9 / static_cast<double>(count);
  state.SetLabel("unit=ns");
}
BENCHMARK(pairs<Keeper::LinkUnlink>)->Name("actors::link_unlink")->UseManualTime();
BENCHMARK(pairs<Keeper::MonitorDemonitor>)->Name("actors::monitor_demonitor")->UseManualTime();

}  // namespace
