// Handlers that block their workers at random, beside actors, timers and outside threads that go
// on: spares come and go all the time, and nothing is lost.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <spawned/tasks.hpp>

#include "support/stress.hpp"

namespace sp = spawned::tasks;

namespace {

using Count = std::atomic<std::uint64_t>;

/// Blocks its thread for as long as the message says, as no handler should.
class Wedged : public sp::Actor<Wedged> {
 public:
  struct Block {
    std::chrono::microseconds duration;
  };
  struct Served {};
  void handle_message(Block message) {
    // waiver G23: the load
    if (message.duration.count() != 0) std::this_thread::sleep_for(message.duration);
    ++served_;
  }
  std::uint64_t handle_request(Served /*request*/) { return served_; }

 private:
  std::uint64_t served_ = 0;
};

class Adder : public sp::Actor<Adder> {
 public:
  struct Add {
    std::uint64_t amount;
  };
  struct Sleepy {};
  std::uint64_t handle_request(Add request) { return sum_ += request.amount; }
  sp::Task<std::uint64_t> handle_request(Sleepy /*request*/) {
    co_await sp::sleep(std::chrono::microseconds(300));
    co_return ++sum_;
  }

 private:
  std::uint64_t sum_ = 0;
};

sp::Task<void> leaf(Count& done) {
  done.fetch_add(1, std::memory_order_relaxed);
  co_return;
}

// Requests, sleeps and children; counts itself when all of it is done. Without limits: with few
// spares the wedged may keep all workers for seconds; what never comes is found by the watchdog.
sp::Task<void> traffic(sp::ActorRef<Adder> adder, stress::Random random, Count& done) {
  for (std::uint64_t step = random.below(10); step != 0; --step) {
    switch (random.below(5)) {
      case 0: {
        auto sum = co_await adder.request_with_timeout<Adder::Sleepy>(sp::no_timeout);
        stress::check(sum.has_value(), "a request with a sleep");
        break;
      }
      case 1:
        co_await sp::sleep(std::chrono::microseconds(random.below(3000)));
        break;
      case 2: {
        auto child = sp::spawn(leaf(done));
        auto ended = co_await child;
        stress::check(ended.has_value(), "a child");
        break;
      }
      case 3:
        co_await sp::yield_now();
        break;
      default: {
        auto sum = co_await adder.request_with_timeout<Adder::Add>(sp::no_timeout, 1U);
        stress::check(sum.has_value(), "a request");
        break;
      }
    }
  }
  done.fetch_add(1, std::memory_order_relaxed);
}

void inject(stress::Run& run, sp::Runtime& runtime, stress::Random random,
            std::vector<sp::ActorRef<Wedged>> wedged, double share) {
  auto adder = Adder().start_on(runtime);
  std::vector<std::uint64_t> sent(wedged.size());
  Count done{0};
  while (run.time_left(share)) {
    std::vector<sp::JoinHandle<void>> tasks;
    for (std::uint64_t n = 1 + random.below(20); n != 0; --n) {
      tasks.push_back(runtime.spawn(traffic(adder, stress::Random(random.next()), done)));
    }
    if (random.one_in(2)) {
      std::size_t const which = random.below(wedged.size());
      auto const duration = random.one_in(4) ? 0 : random.below(30'000);
      wedged[which].send<Wedged::Block>(std::chrono::microseconds(duration));
      ++sent[which];
    }
    for (auto& task : tasks) stress::check(task.join_blocking().has_value(), "a task");
    run.beat();
  }
  // Its own messages came before this request.
  for (std::size_t i = 0; i < wedged.size(); ++i) {
    auto served = wedged[i].request_blocking_with_timeout<Wedged::Served>(std::chrono::seconds(60));
    stress::check(served.has_value() && *served >= sent[i], "a message to a wedged actor");
    run.beat();
  }
}

void phase(stress::Run& run, unsigned workers, unsigned threads, unsigned spares, double share) {
  sp::RuntimeOptions options;
  options.workers = workers;
  options.rescue_after = std::chrono::milliseconds(1);  // so that many are rescued, briefly
  options.slow_turn_warning = std::chrono::nanoseconds(0);
  options.spare_workers_max = spares;
  sp::Runtime runtime(std::move(options));
  run.on_hang([&runtime] { return stress::describe(runtime); });
  std::vector<sp::ActorRef<Wedged>> wedged;
  for (unsigned i = 0; i < 3; ++i) wedged.push_back(Wedged().start_on(runtime));
  std::vector<std::thread> injectors;
  for (unsigned i = 0; i < threads; ++i) {
    injectors.emplace_back(
        [&, i] { inject(run, runtime, run.random(100 * workers + i), wedged, share); });
  }
  for (std::thread& injector : injectors) injector.join();
  spawned::RuntimeCounters const counters = runtime.counters();
  stress::check_equal(counters.injection_depth, 0, "units left in the injection queue");
  std::printf("%u workers, %u threads: %llu rescues by %llu spares, %llu turns of theirs\n",
              workers, threads, static_cast<unsigned long long>(counters.rescues),
              static_cast<unsigned long long>(counters.spare_workers),
              static_cast<unsigned long long>(counters.spare_turns));
  run.on_hang({});
}

}  // namespace

int main() {
  stress::Run run("rescue");
  phase(run, 1, 1, 64, 0.25);
  phase(run, 1, 3, 1, 0.5);
  phase(run, 2, 2, 64, 0.75);
  phase(run, 3, 2, 2, 1.0);
  return 0;
}
