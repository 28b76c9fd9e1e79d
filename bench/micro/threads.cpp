// The threads flavour. Its label names the floor it stands beside.
#include <spawned/threads.hpp>

#include <cstdint>
#include <memory>

#include <benchmark/benchmark.h>

#include "micro/measure.hpp"
#include "micro/pin.hpp"

namespace {

namespace sp = spawned::threads;

class Adder : public sp::Actor<Adder> {
 public:
  struct Add {
    std::int64_t n;
  };
  // The affinity mask is the machine's again when the actor, and with it its thread, ends. A
  // pointer: an actor must be movable.
  void init() { pin_ = std::make_unique<bench::PinScope>(1); }
  std::int64_t handle_request(Add add) { return add.n + 1; }
  void teardown() { pin_.reset(); }

 private:
  std::unique_ptr<bench::PinScope> pin_;
};

void request(benchmark::State& state) {
  constexpr std::int64_t batch = 5'000;
  sp::Runtime runtime;
  auto adder = Adder{}.start_on(runtime);
  (void)adder.request_blocking<Adder::Add>(1);
  bench::PinScope const pinned(0);
  sp::ActorRef<Adder> const ref(adder);
  std::int64_t sum = 0;
  bench::measure(state, batch, [&] {
    for (std::int64_t i = 0; i < batch; ++i) sum += *ref.request<Adder::Add>(i);
  });
  benchmark::DoNotOptimize(sum);
  state.SetLabel("floor=floor::thread_request;unit=ns");
}
BENCHMARK(request)->Name("threads::request")->UseManualTime();

}  // namespace
