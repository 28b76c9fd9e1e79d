// 2: two actors ask each other.
//
// Bug          to tell its total, a warehouse asks the other one, in a handler; so does that one.
// Interleaving each has begun its total when the other's question comes: both wait for ever.
// Fix          questions go one way: the south goes by what the north has told it last.
#include <optional>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

class Warehouse : public sp::Actor<Warehouse> {
 public:
  struct Meet {
    sp::ActorRef<Warehouse> other;
    int others;
  };
  struct Count {};
  struct Total {};

  Warehouse(int count, bool asks) : count_(count), asks_(asks) {}
  void handle_request(Meet meet) {
    other_ = meet.other;
    others_ = meet.others;
  }
  int handle_request(Count /*request*/) {
    corpus::maybe_sleep();
    return count_;
  }
  sp::Task<int> handle_request(Total /*request*/) {
    corpus::maybe_sleep();
    if (!asks_) co_return count_ + others_;
    auto const others = co_await ask<Count>(*other_);
    co_return count_ + others.value();
  }

 private:
  int count_;
  bool asks_;
  std::optional<sp::ActorRef<Warehouse>> other_;
  int others_ = 0;
};

sp::Task<void> audit(sp::ActorRef<Warehouse> warehouse, int steps_before) {
  co_await corpus::work(steps_before);
  auto const total = co_await ask<Warehouse::Total>(warehouse);
  corpus::check(total.value() == 7, "a wrong total");
}

template <Variant variant>
sp::Task<void> ask_cycle() {
  auto north = Warehouse(3, true).start();
  auto south = Warehouse(4, variant == Variant::broken).start();
  (void)co_await ask<Warehouse::Meet>(north, south, 4);
  (void)co_await ask<Warehouse::Meet>(south, north, 3);
  auto one = sp::spawn(audit(north, 0));
  auto other = sp::spawn(audit(south, 6));
  auto first = co_await one;
  auto second = co_await other;
  first.value();
  second.value();
}

CORPUS_PROGRAM(2, "two actors ask each other", ask_cycle, false);

}  // namespace
