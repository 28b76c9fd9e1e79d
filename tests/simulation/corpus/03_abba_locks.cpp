// 3: two locks, taken in two orders.
//
// Bug          a transfer locks the account it takes from, then the one it gives to.
// Interleaving two transfers in opposite directions each have their first lock.
// Fix          everybody takes the locks in one order.
#include <array>

#include "simulation/corpus/lock.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Lock;
using corpus::Variant;

namespace {

class Clerk : public sp::Actor<Clerk> {
 public:
  struct Transfer {
    std::size_t from;
    std::size_t to;
  };
  Clerk(Variant variant, std::array<sp::ActorRef<Lock>, 2> locks)
      : variant_(variant), locks_(std::move(locks)) {}

  sp::Task<void> handle_request(Transfer transfer) {
    corpus::maybe_sleep();
    auto [first, second] = transfer;
    if (variant_ == Variant::fixed && second < first) std::swap(first, second);
    (void)co_await ask<Lock::Take>(locks_.at(first));
    (void)co_await ask<Lock::Take>(locks_.at(second));
    locks_.at(second).send<Lock::Give>();
    locks_.at(first).send<Lock::Give>();
  }

 private:
  Variant variant_;
  std::array<sp::ActorRef<Lock>, 2> locks_;
};

sp::Task<void> transfer(sp::ActorRef<Clerk> clerk, std::size_t from, std::size_t to,
                        int steps_before) {
  co_await corpus::work(steps_before);
  auto const done = co_await ask<Clerk::Transfer>(clerk, from, to);
  done.value();
}

template <Variant variant>
sp::Task<void> abba_locks() {
  std::array<sp::ActorRef<Lock>, 2> const locks{Lock{}.start(), Lock{}.start()};
  auto left = Clerk(variant, locks).start();
  auto right = Clerk(variant, locks).start();
  auto there = sp::spawn(transfer(left, 0, 1, 0));
  auto back = sp::spawn(transfer(right, 1, 0, 6));
  auto first = co_await there;
  auto second = co_await back;
  first.value();
  second.value();
}

CORPUS_PROGRAM(3, "locks in two orders", abba_locks, false);

}  // namespace
