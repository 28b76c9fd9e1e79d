// 19: an impatient shutdown that kills a handler half way.
//
// Bug          the cashier moves money by two requests, and whoever stops it kills it after 20 ms.
// Interleaving the time is over while the cashier waits for the answer to the first request.
// Fix          one request says all that belongs together, so that it is done or not.
#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;
using namespace std::chrono_literals;

namespace {

// Of a savings account and a current account.
class Ledger : public sp::Actor<Ledger> {
 public:
  struct Save {
    int amount;
  };
  struct Spend {
    int amount;
  };
  struct Move {
    int amount;
  };
  struct Total {};
  void handle_request(Save save) {
    corpus::maybe_sleep();
    savings_ += save.amount;
  }
  void handle_request(Spend spend) {
    corpus::maybe_sleep();
    current_ -= spend.amount;
  }
  void handle_request(Move move) {
    corpus::maybe_sleep();
    current_ -= move.amount;
    savings_ += move.amount;
  }
  int handle_request(Total /*request*/) const { return savings_ + current_; }

 private:
  int savings_ = 0;
  int current_ = 100;
};

class Cashier : public sp::Actor<Cashier> {
 public:
  struct Transfer {
    int amount;
  };
  Cashier(Variant variant, sp::ActorRef<Ledger> ledger)
      : variant_(variant), ledger_(std::move(ledger)) {}
  sp::Task<void> handle_message(Transfer transfer) {
    corpus::maybe_sleep();
    if (variant_ == Variant::fixed) {
      (void)co_await ask<Ledger::Move>(ledger_, transfer.amount);
    } else {
      (void)co_await ask<Ledger::Spend>(ledger_, transfer.amount);
      (void)co_await ask<Ledger::Save>(ledger_, transfer.amount);
    }
  }

 private:
  Variant variant_;
  sp::ActorRef<Ledger> ledger_;
};

template <Variant variant>
sp::Task<void> killed_half_way() {
  auto ledger = Ledger{}.start();
  auto cashier = Cashier(variant, ledger).start();
  cashier.send<Cashier::Transfer>(10);
  auto const stopped = co_await cashier.stop_and_wait({}, 20ms);
  if (!stopped) {
    cashier.kill();
    (void)co_await cashier.wait_exit();
  }
  auto const total = co_await ask<Ledger::Total>(ledger);
  corpus::check(total.value() == 100, "money has left one account and not reached the other");
}

CORPUS_PROGRAM(19, "a handler killed half way", killed_half_way, true);

}  // namespace
