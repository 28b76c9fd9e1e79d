// 1: an update that is lost.
//
// Bug          a teller reads the balance, computes, and writes it back: two requests.
// Interleaving the other teller's write comes between the two.
// Fix          one request says what to do, and the vault does it in one handler.
#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

class Vault : public sp::Actor<Vault> {
 public:
  struct Balance {};
  struct Set {
    int value;
  };
  struct Withdraw {
    int amount;
  };
  int handle_request(Balance /*request*/) {
    corpus::maybe_sleep();
    return balance_;
  }
  void handle_request(Set set) {
    corpus::maybe_sleep();
    balance_ = set.value;
  }
  void handle_request(Withdraw withdraw) {
    corpus::maybe_sleep();
    balance_ -= withdraw.amount;
  }

 private:
  int balance_ = 100;
};

class Teller : public sp::Actor<Teller> {
 public:
  struct Serve {
    int amount;
  };
  Teller(Variant variant, sp::ActorRef<Vault> vault)
      : variant_(variant), vault_(std::move(vault)) {}
  sp::Task<void> handle_request(Serve serve) {
    corpus::maybe_sleep();
    if (variant_ == Variant::fixed) {
      (void)co_await ask<Vault::Withdraw>(vault_, serve.amount);
    } else {
      auto const balance = co_await ask<Vault::Balance>(vault_);
      (void)co_await ask<Vault::Set>(vault_, balance.value() - serve.amount);
    }
  }

 private:
  Variant variant_;
  sp::ActorRef<Vault> vault_;
};

template <Variant variant>
sp::Task<void> lost_update() {
  auto vault = Vault{}.start();
  auto one = Teller(variant, vault).start();
  auto other = Teller(variant, vault).start();
  auto first = one.start_request<Teller::Serve>(10);
  auto second = other.start_request<Teller::Serve>(10);
  (void)co_await first;
  (void)co_await second;
  auto const left = co_await ask<Vault::Balance>(vault);
  corpus::check(left.value() == 80, "a withdrawal is lost");
}

CORPUS_PROGRAM(1, "lost update over an await", lost_update, false);

}  // namespace
