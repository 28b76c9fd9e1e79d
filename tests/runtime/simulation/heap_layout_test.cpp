// check_determinism() and the order of addresses.
#include <set>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/oneshot.hpp>
#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

// Their malloc hands out blocks in an order of its own; the pools are off under the address
// sanitizer.
#if defined(__SANITIZE_ADDRESS__)
#define SPAWNED_FOREIGN_MALLOC 1
#define SPAWNED_FOREIGN_POOLS 1
#elif defined(__has_feature)
#define SPAWNED_FOREIGN_MALLOC (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#define SPAWNED_FOREIGN_POOLS __has_feature(address_sanitizer)
#elif defined(__SANITIZE_THREAD__)
#define SPAWNED_FOREIGN_MALLOC 1
#define SPAWNED_FOREIGN_POOLS 0
#else
#define SPAWNED_FOREIGN_MALLOC 0
#define SPAWNED_FOREIGN_POOLS 0
#endif

namespace sim = spawned::simulation;
using spawned::Task;

namespace {

struct Listener {
  explicit Listener(spawned::OneshotSender<int> to) : bell(std::move(to)) {}
  spawned::OneshotSender<int> bell;
};

struct OnHeap {
  static Listener* make(spawned::OneshotSender<int> bell) { return new Listener(std::move(bell)); }
  static void destroy(Listener* listener) { delete listener; }
};
struct InPool {
  static Listener* make(spawned::OneshotSender<int> bell) {
    return spawned::detail::pool_new<Listener>(std::move(bell));
  }
  static void destroy(Listener* listener) { spawned::detail::pool_delete(listener); }
};

Task<void> listen(spawned::OneshotReceiver<int> receiver) { (void)co_await receiver; }

// Rings the bells of all who listen, in the order of a std::set of pointers, or as they came.
template <typename Memory, bool by_address>
Task<void> ring_all() {
  std::set<Listener*> set;
  std::vector<Listener*> all;
  std::vector<spawned::JoinHandle<void>> tasks;
  for (int i = 0; i < 16; ++i) {
    auto [sender, receiver] = spawned::oneshot<int>();
    tasks.push_back(spawned::spawn(listen(std::move(receiver))));
    all.push_back(Memory::make(std::move(sender)));
    set.insert(all.back());
  }
  for (int i = 0; i < 16; ++i) co_await spawned::yield_now();
  if (by_address) all.assign(set.begin(), set.end());
  for (Listener* const each : all) {
    (void)each->bell.send(1);
    Memory::destroy(each);
  }
  for (auto& task : tasks) (void)co_await task;
}

sim::Options fifo() {
  sim::Options options;
  options.clock = sim::ClockMode::idle;
  options.strategy = sim::Strategy::random;  // priorities would hide the order of wake-ups
  return options;
}

}  // namespace

TEST_SUITE("runtime/simulation/heap_layout") {
#if !SPAWNED_FOREIGN_MALLOC
  TEST_CASE("check_determinism sees an order of addresses: those of operator new") {
    CHECK_THROWS_AS(sim::check_determinism(1, fifo(), [] { return ring_all<OnHeap, true>(); }),
                    sim::NotDeterministic);
  }
#endif

#if !SPAWNED_FOREIGN_POOLS
  TEST_CASE("check_determinism sees an order of addresses: those of the pools") {
    CHECK_THROWS_AS(sim::check_determinism(1, fifo(), [] { return ring_all<InPool, true>(); }),
                    sim::NotDeterministic);
  }
#endif

  TEST_CASE("addresses that order nothing make no difference") {
    CHECK_NOTHROW(sim::check_determinism(1, fifo(), [] { return ring_all<OnHeap, false>(); }));
    CHECK_NOTHROW(sim::check_determinism(1, fifo(), [] { return ring_all<InPool, false>(); }));
  }
}
