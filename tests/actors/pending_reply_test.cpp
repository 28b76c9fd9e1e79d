#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using Kind = sp::ActorError::Kind;

namespace {

struct Ping {};
struct After {
  std::chrono::milliseconds time;
  int value;
};
struct Make {
  std::shared_ptr<int> value;
};
struct AskMyself {};
struct Hold {
  test::Gate entered;
  test::Gate leave;
};

class Server : public sp::Actor<Server> {
 public:
  std::string handle_request(Ping /*request*/) { return "pong"; }
  sp::Task<int> handle_request(After after) {
    co_await sp::sleep(after.time);
    co_return after.value;
  }
  sp::Task<std::string> handle_request(AskMyself /*request*/, sp::Context<Server>& context) {
    auto pending = context.self().start_request<Ping>();
    auto reply = co_await pending;
    co_return spawned::to_string(reply.error().kind());
  }
  std::shared_ptr<int> handle_request(Make make) { return std::move(make.value); }
  sp::Task<void> handle_request(Hold hold) {
    hold.entered.open();
    co_await hold.leave.opened();
  }
};

}  // namespace

TEST_SUITE("actors/pending_reply") {
  TEST_CASE("REQ-01: start_request sends at once, and awaiting it yields the reply") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      auto pending = server.start_request<Ping>();
      auto reply = co_await pending;
      CHECK(reply.value() == "pong");
    };
    sp::run(body());
  }

  TEST_CASE("REQ-02: a wait that times out leaves the request alive: wait again") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      auto pending = server.start_request<After>(100ms, 7);
      auto none = co_await pending.wait_for(0ms);
      CHECK(none.error() == Kind::timeout);
      auto still_none = co_await pending.wait_for(50ms);
      CHECK(still_none.error() == Kind::timeout);
      auto reply = co_await pending.wait_for(1000ms);
      CHECK(reply.value() == 7);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("REQ-04: a request to an ended or ending actor is an error as a value") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      test::Gate entered;
      test::Gate leave;
      auto held = server.start_request<Hold>(entered, leave);
      co_await entered.opened();
      server.stop(sp::ExitReason::custom("boom"));
      auto unread = server.start_request<Ping>();
      leave.open();
      auto stopped = co_await unread;
      CHECK(stopped.error() == Kind::stopped);
      CHECK(stopped.error().reason() == sp::ExitReason::custom("boom"));
      auto late = server.start_request<Ping>();
      auto dead = co_await late;
      CHECK(dead.error() == Kind::no_such_actor);
      CHECK(dead.error().reason() == sp::ExitReason::custom("boom"));
    };
    sp::run(body());
  }

  TEST_CASE("REQ-06: a pending reply is ready when the actor has answered, not before") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      test::Gate entered;
      test::Gate leave;
      auto held = server.start_request<Hold>(entered, leave);
      auto queued = server.start_request<Ping>();
      co_await entered.opened();
      CHECK(!held.is_ready());
      CHECK(!queued.is_ready());
      leave.open();
      auto reply = co_await queued;
      CHECK(reply.value() == "pong");
      CHECK(held.is_ready());
    };
    sp::run(body());
  }

  TEST_CASE("TMR-12: a reply that is there wins over a wait of no time") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      auto pending = server.start_request<Ping>();
      auto other = co_await server.request<Ping>();  // behind it, so the first is answered
      CHECK(other.has_value());
      auto reply = co_await pending.wait_for(0ms);
      CHECK(reply.value() == "pong");
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("many requests may be under way, and their replies be taken in any order") {
    auto body = []() -> sp::Task<void> {
      std::vector<sp::PendingReply<int>> pending;
      for (int i = 0; i < 3; ++i) {
        auto server = Server().start();
        pending.push_back(server.start_request<After>(100ms * (3 - i), i));
      }
      auto const begin = sp::now();
      for (int i : {2, 0, 1}) {
        auto reply = co_await pending[static_cast<std::size_t>(i)];
        CHECK(reply.value() == i);
      }
      CHECK(sp::now() - begin < 301ms);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("a reply is taken once; after that the pending reply says no_such_actor") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      auto pending = server.start_request<Ping>();
      auto reply = co_await pending;
      CHECK(reply.has_value());
      auto again = co_await pending;
      CHECK(again.error() == Kind::no_such_actor);
    };
    sp::run(body());
  }

  TEST_CASE("dropping a pending reply gives the reply up, before and after it has come") {
    auto value = std::make_shared<int>(1);
    auto body = [](std::shared_ptr<int> shared) -> sp::Task<void> {
      auto server = Server().start();
      {
        auto dropped = server.start_request<Make>(shared);
      }
      auto pending = server.start_request<Make>(shared);
      auto other = co_await server.request<Ping>();
      CHECK(pending.is_ready());
      pending = server.start_request<Make>(nullptr);
      auto reply = co_await pending;
      CHECK(reply.value() == nullptr);
    };
    sp::run(body(value));
    CHECK(value.use_count() == 1);
  }

  TEST_CASE("an actor that waits for its own pending reply gets the error deadlock") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      auto reply = co_await server.request<AskMyself>();
      CHECK(reply.value() == "deadlock");
      auto next = co_await server.request<Ping>();
      CHECK(next.value() == "pong");
    };
    sp::run(body());
  }

  TEST_CASE("any thread may start a request") {
    sp::Runtime runtime;
    auto server = Server().start_on(runtime);
    auto pending = server.start_request<Ping>();
    auto body = [](sp::PendingReply<std::string> reply) -> sp::Task<std::string> {
      auto answer = co_await reply;
      co_return answer.value();
    };
    CHECK(runtime.block_on(body(std::move(pending))) == "pong");
  }
}
