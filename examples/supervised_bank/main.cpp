// A bank that loses a teller at every tenth transaction and never loses a cent: tellers are workers
// without memory under a supervisor, money is in a ledger that books each transaction once, and
// customers who get an error try again with the same transaction.
//
// Run    build/release/examples/supervised_bank
// Prints what the customers saw, how often each teller was restarted, and the sum of all accounts.
#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <spawned/supervision/supervisor.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using spawned::Supervisor;

constexpr int accounts = 5;
constexpr long opening_cents = 1000'00;
constexpr int customers = 3;
constexpr int transfers_each = 40;

struct Transfer {
  std::uint64_t number;  // the customer's: one transaction, however often it is tried
  int from;
  int to;
  long cents;
};

/// Books each transaction once. It does nothing that can fail, so it keeps the money.
class Ledger : public sp::Actor<Ledger> {
 public:
  struct Book {
    Transfer transfer;
  };
  struct Total {};
  struct Booked {};

  Ledger() { cents_.fill(opening_cents); }

  void handle_request(Book const& book) {
    Transfer const& transfer = book.transfer;
    if (!booked_.insert(transfer.number).second) return;  // it had been booked before
    cents_.at(static_cast<std::size_t>(transfer.from)) -= transfer.cents;
    cents_.at(static_cast<std::size_t>(transfer.to)) += transfer.cents;
  }
  long handle_request(Total /*total*/) {
    long sum = 0;
    for (long const cents : cents_) sum += cents;
    return sum;
  }
  std::size_t handle_request(Booked /*booked*/) { return booked_.size(); }

 private:
  std::array<long, accounts> cents_{};
  std::unordered_set<std::uint64_t> booked_;
};

/// Crashes at every tenth transaction: in turn before it was booked and after.
class Teller : public sp::Actor<Teller> {
 public:
  Teller(sp::ActorRef<Ledger> ledger, std::uint32_t restarts)
      : ledger_(std::move(ledger)), crashes_early_(restarts % 2 == 0) {}

  sp::Task<bool> handle_request(Transfer transfer) {
    bool const crashes = ++served_ == 10;
    if (crashes && crashes_early_) throw std::runtime_error("lost my pen");
    auto booked = co_await ledger_.request<Ledger::Book>(transfer);
    if (crashes) throw std::runtime_error("lost the receipt");
    co_return booked.has_value();
  }

 private:
  sp::ActorRef<Ledger> ledger_;
  int served_ = 0;
  bool crashes_early_;
};

/// Makes transfers, each until a teller says that it is done. The number of tries that failed.
sp::Task<int> customer(int number, sp::ActorRef<Teller> teller) {
  int failures = 0;
  for (int n = 0; n < transfers_each; ++n) {
    auto const id = static_cast<std::uint64_t>(number * transfers_each + n);
    Transfer const transfer{id, (number + n) % accounts, (number + 2 * n + 1) % accounts, n + 1};
    for (;;) {
      auto done = co_await teller.request<Transfer>(transfer);
      if (done) break;
      ++failures;  // booked or not, nobody knows: the ledger does
    }
  }
  co_return failures;
}

template <typename A>
sp::Task<sp::ActorRef<A>> child_of(sp::ActorRef<Supervisor> bank, std::string id) {
  auto info = co_await bank.request<Supervisor::GetChild>(id);
  co_return info.value().value().ref.template as<A>().value();
}

sp::Task<sp::ActorRef<Supervisor>> open_bank() {
  spawned::SupervisorOptions options;
  options.intensity = 100;
  options.period = 1s;
  std::vector<spawned::ChildSpec> specs;
  specs.push_back(spawned::child("ledger", [] { return Ledger{}; }));
  auto bank = co_await Supervisor(options, std::move(specs)).start_and_wait();
  auto ledger = co_await child_of<Ledger>(bank.value(), "ledger");
  for (int n = 0; n < customers; ++n) {
    auto spec = spawned::child(
        "teller " + std::to_string(n),
        [ledger](spawned::RestartInfo const& why) { return Teller(ledger, why.count); });
    auto teller = co_await bank->request<Supervisor::StartChild>(spec);
    if (!teller.value()) teller->error().raise();
  }
  co_return bank.value();
}

sp::Task<int> demo() {
  auto bank = co_await open_bank();
  auto ledger = co_await child_of<Ledger>(bank, "ledger");
  std::vector<sp::JoinHandle<int>> handles;
  for (int n = 0; n < customers; ++n) {
    auto teller = co_await child_of<Teller>(bank, "teller " + std::to_string(n));
    handles.push_back(sp::spawn(customer(n, teller)));
  }
  int failures = 0;
  for (auto& handle : handles) {
    auto failed = co_await handle;
    failures += failed.value();
  }
  sp::log::info("bank", "Customers tried again " + std::to_string(failures) + " times");

  auto children = co_await bank.request<Supervisor::WhichChildren>();
  for (auto const& child : children.value()) {
    sp::log::info("bank", child.id + ": " + std::to_string(child.restarts) + " restarts");
  }
  auto booked = co_await ledger.request<Ledger::Booked>();
  auto total = co_await ledger.request<Ledger::Total>();
  bool const right =
      booked.value() == customers * transfers_each && total.value() == accounts * opening_cents;
  sp::log::info("bank", std::to_string(booked.value()) + " transfers booked, " +
                            std::to_string(total.value() / 100) + " in all accounts");
  (void)co_await bank.stop_and_wait();
  sp::log::info("bank", right ? "Not a cent is lost" : "The books are wrong");
  co_return right ? 0 : 1;
}

int main() { return sp::run(demo); }
