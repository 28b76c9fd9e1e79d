// How fast simulated programs run: steps and seeds.
#include <spawned/runtime/simulation.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <spawned/tasks.hpp>

namespace {

namespace sim = spawned::simulation;
namespace sp = spawned::tasks;

// Ten actors in a ring; each passes a number on until it is 0.
class Member : public sp::Actor<Member> {
 public:
  struct Next {
    sp::ActorRef<Member> ref;
  };
  struct Pass {
    unsigned left;
  };
  struct Sum {};
  Member() {}
  void handle_message(Next next) { next_ = std::move(next.ref); }
  void handle_message(Pass pass) {
    ++handled_;
    if (pass.left != 0) next_->send<Pass>(pass.left - 1);
  }
  unsigned handle_request(Sum /*request*/) { return handled_; }

 private:
  std::optional<sp::ActorRef<Member>> next_;
  unsigned handled_ = 0;
};

constexpr unsigned members = 10;

sp::Task<void> ring(unsigned hops, unsigned tokens) {
  std::vector<sp::ActorRef<Member>> all;
  for (unsigned i = 0; i < members; ++i) all.push_back(Member{}.start());
  for (unsigned i = 0; i < members; ++i) {
    sp::ActorRef<Member> next = all[(i + 1) % members];
    all[i].send<Member::Next>(std::move(next));
  }
  for (unsigned i = 0; i < tokens; ++i) all[i].send<Member::Pass>(hops);
  co_await sp::sleep(std::chrono::seconds(1));
  unsigned sum = 0;
  for (auto const& member : all) {
    auto const own = co_await member.request<Member::Sum>();
    sum += own.value();
  }
  if (sum != (hops + 1) * tokens) throw std::runtime_error("a message is lost");
}

sim::Options options(sim::Strategy strategy) {
  sim::Options result;
  result.strategy = strategy;
  result.clock = sim::ClockMode::idle;
  result.steps_max = 100'000'000;
  return result;
}

// Long runs: what a step costs. `tokens` are under way at once.
void steps(benchmark::State& state, sim::Strategy strategy) {
  auto const tokens = static_cast<unsigned>(state.range(0));
  std::uint64_t seed = 0;
  std::uint64_t done = 0;
  for (auto unused : state) {
    auto const report =
        sim::run(++seed, options(strategy), [tokens] { return ring(10'000, tokens); });
    if (!report.passed()) state.SkipWithError(report.problem.c_str());
    done += report.steps;
  }
  state.counters["steps/s"] =
      benchmark::Counter(static_cast<double>(done), benchmark::Counter::kIsRate);
}

// Short runs of ten actors, some 70 steps each: what a seed costs.
void seeds(benchmark::State& state) {
  std::uint64_t seed = 0;
  for (auto unused : state) {
    auto const report =
        sim::run(++seed, options(sim::Strategy::portfolio), [] { return ring(20, 2); });
    if (!report.passed()) state.SkipWithError(report.problem.c_str());
  }
  state.counters["seeds/min"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * 60, benchmark::Counter::kIsRate);
}

BENCHMARK_CAPTURE(steps, random, sim::Strategy::random)
    ->Name("simulation/steps/random")
    ->Arg(1)
    ->Arg(10);
BENCHMARK_CAPTURE(steps, pct, sim::Strategy::pct)->Name("simulation/steps/pct")->Arg(10);
BENCHMARK(seeds)->Name("simulation/seeds");

}  // namespace
