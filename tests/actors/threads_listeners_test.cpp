#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/threads.hpp>

namespace sp = spawned::threads;
using namespace std::chrono_literals;

namespace {

class Collector : public sp::Actor<Collector> {
 public:
  struct Done {
    int value;
  };
  struct All {};
  void handle_message(int item) { items_.push_back(item); }
  void handle_message(Done done) { items_.push_back(done.value); }
  std::vector<int> handle_request(All /*question*/) const { return items_; }

 private:
  std::vector<int> items_;
};

// Asks until the actor has as many items.
std::vector<int> wait_for_items(sp::ActorRef<Collector> const& collector, std::size_t wanted) {
  for (;;) {
    auto items = collector.request<Collector::All>();
    if (!items || items->size() >= wanted) return std::move(items).value();
  }
}

}  // namespace

TEST_SUITE("actors/threads_listeners") {
  TEST_CASE("send_message_on: a call that blocks becomes a message when it returns") {
    sp::run([] {
      auto collector = Collector{}.start();
      auto [sender, receiver] = sp::oneshot<int>();
      auto waits = sp::spawn([&answer = sender] { answer.send(5); });
      auto handle = sp::send_message_on<Collector::Done>(
          collector, [&question = receiver] { return question.receive_blocking(); });
      CHECK(wait_for_items(collector, 1) == std::vector<int>{5});
      CHECK(waits.join().has_value());
    });
  }

  TEST_CASE("spawn_listener: the items of a range become messages, in order") {
    sp::run([] {
      auto collector = Collector{}.start();
      auto handle = sp::spawn_listener(collector, std::vector<int>{1, 2, 3});
      CHECK(wait_for_items(collector, 3) == std::vector<int>{1, 2, 3});
    });
  }
}
