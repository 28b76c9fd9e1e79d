// A transfer between accounts that goes wrong once in a while: found by simulation, made as simple
// as it can be, and repeated. A corrected one beside it passes.
//
// Run    build/release/examples/simulation_bank
// Prints how the hasty teller fails, step by step, and that the careful one does not.
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>

#include <spawned/actors/testing/peek.hpp>
#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/simulation/checks.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
namespace simulation = spawned::simulation;
using spawned::testing::peek;

class Account : public sp::Actor<Account> {
 public:
  struct Balance {};
  struct Withdraw {  // whatever the balance
    long amount;
  };
  struct WithdrawIfCovered {  // answers whether it was
    long amount;
  };
  struct Deposit {
    long amount;
  };

  explicit Account(long balance) : balance_(balance) {}
  long handle_request(Balance /*request*/) const { return balance_; }
  void handle_request(Withdraw request) { balance_ -= request.amount; }
  bool handle_request(WithdrawIfCovered request) {
    if (balance_ < request.amount) return false;
    balance_ -= request.amount;
    return true;
  }
  void handle_request(Deposit request) { balance_ += request.amount; }

  [[nodiscard]] long balance() const { return balance_; }

 private:
  long balance_;
};

struct Transfer {
  sp::ActorRef<Account> from;
  sp::ActorRef<Account> to;
  long amount;
};

// The planted bug: what is true of the balance when it is asked for need not be true when the
// answer is there. Each actor by itself is right.
class HastyTeller : public sp::Actor<HastyTeller> {
 public:
  sp::Task<bool> handle_request(Transfer transfer) {
    auto const balance = co_await transfer.from.request<Account::Balance>();
    if (balance.value() < transfer.amount) co_return false;
    auto const taken = co_await transfer.from.request<Account::Withdraw>(transfer.amount);
    taken.value();
    auto const given = co_await transfer.to.request<Account::Deposit>(transfer.amount);
    given.value();
    co_return true;
  }
};

// The account itself decides, in one message.
class CarefulTeller : public sp::Actor<CarefulTeller> {
 public:
  sp::Task<bool> handle_request(Transfer transfer) {
    auto const covered =
        co_await transfer.from.request<Account::WithdrawIfCovered>(transfer.amount);
    if (!covered.value()) co_return false;
    auto const given = co_await transfer.to.request<Account::Deposit>(transfer.amount);
    given.value();
    co_return true;
  }
};

// Ann has 100. A teller is asked to move 80 of it to Bob, and a while later another one, too: by
// then the first is done, nearly always.
template <typename Teller>
sp::Task<void> two_transfers() {
  auto const ann = Account(100).start();
  auto const bob = Account(0).start();
  auto const overdrawn =
      simulation::never("Ann's account is overdrawn", [ann] { return peek(ann)->balance() < 0; });
  auto const one = Teller{}.start();
  auto const other = Teller{}.start();
  auto first = one.template start_request<Transfer>(ann, bob, 80L);
  for (int i = 0; i < 6; ++i) co_await sp::yield_now();
  auto second = other.template start_request<Transfer>(ann, bob, 80L);
  auto const first_done = co_await first;
  auto const second_done = co_await second;
  bool const both = first_done.value() && second_done.value();
  simulation::sometimes(!both, "a transfer is refused");
  long const sum = peek(ann)->balance() + peek(bob)->balance();
  if (sum != 100) throw std::runtime_error("there are " + std::to_string(sum) + ", not 100");
}

simulation::ExploreOptions options() {
  simulation::ExploreOptions chosen;
  chosen.name = "simulation_bank";
  chosen.seeds = 1000;
  chosen.clock = simulation::ClockMode::idle;  // no time limit strikes here
  return chosen;
}

bool show_the_hasty_one() {
  std::printf("The hasty teller asks for the balance, and then takes the money.\n");
  auto const program = two_transfers<HastyTeller>;
  simulation::Findings const findings = simulation::explore(options(), program);
  std::printf("%s\n", findings.to_string().c_str());
  if (findings.passed()) return false;

  simulation::Report const again = simulation::replay(findings.shrunk.choices, options(), program);
  bool const same = again.hash == findings.shrunk.hash;
  std::printf("Repeated: %s, %s\n", again.problem.c_str(),
              same ? "step by step the same" : "but not the same");
  return same;
}

bool show_the_careful_one() {
  std::printf("The careful teller takes the money only if it is there.\n");
  simulation::Findings const findings =
      simulation::explore(options(), two_transfers<CarefulTeller>);
  std::printf("%s\n", findings.to_string().c_str());
  for (simulation::Mark const& mark : findings.marks) {
    std::printf("%s: sometimes\n", mark.name.c_str());
  }
  return findings.passed() && findings.missed().empty();
}

int main() {
  bool const found = show_the_hasty_one();
  bool const passed = show_the_careful_one();
  return found && passed ? 0 : 1;
}
