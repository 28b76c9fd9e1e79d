// Two actors that ctrl-c (SIGINT) ends in order: the producer stops first, then the consumer, when
// it has handled all that was ordered.
//
// Run    build/release/examples/signal_test [async | blocking | thread] [period in ms]
// Prints a line for each order, one a second, until ctrl-c; then how both end.
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include <spawned/tasks.hpp>

#include "interrupt.hpp"

namespace sp = spawned::tasks;

void say(std::string_view who, std::string const& text) {
  sp::log::info("signal_test", "[" + std::string(who) + "] " + text);
}

struct Interrupted {};  // what ctrl-c becomes; each actor subscribes to it by itself

class Consumer : public sp::Actor<Consumer> {
 public:
  struct Order {
    int number;
  };
  struct LastOrder {};

  void init(sp::Context<Consumer>& context) { send_on_ctrl_c<Interrupted>(context.self()); }

  void handle_message(Order order) {
    done_ = order.number;
    say("consumer", "order " + std::to_string(order.number));
  }
  void handle_message(Interrupted /*event*/, sp::Context<Consumer>& context) {
    say("consumer", "interrupted, works on");
    interrupted_ = true;
    if (complete_) context.stop();
  }
  void handle_message(LastOrder /*last*/, sp::Context<Consumer>& context) {
    complete_ = true;
    if (interrupted_) context.stop();
  }
  void teardown() { say("consumer", "teardown after " + std::to_string(done_) + " orders"); }

 private:
  int done_ = 0;
  bool interrupted_ = false;
  bool complete_ = false;
};

class Producer : public sp::Actor<Producer> {
 public:
  struct Tick {};

  Producer(sp::ActorRef<Consumer> consumer, std::chrono::milliseconds period)
      : consumer_(std::move(consumer)), period_(period) {}

  void init(sp::Context<Producer>& context) {
    sp::send_interval<Tick>(period_, context.self());
    send_on_ctrl_c<Interrupted>(context.self());
  }

  void handle_message(Tick /*tick*/) { consumer_.send<Consumer::Order>(++ordered_); }
  void handle_message(Interrupted /*event*/, sp::Context<Producer>& context) {
    say("producer", "interrupted");
    context.stop();
  }
  void teardown() {
    say("producer", "teardown after " + std::to_string(ordered_) + " orders");
    consumer_.send<Consumer::LastOrder>();
  }

 private:
  sp::ActorRef<Consumer> consumer_;
  std::chrono::milliseconds period_;
  int ordered_ = 0;
};

sp::Task<int> demo(sp::Backend backend, std::chrono::milliseconds period) {
  auto consumer = Consumer{}.start_with_backend(backend);
  auto producer = Producer(consumer, period).start_with_backend(backend);
  say("main", "press ctrl-c");

  auto producer_end = co_await producer.wait_exit();
  auto consumer_end = co_await consumer.wait_exit();
  say("main", "producer ended: " + producer_end.value().to_string() +
                  ", consumer ended: " + consumer_end.value().to_string());
  co_return 0;
}

int main(int argc, char** argv) {
  std::string_view const name = argc > 1 ? argv[1] : "async";
  std::chrono::milliseconds const period(argc > 2 ? std::atoi(argv[2]) : 1000);
  auto backend = sp::Backend::Async;
  if (name == "blocking") backend = sp::Backend::Blocking;
  if (name == "thread") backend = sp::Backend::Thread;
  if ((backend == sp::Backend::Async && name != "async") || period.count() <= 0) {
    say("main", "usage: signal_test [async | blocking | thread] [PERIOD_MS]");
    return 2;
  }
  int const code = sp::run([backend, period] { return demo(backend, period); });
  say("main", "the runtime has ended");
  return code;
}
