// 14: four philosophers.
//
// Bug          everybody takes the fork on the left, then the one on the right.
// Interleaving all four have their left fork.
// Fix          the last one takes the right one first.
#include "simulation/corpus/lock.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Lock;
using corpus::Variant;

namespace {

class Philosopher : public sp::Actor<Philosopher> {
 public:
  struct Dine {
    int times;
  };
  Philosopher(sp::ActorRef<Lock> first, sp::ActorRef<Lock> second)
      : first_(std::move(first)), second_(std::move(second)) {}
  sp::Task<void> handle_request(Dine dine) {
    for (int i = 0; i < dine.times; ++i) {
      corpus::maybe_sleep();
      (void)co_await ask<Lock::Take>(first_);
      (void)co_await ask<Lock::Take>(second_);
      second_.send<Lock::Give>();
      first_.send<Lock::Give>();
    }
  }

 private:
  sp::ActorRef<Lock> first_;
  sp::ActorRef<Lock> second_;
};

sp::Task<void> dine(sp::ActorRef<Philosopher> philosopher, int steps_before) {
  co_await corpus::work(steps_before);
  auto const dined = co_await ask<Philosopher::Dine>(philosopher, 2);
  dined.value();
}

template <Variant variant>
sp::Task<void> philosophers() {
  constexpr std::size_t count = 4;
  std::vector<sp::ActorRef<Lock>> forks;
  for (std::size_t i = 0; i < count; ++i) forks.push_back(Lock{}.start());
  std::vector<sp::JoinHandle<void>> dinners;
  for (std::size_t i = 0; i < count; ++i) {
    auto left = forks[i];
    auto right = forks[(i + 1) % count];
    if (variant == Variant::fixed && i == count - 1) std::swap(left, right);
    dinners.push_back(sp::spawn(dine(Philosopher(left, right).start(), i == count - 1 ? 5 : 0)));
  }
  for (auto& dinner : dinners) {
    auto dined = co_await dinner;
    dined.value();
  }
}

CORPUS_PROGRAM(14, "four philosophers", philosophers, false);

}  // namespace
