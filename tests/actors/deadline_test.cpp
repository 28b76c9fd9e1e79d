#include <chrono>
#include <optional>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using Kind = sp::ActorError::Kind;

namespace {

struct Left {
  int hops;
};
struct Stuck {
  int hops;
};
struct Later {
  test::Gate entered;
};
struct Ping {};
struct Served {};
struct Hold {
  test::Gate entered;
  test::Gate leave;
};

// Passes a question on to the next, each after 100 ms.
class Hop : public sp::Actor<Hop> {
 public:
  explicit Hop(std::optional<sp::ActorRef<Hop>> next = {}) : next_(std::move(next)) {}

  sp::Task<std::chrono::nanoseconds> handle_request(Left left, sp::Context<Hop>& context) {
    co_await sp::sleep(100ms);
    if (left.hops == 0) co_return context.time_left();
    auto reply = co_await next_->request_with_timeout<Left>(1h, left.hops - 1);
    co_return reply.value();
  }
  // The last one never answers in time; the others say how long they waited.
  sp::Task<std::chrono::nanoseconds> handle_request(Stuck stuck, sp::Context<Hop>& context) {
    co_await sp::sleep(100ms);
    if (stuck.hops == 0) {
      co_await sp::sleep(1h);
      co_return 0ns;
    }
    auto const before = sp::now();
    auto reply = co_await next_->request_with_timeout<Stuck>(1h, stuck.hops - 1);
    CHECK(reply.error() == Kind::timeout);
    CHECK(context.time_left() == 0ns);
    co_return sp::now() - before;
  }
  sp::Task<bool> handle_request(Later later, sp::Context<Hop>& context) {
    auto pending = next_->start_request<Stuck>(0);
    later.entered.open();
    auto reply = co_await pending;
    CHECK(reply.error() == Kind::timeout);
    co_return context.deadline().has_value();
  }
  sp::Task<void> handle_request(Hold hold) {
    hold.entered.open();
    co_await hold.leave.opened();
  }
  int handle_request(Ping /*request*/) { return ++served_; }
  int handle_request(Served /*request*/) const { return served_; }

 private:
  std::optional<sp::ActorRef<Hop>> next_;
  int served_ = 0;
};

sp::ActorRef<Hop> chain(int length) {
  auto last = Hop().start();
  for (int i = 1; i < length; ++i) last = Hop(last).start();
  return last;
}

}  // namespace

TEST_SUITE("actors/deadline") {
  TEST_CASE("a nested request inherits what is left, over several hops") {
    auto body = []() -> sp::Task<void> {
      auto first = chain(4);
      auto left = co_await first.request_with_timeout<Left>(1s, 3);
      CHECK(left.value() <= 600ms);
      CHECK(left.value() > 590ms);
      auto endless = co_await first.request_with_timeout<Left>(sp::no_timeout, 0);
      CHECK(endless.value() == std::chrono::nanoseconds::max());
      auto own = co_await first.request_with_timeout<Left>(sp::no_timeout, 2);
      CHECK(own.value() > 59min);  // the hour of the hop, not of the first caller
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("the callers of a stuck chain give up together, when the first one does") {
    auto body = []() -> sp::Task<void> {
      auto other = chain(3);
      auto const before = sp::now();
      auto reply = co_await other.request_with_timeout<Stuck>(1s, 2);
      CHECK(reply.error() == Kind::timeout);
      CHECK(sp::now() - before < 1010ms);
      auto again = co_await other.request_with_timeout<Ping>(5ms);  // free again at once
      CHECK(again.has_value());
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("a pending reply is waited for no longer than the deadline allows") {
    auto body = []() -> sp::Task<void> {
      auto first = chain(2);
      auto const before = sp::now();
      test::Gate entered;
      auto reply = co_await first.request_with_timeout<Later>(1s, entered);
      CHECK(reply.error() == Kind::timeout);
      auto ping = co_await first.request_with_timeout<Ping>(5ms);
      CHECK(ping.has_value());
      CHECK(sp::now() - before < 1010ms);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("a deadline ends with its handler, a plain one too: the next message has none") {
    struct Ask {};
    struct Tell {
      test::Gate gate;
    };
    class Quick : public sp::Actor<Quick> {
     public:
      int handle_request(Ask /*request*/) { return 1; }
      sp::Task<void> handle_message(Tell tell, sp::Context<Quick>& context) {
        CHECK(!context.deadline().has_value());
        auto const before = sp::now();
        co_await sp::sleep(10ms);
        CHECK(sp::now() - before >= 10ms);
        tell.gate.open();
      }
    };
    struct Go {
      sp::ActorRef<Quick> quick;
    };
    class Starter : public sp::Actor<Starter> {
     public:
      sp::Task<int> handle_request(Go go) {
        auto pending = go.quick.start_request<Ask>();  // hands the deadline on
        auto reply = co_await pending;
        co_return reply.value();
      }
    };
    auto body = []() -> sp::Task<void> {
      test::Gate const told;
      auto quick = Quick().start();
      auto starter = Starter().start();
      auto reply = co_await starter.request_with_timeout<Go>(1s, quick);
      CHECK(reply.value() == 1);
      quick.send<Tell>(told);
      co_await told.opened();
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("an actor that may block inherits the deadline for its blocking requests") {
    struct Ask {};
    class Blocks : public sp::Actor<Blocks> {
     public:
      explicit Blocks(sp::ActorRef<Hop> next) : next_(std::move(next)) {}
      std::chrono::nanoseconds handle_request(Ask /*request*/, sp::Context<Blocks>& context) {
        CHECK(context.deadline().has_value());
        auto left = next_.request_blocking_with_timeout<Left>(1h, 0);
        return left.value();
      }

     private:
      sp::ActorRef<Hop> next_;
    };
    auto body = []() -> sp::Task<void> {
      auto blocks = Blocks(Hop().start()).start_with_backend(sp::Backend::Thread);
      auto left = co_await blocks.request_with_timeout<Ask>(10s);
      CHECK(left.value() <= 9900ms);
    };
    sp::run(body());
  }

  TEST_CASE("skip_expired: a request whose caller has given up is not handled, and counted") {
    auto body = []() -> sp::Task<void> {
      for (bool skips : {false, true}) {
        sp::ActorOptions options;
        options.skip_expired = skips;
        auto hop = Hop().start(options);
        test::Gate entered;
        test::Gate leave;
        auto held = hop.start_request<Hold>(entered, leave);
        co_await entered.opened();
        for (int i = 0; i < 3; ++i) {
          auto late = co_await hop.request_with_timeout<Ping>(10ms);
          CHECK(late.error() == Kind::timeout);
        }
        auto waited_for = hop.start_request<Ping>();
        leave.open();
        auto served = co_await hop.request<Served>();
        CHECK(served.value() == (skips ? 1 : 4));
        CHECK(hop.expired_requests() == (skips ? 3 : 0));
        auto reply = co_await waited_for;
        CHECK(reply.has_value());
      }
    };
    sp::run(body(), test::virtual_time());
  }
}
