// 7: one order, two answers.
//
// Bug          a shop answers "failed" when the time is over, and answers again when the
//              kitchen is done after all.
// Interleaving the dish is ready after the time limit.
// Fix          an order that has been answered is closed, and what comes later is dropped.
#include <set>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using corpus::ask;
using corpus::Variant;

namespace {

class Guest : public sp::Actor<Guest> {
 public:
  struct Answer {
    bool served;
  };
  struct Answers {};
  void handle_message(Answer /*answer*/) {
    corpus::maybe_sleep();
    ++answers_;
  }
  int handle_request(Answers /*request*/) {
    corpus::maybe_sleep();
    return answers_;
  }

 private:
  int answers_ = 0;
};

class Kitchen;

class Shop : public sp::Actor<Shop> {
 public:
  struct Order {
    sp::ActorRef<Kitchen> kitchen;
    int id;
  };
  struct Ready {
    int id;
  };
  struct TimeIsOver {
    int id;
  };
  Shop(Variant variant, sp::ActorRef<Guest> guest) : variant_(variant), guest_(std::move(guest)) {}
  void handle_message(Order order, sp::Context<Shop>& context);
  void handle_message(Ready ready) {
    corpus::maybe_sleep();
    bool const was_open = open_.erase(ready.id) != 0;
    if (was_open || variant_ == Variant::broken) guest_.send<Guest::Answer>(true);
  }
  void handle_message(TimeIsOver over) {
    corpus::maybe_sleep();
    if (open_.erase(over.id) != 0) guest_.send<Guest::Answer>(false);
  }

 private:
  Variant variant_;
  sp::ActorRef<Guest> guest_;
  std::set<int> open_;
};

class Kitchen : public sp::Actor<Kitchen> {
 public:
  struct Cook {
    sp::ActorRef<Shop> shop;
    int id;
  };
  void handle_message(Cook cook) {
    corpus::maybe_sleep();
    cook.shop.send<Shop::Ready>(cook.id);
  }
};

void Shop::handle_message(Order order, sp::Context<Shop>& context) {
  corpus::maybe_sleep();
  auto const self = context.self();
  open_.insert(order.id);
  order.kitchen.send<Kitchen::Cook>(self, order.id);
  (void)sp::send_after<TimeIsOver>(10ms, self, order.id);
}

template <Variant variant>
sp::Task<void> double_reply() {
  auto guest = Guest{}.start();
  auto shop = Shop(variant, guest).start();
  auto kitchen = Kitchen{}.start();
  shop.send<Shop::Order>(kitchen, 1);
  co_await sp::sleep(15ms);
  auto const answers = co_await ask<Guest::Answers>(guest);
  corpus::check(answers.value() <= 1, "an order was answered twice");
}

CORPUS_PROGRAM(7, "two answers to one order", double_reply, true);

}  // namespace
