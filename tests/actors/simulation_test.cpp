#include <spawned/runtime/simulation.hpp>

#include <chrono>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
namespace sim = spawned::simulation;
using namespace std::chrono_literals;

namespace {

// Keeps the order in which letters come.
class Scribe : public sp::Actor<Scribe> {
 public:
  struct Letter {
    char value;
  };
  struct Read {};
  void handle_message(Letter letter) { text_ += letter.value; }
  std::string handle_request(Read /*request*/) { return text_; }

 private:
  std::string text_;
};

class Writer : public sp::Actor<Writer> {
 public:
  struct Write {
    char first;
    char second;
  };
  explicit Writer(sp::ActorRef<Scribe> scribe) : scribe_(std::move(scribe)) {}
  void handle_request(Write write) {
    scribe_.send<Scribe::Letter>(write.first);
    scribe_.send<Scribe::Letter>(write.second);
  }

 private:
  sp::ActorRef<Scribe> scribe_;
};

// Two writers, two letters each.
sp::Task<void> write(std::string& text) {
  auto scribe = Scribe{}.start();
  auto one = Writer(scribe).start();
  auto other = Writer(scribe).start();
  auto first = one.start_request<Writer::Write>('a', 'b');
  auto second = other.start_request<Writer::Write>('x', 'y');
  (void)co_await first;
  (void)co_await second;
  auto read = co_await scribe.request<Scribe::Read>();
  text = read.value();
}

class Vault : public sp::Actor<Vault> {
 public:
  struct Balance {};
  struct Set {
    int value;
  };
  int handle_request(Balance /*request*/) const { return balance_; }
  void handle_request(Set set) { balance_ = set.value; }

 private:
  int balance_ = 100;
};

class Teller : public sp::Actor<Teller> {
 public:
  struct Withdraw {
    int amount;
  };
  explicit Teller(sp::ActorRef<Vault> vault) : vault_(std::move(vault)) {}
  sp::Task<void> handle_request(Withdraw withdraw) {
    auto const balance = co_await vault_.request<Vault::Balance>();
    auto const set = co_await vault_.request<Vault::Set>(balance.value() - withdraw.amount);
    (void)set.value();
  }

 private:
  sp::ActorRef<Vault> vault_;
};

// Each teller reads, computes and writes: what the other has done in between is lost.
sp::Task<void> withdraw_twice() {
  auto vault = Vault{}.start();
  auto one = Teller(vault).start();
  auto other = Teller(vault).start();
  auto first = one.start_request<Teller::Withdraw>(10);
  auto second = other.start_request<Teller::Withdraw>(10);
  (void)co_await first;
  (void)co_await second;
  auto const left = co_await vault.request<Vault::Balance>();
  if (left.value() != 80) throw std::runtime_error("left: " + std::to_string(left.value()));
}

// Asks the other one, who asks back.
class Polite : public sp::Actor<Polite> {
 public:
  struct Meet {
    sp::ActorRef<Polite> other;
  };
  struct After {};
  sp::Task<void> handle_request(Meet meet) {
    auto answer = co_await meet.other.request_with_timeout<After>(sp::no_timeout);
    (void)answer;
  }
  void handle_request(After /*request*/) {}
};

sp::Task<void> wait_for_each_other() {
  auto one = Polite{}.start();
  auto other = Polite{}.start();
  auto first = one.start_request<Polite::Meet>(other);
  auto second = other.start_request<Polite::Meet>(one);
  (void)co_await first.wait_for(sp::no_timeout);
  (void)co_await second.wait_for(sp::no_timeout);
}

class Slow : public sp::Actor<Slow> {
 public:
  struct Work {};
  sp::Task<int> handle_request(Work /*request*/) {
    co_await sp::sleep(3s);
    co_return 1;
  }
};

}  // namespace

namespace {

// Computing is faster than every time limit.
sim::Options quick() {
  sim::Options options;
  options.clock = sim::ClockMode::idle;
  return options;
}

}  // namespace

namespace {
sim::ExploreOptions seeds(std::uint64_t count, sim::Options const& options = {}) {
  sim::ExploreOptions result;
  static_cast<sim::Options&>(result) = options;
  result.seeds = count;
  return result;
}
}  // namespace

TEST_SUITE("actors/simulation") {
  TEST_CASE("messages of one sender keep their order, those of two come in every order") {
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
      std::string text;
      auto const report = sim::run(seed, quick(), [&text] { return write(text); });
      CHECK(report.passed());
      seen.insert(text);
    }
    CHECK(seen == std::set<std::string>{"abxy", "xyab"});
  }

  TEST_CASE("equal seeds are equal runs of actors") {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      CHECK_NOTHROW(sim::check_determinism(seed, quick(), withdraw_twice));
    }
  }

  TEST_CASE("an update that two actors lose is found, and the story names who did what") {
    auto const findings = sim::explore(seeds(1000, quick()), withdraw_twice);
    CHECK(findings.report.outcome == sim::Outcome::failed);
    CHECK(findings.report.problem == "left: 90");
    CHECK(findings.runs < 100);
    std::string const text = findings.to_string();
    CHECK(text.find("Teller#") != std::string::npos);
    CHECK(text.find("Vault::Balance") != std::string::npos);
  }

  TEST_CASE("actors that wait for each other without a limit are a deadlock") {
    sim::Options options;
    options.detect_cycles = false;
    auto const findings = sim::explore(seeds(1000, options), wait_for_each_other);
    CHECK(findings.report.outcome == sim::Outcome::deadlock);
    CHECK(findings.report.problem.find("Polite::Meet") != std::string::npos);
    CHECK(findings.report.problem.find("a circle: ") != std::string::npos);
  }

  TEST_CASE("the limit of a request and the work of the other race in virtual time") {
    auto const program = []() -> sp::Task<void> {
      auto slow = Slow{}.start();
      auto in_time = co_await slow.request_with_timeout<Slow::Work>(4s);
      if (!in_time.has_value()) throw std::runtime_error("three seconds are more than four");
      auto late = co_await slow.request_with_timeout<Slow::Work>(2s);
      if (late.has_value()) throw std::runtime_error("three seconds are less than two");
    };
    auto const findings = sim::explore(seeds(200, quick()), program);
    CHECK(findings.to_string() == "200 runs passed");
  }
}
