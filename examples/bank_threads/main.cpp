// The bank in the threads flavour: but for the include, the namespace and what waits, the text of
// examples/bank.
//
// Run    build/release/examples/bank_threads
// Prints one line for each request, then that the bank has closed.
#include <map>
#include <string>
#include <utility>

#include <spawned/threads.hpp>

namespace sp = spawned::threads;

enum class BankError { already_a_customer, not_a_customer, not_enough_money };

char const* to_string(BankError error) {
  switch (error) {
    case BankError::already_a_customer:
      return "already a customer";
    case BankError::not_a_customer:
      return "not a customer";
    case BankError::not_enough_money:
      return "not enough money";
  }
  return "?";
}

class Bank : public sp::Actor<Bank> {
 public:
  using Balance =
      sp::Result<long, BankError>;  // the bank's own answer, inside the request's Result

  struct Open {
    std::string who;
  };
  struct Deposit {
    std::string who;
    long amount;
  };
  struct Withdraw {
    std::string who;
    long amount;
  };
  struct Close {};

  void init() { accounts_.emplace("main", 1000); }

  Balance handle_request(Open const& request) {
    auto const [account, is_new] = accounts_.emplace(request.who, 0);
    if (!is_new) return sp::Unexpected(BankError::already_a_customer);
    return account->second;
  }

  Balance handle_request(Deposit const& request) { return change(request.who, request.amount); }
  Balance handle_request(Withdraw const& request) { return change(request.who, -request.amount); }

  // The reply leaves after teardown, so whoever gets it knows that the bank is closed.
  sp::RequestResponse<std::size_t> handle_request(Close /*request*/) {
    return sp::RequestResponse<std::size_t>::stop(accounts_.size());
  }

  void teardown() { sp::log::info("bank", "The bank closes its doors"); }

 private:
  Balance change(std::string const& who, long amount) {
    auto const account = accounts_.find(who);
    if (account == accounts_.end()) return sp::Unexpected(BankError::not_a_customer);
    if (account->second + amount < 0) return sp::Unexpected(BankError::not_enough_money);
    return account->second += amount;
  }

  std::map<std::string, long> accounts_;
};

void report(char const* what, sp::Result<Bank::Balance> const& reply) {
  std::string line = std::string(what) + ": ";
  if (!reply) {
    line += reply.error().what();
  } else if (!*reply) {
    line += std::string("refused, ") + to_string(reply->error());
  } else {
    line += "balance " + std::to_string(**reply);
  }
  sp::log::info("bank", line);
}

int demo() {
  auto bank = Bank{}.start();

  auto reply = bank.request<Bank::Deposit>("Joe", 10);
  report("Deposit 10 for Joe", reply);
  reply = bank.request<Bank::Open>("Joe");
  report("Open an account for Joe", reply);
  reply = bank.request<Bank::Open>("Joe");
  report("Open it again", reply);
  reply = bank.request<Bank::Deposit>("Joe", 30);
  report("Deposit 30 for Joe", reply);
  reply = bank.request<Bank::Withdraw>("Joe", 45);
  report("Withdraw 45 for Joe", reply);
  reply = bank.request<Bank::Withdraw>("Joe", 25);
  report("Withdraw 25 for Joe", reply);

  auto accounts = bank.request<Bank::Close>();
  sp::log::info("bank", "Closed with " + std::to_string(accounts.value()) + " accounts");
  reply = bank.request<Bank::Deposit>("Joe", 1);
  report("Deposit 1 for Joe", reply);
  return reply ? 1 : 0;
}

int main() { return sp::run(demo); }
