#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"
#include "support/blocked.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using test::Bolt;
using test::LogCapture;

namespace {

template <typename Condition>
void wait_until(Condition&& condition) {
  while (!condition()) std::this_thread::yield();
}

sp::RuntimeOptions with_workers(unsigned workers) {
  sp::RuntimeOptions options;
  options.workers = workers;
  return options;
}

/// Its handlers block the thread, as no handler should.
class Wedged : public sp::Actor<Wedged> {
 public:
  struct Block {};
  struct BlockAfterAwait {};
  struct Short {};
  struct Nothing {};
  struct Ask {};
  enum class Where : std::uint8_t { handler, init, teardown };

  explicit Wedged(Bolt& bolt, Where where = Where::handler) : bolt_(&bolt), where_(where) {}

  void init() {
    if (where_ == Where::init) bolt_->pass();
  }
  void teardown() {
    if (where_ == Where::teardown) bolt_->pass();
  }
  void handle_message(Block /*message*/) { bolt_->pass(); }
  sp::Task<void> handle_message(BlockAfterAwait /*message*/) {
    co_await sp::yield_now();
    bolt_->pass();
  }
  void handle_message(Nothing /*message*/) {}
  void handle_message(Short /*message*/) {
    std::this_thread::sleep_for(20ms);  // waiver G23: the load
  }
  int handle_request(Ask /*request*/) { return 42; }

 private:
  Bolt* bolt_;
  Where where_;
};

class Counter : public sp::Actor<Counter> {
 public:
  struct Add {};
  struct Nap {};
  int handle_request(Add /*request*/) { return ++count_; }
  sp::Task<int> handle_request(Nap /*request*/) {
    co_await sp::sleep(1ms);
    co_return ++count_;
  }

 private:
  int count_ = 0;
};

sp::Task<int> ask_many(sp::ActorRef<Counter> counter, int times) {
  int last = 0;
  for (int i = 0; i < times; ++i) {
    auto answer = co_await counter.request<Counter::Add>();
    last = answer.value();
    answer = co_await counter.request<Counter::Nap>();
    last = answer.value();
  }
  co_return last;
}

sp::Task<int> send_and_ask(sp::ActorRef<Wedged> wedged, sp::ActorRef<Counter> counter) {
  wedged.send<Wedged::Block>();
  co_return co_await ask_many(counter, 10);
}

sp::Task<int> from_a_task(sp::ActorRef<Counter> counter, Bolt& bolt) {
  auto asking = sp::spawn(ask_many(counter, 10));
  bolt.pass();  // this task blocks its worker until somebody opens
  auto answer = co_await asking;
  co_return answer.value();
}

}  // namespace

TEST_SUITE("actors/blocked_worker") {
  TEST_CASE("a handler that blocks its worker stops neither requests nor timers of the others") {
    for (unsigned const workers : {1U, 2U}) {
      Bolt bolt;
      sp::Runtime runtime(with_workers(workers));
      auto counter = Counter().start_on(runtime);
      std::vector<sp::ActorRef<Wedged>> wedged;
      for (unsigned i = 0; i <= workers; ++i) wedged.push_back(Wedged(bolt).start_on(runtime));
      int wanted = 0;
      for (auto& actor : wedged) {
        wanted += 20;
        CHECK(runtime.block_on(send_and_ask(actor, counter)) == wanted);
      }
      wait_until([&] { return bolt.arrived() == static_cast<int>(wedged.size()); });
      CHECK(runtime.block_on(ask_many(counter, 10)) == wanted + 20);
      bolt.open();
      CHECK(wedged.front().request_blocking<Wedged::Ask>().value() == 42);
    }
  }

  TEST_CASE("an actor whose handler sent to others before it blocked has sent") {
    // The receiver waits in the run-next slot of the worker that blocks.
    class Sender : public sp::Actor<Sender> {
     public:
      struct Go {};
      Sender(sp::ActorRef<Wedged> next, Bolt& bolt) : next_(std::move(next)), bolt_(&bolt) {}
      void handle_message(Go /*message*/) {
        next_.send<Wedged::Block>();
        bolt_->pass();
      }

     private:
      sp::ActorRef<Wedged> next_;
      Bolt* bolt_;
    };
    for (unsigned const workers : {1U, 2U}) {
      Bolt bolt;
      sp::Runtime runtime(with_workers(workers));
      Sender(Wedged(bolt).start_on(runtime), bolt).start_on(runtime).send<Sender::Go>();
      wait_until([&] { return bolt.arrived() == 2; });
      bolt.open();
    }
  }

  TEST_CASE("an init or teardown that blocks its worker stops nobody else") {
    for (auto const where : {Wedged::Where::init, Wedged::Where::teardown}) {
      Bolt bolt;
      sp::Runtime runtime(with_workers(1));
      auto counter = Counter().start_on(runtime);
      auto wedged = Wedged(bolt, where).start_on(runtime);
      if (where == Wedged::Where::teardown) wedged.stop();
      wait_until([&] { return bolt.arrived() == 1; });
      CHECK(runtime.block_on(ask_many(counter, 10)) == 20);
      bolt.open();
    }
  }

  TEST_CASE("a task that blocks its worker stops nobody else") {
    for (unsigned const workers : {1U, 2U}) {
      Bolt bolt;
      sp::Runtime runtime(with_workers(workers));
      auto counter = Counter().start_on(runtime);
      auto blocked = runtime.spawn(from_a_task(counter, bolt));
      wait_until([&] { return bolt.arrived() == 1; });
      wait_until([&] { return counter.request_blocking<Counter::Add>().value() > 20; });
      bolt.open();
      CHECK(blocked.join_blocking().has_value());
    }
  }

  TEST_CASE("a handler that blocks is logged with actor and message, and once more when it ends") {
    LogCapture const log;
    Bolt bolt;
    sp::Runtime runtime(with_workers(1));
    auto wedged = Wedged(bolt).start_on(runtime);
    std::string const name = "Wedged#" + std::to_string(wedged.id().value);
    std::string step = "Wedged::Block has";
    SUBCASE("a plain handler") { wedged.send<Wedged::Block>(); }
    SUBCASE("a coroutine handler, in a later turn") {
      wedged.send<Wedged::BlockAfterAwait>();
      step = "Wedged::BlockAfterAwait has";
    }
    SUBCASE("behind other messages of one turn") {
      for (int i = 0; i < 20; ++i) wedged.send<Wedged::Nothing>();
      wedged.send<Wedged::Block>();
    }
    wait_until([&] { return log.count("has been running for", "without a break") == 1; });
    CHECK(log.count(name, step, "on worker 0") == 1);
    bolt.open();
    wait_until([&] { return log.count(name, " ran for ") == 1; });
  }

  TEST_CASE("the warning says init and teardown, where no message is in work") {
    LogCapture const log;
    for (auto const where : {Wedged::Where::init, Wedged::Where::teardown}) {
      Bolt bolt;
      sp::Runtime runtime(with_workers(1));
      auto wedged = Wedged(bolt, where).start_on(runtime);
      bool const init = where == Wedged::Where::init;
      if (!init) wedged.stop();
      wait_until(
          [&] { return log.count(init ? "in init has been" : "in teardown has been") == 1; });
      bolt.open();
    }
  }

  TEST_CASE("many short messages in one long turn give no warning") {
    LogCapture const log;
    auto options = with_workers(1);
    options.slow_turn_warning = 200ms;
    Bolt bolt;
    sp::Runtime runtime(std::move(options));
    auto wedged = Wedged(bolt).start_on(runtime);
    for (int i = 0; i < 20; ++i) wedged.send<Wedged::Short>();
    CHECK(wedged.request_blocking<Wedged::Ask>().value() == 42);
    CHECK(runtime.counters().longest_turn > 200ms);
    CHECK(log.lines().empty());
  }

  TEST_CASE("slow_turn_warning of zero logs nothing, and the others run on all the same") {
    LogCapture const log;
    auto options = with_workers(1);
    options.slow_turn_warning = 0ns;
    Bolt bolt;
    sp::Runtime runtime(std::move(options));
    auto counter = Counter().start_on(runtime);
    Wedged(bolt).start_on(runtime).send<Wedged::Block>();
    wait_until([&] { return bolt.arrived() == 1; });
    CHECK(runtime.block_on(ask_many(counter, 20)) == 40);
    CHECK(log.lines().empty());
    bolt.open();
  }

  TEST_CASE("a runtime that ends with a blocked handler names the actor and waits for it") {
    LogCapture const log;
    auto options = with_workers(1);
    options.shutdown_timeout = 5ms;
    Bolt bolt;
    sp::Runtime runtime(std::move(options));
    Wedged(bolt).start_on(runtime).send<Wedged::Block>();
    wait_until([&] { return bolt.arrived() == 1; });
    std::thread opener([&] {
      wait_until([&] { return log.count("still run after being cancelled", "Wedged#") != 0; });
      bolt.open();
    });
    CHECK_FALSE(runtime.shutdown());
    opener.join();
  }
}
