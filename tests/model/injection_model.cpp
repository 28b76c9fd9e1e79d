// The injection queue (scheduler/injector.cpp, as it is): the counter beside the queue, on which
// the parking protocol relies. The queue itself is a stand-in (standin/concurrentqueue/) that
// promises what moodycamel's does.
#include "model/support.hpp"
#include "scheduler/injector.hpp"

namespace {

using namespace model_test;
using spawned::detail::atomic;
using spawned::detail::Injector;
using spawned::detail::memory_order_seq_cst;
using spawned::detail::Runnable;
using spawned::detail::SharedCell;

struct Work final : Runnable {
  Work() : Runnable(nullptr, [](Runnable&) noexcept {}) {}
  SharedCell<int> payload;
  int taken = 0;
};

// Takes up to `most`, and sees what was written before the push.
std::size_t take(Injector& injector, std::size_t most) {
  Runnable* items[2];
  std::size_t const count = injector.take(items, most);
  for (std::size_t i = 0; i < count; ++i) {
    Work& work = static_cast<Work&>(*items[i]);
    model::check(work.payload.get() == 1, "the taker sees what its pusher wrote");
    model::check(++work.taken == 1, "nothing is taken twice");
  }
  return count;
}

}  // namespace

TEST_SUITE("model/injection") {
  TEST_CASE(
      "two push and two take: nothing is lost, nothing taken twice, and the count ends exact") {
    holds([] {
      Injector injector;
      Work first;
      Work second;
      std::size_t taken = 0;
      auto const push = [&](Work& work) {
        return [&] {
          work.payload.set(1);
          injector.push(work);
        };
      };
      model::parallel(
          push(first), push(second), [&] { taken += take(injector, 2); },
          [&] { taken += take(injector, 1); });
      model::check(injector.has_work() == (taken < 2) && injector.size() == 2 - taken,
                   "the count is exact when nobody is at work");
      taken += take(injector, 2);
      model::check(taken == 2 && !injector.has_work(), "all is there");
    });
  }

  TEST_CASE("who sees that there is work finds it, when nobody else takes any") {
    holds([] {
      Injector injector;
      Work first;
      Work second;
      model::parallel(
          [&] {
            first.payload.set(1);
            injector.push(first);
            second.payload.set(1);
            injector.push(second);
          },
          [&] {
            while (injector.has_work()) {
              model::check(take(injector, 1) == 1, "the item is there once it counts");
            }
          });
      while (take(injector, 2) != 0) {
      }
      model::check(first.taken + second.taken == 2, "nothing is lost");
    });
  }

  TEST_CASE("of a pusher and a worker that goes to sleep, one sees the other") {
    holds([] {
      Injector injector;
      Work work;
      atomic<bool> asleep{false};
      bool woken = false;
      bool seen = false;
      model::parallel(
          [&] {
            injector.push(work);
            woken = asleep.load(memory_order_seq_cst);
          },
          [&] {
            asleep.store(true, memory_order_seq_cst);
            seen = injector.has_work();
          });
      model::check(woken || seen, "as idle.hpp needs it");
    });
  }
}
