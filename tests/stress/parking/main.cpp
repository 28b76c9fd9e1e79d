// Idle workers and outside threads: no wake-up is lost, whatever the gap between two tasks.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <spawned/tasks.hpp>

#include "support/stress.hpp"

namespace sp = spawned::tasks;

namespace {

using Count = std::atomic<std::uint64_t>;

sp::Task<void> leaf(Count& done) {
  done.fetch_add(1, std::memory_order_relaxed);
  co_return;
}

// Several children at once: a worker that must call others for help.
sp::Task<void> tree(Count& done, unsigned depth) {
  if (depth != 0) {
    auto left = sp::spawn(tree(done, depth - 1));
    auto right = sp::spawn(tree(done, depth - 1));
    co_await sp::yield_now();
    auto first = co_await left;
    auto second = co_await right;
    stress::check(first.has_value() && second.has_value(), "a child task did not return");
  }
  done.fetch_add(1, std::memory_order_relaxed);
}

sp::Task<void> receive(sp::OneshotReceiver<std::uint64_t> receiver, Count& sum) {
  auto value = co_await receiver;
  stress::check(value.has_value(), "a oneshot lost its value");
  sum.fetch_add(*value, std::memory_order_relaxed);
}

/// Waits as long as a random choice says: not at all, a spin, or until the workers sleep.
void gap(stress::Random& random) {
  switch (random.below(8)) {
    case 0:
      // waiver G23: the workload's gap
      std::this_thread::sleep_for(std::chrono::microseconds(random.below(400)));
      break;
    case 1:
      std::this_thread::yield();
      break;
    case 2:
    case 3:
      for (std::uint64_t spins = random.below(20'000); spins != 0; --spins) {
        spawned::detail::cpu_pause();
      }
      break;
    default:
      break;
  }
}

// One outside thread: every task it injects must end, most of them before the next one goes out,
// so that nobody but the waker under test can save a lost wake-up.
void inject(stress::Run& run, sp::Runtime& runtime, stress::Random random, double share) {
  Count done{0};
  std::uint64_t wanted = 0;
  while (run.time_left(share)) {
    gap(random);
    switch (random.below(4)) {
      case 0: {
        auto const depth = static_cast<unsigned>(random.below(5));
        wanted += (2U << depth) - 1;
        stress::check(runtime.spawn(tree(done, depth)).join_blocking().has_value(), "a tree");
        break;
      }
      case 1: {
        auto [sender, receiver] = sp::oneshot<std::uint64_t>();
        auto task = runtime.spawn(receive(std::move(receiver), done));
        gap(random);
        stress::check(sender.send(1), "a oneshot was refused");
        stress::check(task.join_blocking().has_value(), "a receiver");
        ++wanted;
        break;
      }
      case 2: {
        std::vector<sp::JoinHandle<void>> tasks;
        for (std::uint64_t n = 1 + random.below(100); n != 0; --n) {
          tasks.push_back(runtime.spawn(leaf(done)));
          ++wanted;
        }
        for (auto& task : tasks) stress::check(task.join_blocking().has_value(), "a leaf of many");
        break;
      }
      default:
        ++wanted;
        stress::check(runtime.spawn(leaf(done)).join_blocking().has_value(), "a leaf");
        break;
    }
    stress::check_equal(done.load(), wanted, "tasks done");
    run.beat();
  }
}

void phase(stress::Run& run, unsigned workers, unsigned threads, unsigned spin_us, double share) {
  sp::RuntimeOptions options;
  options.workers = workers;
  options.spin = std::chrono::microseconds(spin_us);
  sp::Runtime runtime(std::move(options));
  run.on_hang([&runtime] { return stress::describe(runtime); });
  std::vector<std::thread> injectors;
  for (unsigned i = 0; i < threads; ++i) {
    injectors.emplace_back(
        [&, i] { inject(run, runtime, run.random(1000 * workers + 100 * spin_us + i), share); });
  }
  for (std::thread& injector : injectors) injector.join();
  spawned::RuntimeCounters const counters = runtime.counters();
  stress::check_equal(counters.injection_depth, 0, "units left in the injection queue");
  run.on_hang({});
}

// An outside thread moves a manual clock, which wakes everybody, while another injects one task.
// Then the mover rests, so that nobody hides a wake-up that was lost.
void virtual_time(stress::Run& run, unsigned workers, double share) {
  auto clock = std::make_shared<sp::ManualClock>();
  sp::RuntimeOptions options;
  options.workers = workers;
  options.spin = std::chrono::nanoseconds(0);
  options.clock = clock;
  sp::Runtime runtime(std::move(options));
  run.on_hang([&runtime] { return stress::describe(runtime); });
  Count rounds{0};
  std::atomic<bool> over{false};
  std::thread mover([&] {
    stress::Random random = run.random(77 + workers);
    for (std::uint64_t seen = 0; !over.load();) {
      if (rounds.load() == seen) {
        std::this_thread::yield();
        continue;
      }
      ++seen;
      for (std::uint64_t steps = random.below(8); steps != 0; --steps) {
        clock->advance(std::chrono::nanoseconds(1));
      }
    }
  });
  Count done{0};
  stress::Random random = run.random(78 + workers);
  while (run.time_left(share)) {
    std::uint64_t const round = rounds.fetch_add(1) + 1;
    for (std::uint64_t spins = random.below(1000); spins != 0; --spins) {
      spawned::detail::cpu_pause();
    }
    stress::check(runtime.spawn(leaf(done)).join_blocking().has_value(), "a task beside a clock");
    stress::check_equal(done.load(), round, "tasks done");
    run.beat();
  }
  over.store(true);
  mover.join();
  run.on_hang({});
}

}  // namespace

int main() {
  stress::Run run("parking");
  phase(run, 1, 1, 30, 0.15);
  phase(run, 1, 2, 0, 0.3);
  phase(run, 2, 1, 0, 0.45);
  phase(run, 2, 3, 30, 0.6);
  phase(run, 4, 1, 0, 0.7);
  phase(run, 4, 3, 30, 0.85);
  virtual_time(run, 1, 0.95);
  virtual_time(run, 2, 1.0);
  return 0;
}
