// Groups: what a broadcast costs beside the sends it is made of.
#include <spawned/registry/groups.hpp>

#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include <spawned/tasks.hpp>

#include "micro/measure.hpp"

namespace {

namespace sp = spawned::tasks;

struct Tick {
  std::uint64_t value;
};
struct Sync {};

class Member : public sp::Actor<Member> {
 public:
  void handle_message(Tick tick) { sum_ += tick.value; }
  std::uint64_t handle_request(Sync) { return sum_; }

 private:
  std::uint64_t sum_ = 0;
};

constexpr std::int64_t members = 1000;

sp::RuntimeOptions options(unsigned workers) {
  sp::RuntimeOptions result;
  result.workers = workers;
  return result;
}

sp::Task<void> settle(std::vector<sp::ActorRef<Member>> const& all) {
  for (auto const& each : all) {
    auto const reply = co_await each.request<Sync>();
    benchmark::DoNotOptimize(reply.value());
  }
}

// The sending is timed, on one worker, which handles nothing meanwhile.
enum class How : bool { sends, broadcast };
sp::Task<double> timed(std::vector<sp::ActorRef<Member>> const& all, sp::groups::Scope const& scope,
                       sp::groups::Group<Member> const& group, How how) {
  auto const begin = bench::RealClock::now();
  if (how == How::sends) {
    for (auto const& each : all) each.send<Tick>(1U);
  } else {
    benchmark::DoNotOptimize(scope.broadcast<Tick>(group, 1U));
  }
  double const took = std::chrono::duration<double>(bench::RealClock::now() - begin).count();
  co_await settle(all);
  co_return took;
}

void to_members(benchmark::State& state, How how) {
  sp::Runtime runtime(options(1));
  sp::groups::Scope const scope;
  sp::groups::Group<Member> const group("members");
  std::vector<sp::ActorRef<Member>> all;
  for (std::int64_t i = 0; i < members; ++i) {
    all.push_back(Member{}.start_on(runtime));
    scope.join(group, all.back()).value();
  }
  (void)runtime.block_on(timed(all, scope, group, how));
  double seconds = 0;
  std::int64_t count = 0;
  for ([[maybe_unused]] auto iteration : state) {
    double const took = runtime.block_on(timed(all, scope, group, how));
    state.SetIterationTime(took);
    seconds += took;
    count += members;
  }
  state.counters["ns_per_op"] = seconds * 1e9 / static_cast<double>(count);
}

void sends_to_members(benchmark::State& state) { to_members(state, How::sends); }
BENCHMARK(sends_to_members)->Name("groups/1000_sends")->UseManualTime();

void broadcast_to_members(benchmark::State& state) { to_members(state, How::broadcast); }
BENCHMARK(broadcast_to_members)->Name("groups/broadcast_to_1000")->UseManualTime();

// A join and a leave of a group of as many others.
void join_leave(benchmark::State& state) {
  constexpr std::int64_t batch = 10'000;
  sp::Runtime runtime(options(1));
  sp::groups::Scope const scope;
  sp::groups::Group<Member> const group("members");
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    scope.join(group, Member{}.start_on(runtime)).value();
  }
  auto const guest = Member{}.start_on(runtime);
  bench::measure(state, batch, [&] {
    for (std::int64_t i = 0; i < batch; ++i) {
      scope.join(group, guest).value();
      benchmark::DoNotOptimize(scope.leave(group, guest).value());
    }
  });
}
BENCHMARK(join_leave)->Name("groups/join_leave")->Arg(0)->Arg(1000)->UseManualTime();

}  // namespace
