// 28: a request that is executed twice although the server knows its number.
//
// Bug          the server notes the number and the answer when the work is done.
// Interleaving the client's time limit is over before that, and it asks again under the same
// number. Fix          the number is noted before the work begins; who asks again waits for the
// same answer.
#include <map>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;
using namespace std::chrono_literals;

namespace {

class Account : public sp::Actor<Account> {
 public:
  struct Withdraw {
    int amount;
  };
  struct Balance {};
  int handle_request(Withdraw withdraw) {
    corpus::maybe_sleep();
    balance_ -= withdraw.amount;
    return balance_;
  }
  int handle_request(Balance /*request*/) const { return balance_; }

 private:
  int balance_ = 100;
};

class Server : public sp::Actor<Server> {
 public:
  struct Pay {
    int number;
    int amount;
  };
  struct Done {
    int number;
    int balance;
  };
  Server(Variant variant, sp::ActorRef<Account> account)
      : variant_(variant), account_(std::move(account)) {}

  // The work is done beside the server, which takes other requests meanwhile.
  sp::RequestResponse<int> handle_request(Pay pay, sp::Context<Server>& context) {
    corpus::maybe_sleep();
    auto const answer = answers_.find(pay.number);
    if (answer != answers_.end()) return sp::RequestResponse<int>::reply(answer->second);
    auto& waiting = waiting_[pay.number];
    bool const in_work = !waiting.empty();
    waiting.push_back(context.defer<int>());
    if (variant_ == Variant::fixed && in_work) return sp::RequestResponse<int>::deferred();
    (void)sp::spawn(work(pay, account_, context.self()));
    return sp::RequestResponse<int>::deferred();
  }
  void handle_message(Done done) {
    corpus::maybe_sleep();
    answers_.emplace(done.number, done.balance);
    for (auto& one : waiting_[done.number]) (void)one.reply(done.balance);
    waiting_.erase(done.number);
  }

 private:
  static sp::Task<void> work(Pay pay, sp::ActorRef<Account> account, sp::ActorRef<Server> server) {
    auto const balance = co_await ask<Account::Withdraw>(account, pay.amount);
    if (balance) server.send<Done>(pay.number, balance.value());
  }

  Variant variant_;
  sp::ActorRef<Account> account_;
  std::map<int, int> answers_;
  std::map<int, std::vector<sp::ReplyTo<int>>> waiting_;
};

template <Variant variant>
sp::Task<void> at_most_once() {
  auto account = Account{}.start();
  auto server = Server(variant, account).start();
  for (;;) {
    auto const paid = co_await server.request_with_timeout<Server::Pay>(20ms, 1, 10);
    if (paid.has_value()) break;
  }
  auto const balance = co_await ask<Account::Balance>(account);
  corpus::check(balance.value() == 90, "one payment was made twice");
}

CORPUS_PROGRAM(28, "at most once, twice", at_most_once, true);

}  // namespace
