#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using Kind = sp::ActorError::Kind;

namespace {

struct Cast {
  int sender;
  int number;
};
struct Call {
  int number;
};
struct Report {};
struct Hold {
  test::Gate entered;
  test::Gate leave;
};

// Checks that each sender's numbers come in order.
class Receiver : public sp::Actor<Receiver> {
 public:
  explicit Receiver(std::size_t senders = 1) : next_(senders) {}
  void handle_message(Cast cast) {
    auto& next = next_[static_cast<std::size_t>(cast.sender)];
    if (cast.number == next) {
      ++next;
    } else {
      ++errors_;
    }
  }
  int handle_request(Call call) {
    handle_message(Cast{0, call.number});
    return call.number;
  }
  sp::Task<void> handle_request(Hold hold) {
    hold.entered.open();
    co_await hold.leave.opened();
  }
  std::pair<int, std::vector<int>> handle_request(Report /*request*/) const {
    return {errors_, next_};
  }

 private:
  std::vector<int> next_;
  int errors_ = 0;
};

}  // namespace

TEST_SUITE("actors/ordering") {
  TEST_CASE("SIG-01: one sender's messages are handled in the order sent") {
    auto body = []() -> sp::Task<void> {
      auto receiver = Receiver().start();
      for (int i = 0; i < 1000; ++i) receiver.send<Cast>(0, i);
      auto report = co_await receiver.request<Report>();
      CHECK(report.value() == std::pair(0, std::vector<int>{1000}));
    };
    sp::run(body());
  }

  TEST_CASE("GS-32: casts, calls and pending calls of one sender are handled in the order made") {
    auto body = []() -> sp::Task<void> {
      auto receiver = Receiver().start();
      receiver.send<Cast>(0, 0);
      receiver.send<Cast>(0, 1);
      auto call = co_await receiver.request<Call>(2);
      CHECK(call.value() == 2);
      auto pending = receiver.start_request<Call>(3);
      receiver.send<Cast>(0, 4);
      auto report = co_await receiver.request<Report>();
      CHECK(report.value() == std::pair(0, std::vector<int>{5}));
      auto reply = co_await pending;
      CHECK(reply.value() == 3);
    };
    sp::run(body());
  }

  TEST_CASE("each of many sending tasks and threads keeps its own order") {
    constexpr int each = 20'000;
    auto sends = [](sp::ActorRef<Receiver> to, int sender) -> sp::Task<void> {
      for (int i = 0; i < each; ++i) {
        to.send<Cast>(sender, i);
        if (i % 1000 == 0) co_await sp::yield_now();
      }
    };
    sp::Runtime runtime;
    auto receiver = sp::start_on<Receiver>(runtime, 6U);
    std::vector<sp::JoinHandle<void>> tasks;
    for (int sender = 0; sender < 4; ++sender) {
      tasks.push_back(runtime.spawn(sends(receiver, sender)));
    }
    std::vector<std::thread> threads;
    for (int sender = 4; sender < 6; ++sender) {
      threads.emplace_back([receiver, sender] {
        for (int i = 0; i < each; ++i) receiver.send<Cast>(sender, i);
      });
    }
    for (auto& thread : threads) thread.join();
    for (auto& task : tasks) CHECK(task.join_blocking().has_value());
    auto report = receiver.request_blocking<Report>();
    CHECK(report.value() == std::pair(0, std::vector<int>(6, each)));
  }

  TEST_CASE("a task that moves between workers keeps its order") {
    auto body = []() -> sp::Task<void> {
      auto receiver = Receiver().start();
      for (int i = 0; i < 5000; ++i) {
        receiver.send<Cast>(0, i);
        co_await sp::yield_now();
      }
      auto report = co_await receiver.request<Report>();
      CHECK(report.value() == std::pair(0, std::vector<int>{5000}));
    };
    sp::run(body());
  }

  TEST_CASE("while a handler is suspended the actor takes no other message") {
    auto body = []() -> sp::Task<void> {
      auto receiver = Receiver().start();
      test::Gate entered;
      test::Gate leave;
      auto held = receiver.start_request<Hold>(entered, leave);
      co_await entered.opened();
      auto queued = receiver.start_request<Call>(0);
      for (int i = 0; i < 1000; ++i) co_await sp::yield_now();
      CHECK(!queued.is_ready());
      CHECK(!held.is_ready());
      leave.open();
      auto reply = co_await queued;
      CHECK(reply.value() == 0);
      CHECK(held.is_ready());
    };
    sp::run(body());
  }

  TEST_CASE("stop keeps its place: what was sent before is handled, what came after is not") {
    auto body = []() -> sp::Task<void> {
      auto receiver = Receiver().start();
      test::Gate entered;
      test::Gate leave;
      auto held = receiver.start_request<Hold>(entered, leave);
      co_await entered.opened();
      auto before = receiver.start_request<Call>(0);
      receiver.stop(sp::ExitReason::custom("enough"));
      auto after = receiver.start_request<Call>(1);
      leave.open();
      auto served = co_await before;
      CHECK(served.value() == 0);
      auto unread = co_await after;
      CHECK(unread.error() == Kind::stopped);
      CHECK(unread.error().reason() == sp::ExitReason::custom("enough"));
    };
    sp::run(body());
  }
}
