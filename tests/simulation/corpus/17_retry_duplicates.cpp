// 17: tried again, done twice.
//
// Bug          a client that gets no answer in time asks again, and the server does it again.
// Interleaving the first try is late, not lost.
// Fix          tries of one order carry its number, and the server knows what it has done.
#include <set>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using corpus::ask;
using corpus::Variant;

namespace {

class Till : public sp::Actor<Till> {
 public:
  struct Charge {
    int order;
    int amount;
  };
  struct Charged {};
  explicit Till(Variant variant) : variant_(variant) {}
  void handle_request(Charge charge) {
    corpus::maybe_sleep();
    bool const is_new = done_.insert(charge.order).second;
    if (is_new || variant_ == Variant::broken) charged_ += charge.amount;
  }
  int handle_request(Charged /*request*/) {
    corpus::maybe_sleep();
    return charged_;
  }

 private:
  Variant variant_;
  std::set<int> done_;
  int charged_ = 0;
};

sp::Task<void> charge(sp::ActorRef<Till> till, int order, int amount) {
  for (int tries = 0; tries < 3; ++tries) {
    auto const charged = co_await till.request_with_timeout<Till::Charge>(10ms, order, amount);
    if (charged) co_return;
  }
  auto const charged = co_await ask<Till::Charge>(till, order, amount);
  charged.value();
}

template <Variant variant>
sp::Task<void> retry_duplicates() {
  auto till = Till(variant).start();
  auto one = sp::spawn(charge(till, 1, 100));
  auto other = sp::spawn(charge(till, 2, 10));
  (void)co_await one;
  (void)co_await other;
  auto const charged = co_await ask<Till::Charged>(till);
  corpus::check(charged.value() == 110, "an order was charged twice");
}

CORPUS_PROGRAM(17, "a retry does it twice", retry_duplicates, true);

}  // namespace
