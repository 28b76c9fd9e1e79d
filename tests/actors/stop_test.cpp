#include <memory>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using Kind = sp::ActorError::Kind;

namespace {

struct Ping {};
struct Sleep {
  std::chrono::milliseconds time;
};
struct Bye {
  int answer;
};
struct ByeQuietly {};
struct Leave {};
struct StopLater {};
struct StopSoon {};
struct WaitForMyself {};

class Server : public sp::Actor<Server> {
 public:
  explicit Server(test::Events& events) : events_(&events) {}

  int handle_request(Ping /*request*/) {
    events_->add("ping");
    return 1;
  }
  sp::Task<void> handle_request(Sleep sleep) { co_await sp::sleep(sleep.time); }
  sp::RequestResponse<int> handle_request(Bye bye) {
    return sp::RequestResponse<int>::stop(bye.answer, sp::ExitReason::custom("stopped"));
  }
  sp::Task<sp::RequestResponse<void>> handle_request(ByeQuietly /*request*/) {
    co_await sp::yield_now();
    co_return sp::RequestResponse<void>::stop();
  }
  sp::MessageResponse handle_message(Leave /*message*/) {
    return sp::MessageResponse::stop(sp::ExitReason::shutdown());
  }
  int handle_request(StopLater /*request*/, sp::Context<Server>& context) {
    context.stop(sp::ExitReason::custom("by context"));
    return 5;
  }
  sp::Task<void> handle_message(StopSoon /*message*/, sp::Context<Server>& context) {
    context.stop();
    events_->add("stop asked");
    co_await sp::yield_now();
    events_->add("handler done");
  }
  sp::Task<std::string> handle_request(WaitForMyself /*request*/, sp::Context<Server>& context) {
    auto self = context.self();
    auto exit = co_await self.wait_exit();
    auto stop = co_await self.stop_and_wait();
    co_return std::string(spawned::to_string(exit.error().kind())) + " " +
        spawned::to_string(stop.error().kind());
  }
  void teardown(sp::ExitReason const& reason) { events_->add("teardown " + reason.to_string()); }

 private:
  test::Events* events_;
};

class SlowToEnd : public sp::Actor<SlowToEnd> {
 public:
  void handle_message(Ping /*message*/) {}
  sp::Task<void> teardown() { co_await sp::sleep(200ms); }
};

}  // namespace

TEST_SUITE("actors/stop") {
  TEST_CASE("GS-29: stop ends the actor with reason normal after teardown; a second stop fails") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto server = sp::start<Server>(seen);
      auto reason = co_await server.stop_and_wait();
      CHECK(reason.value() == sp::ExitReason::normal());
      CHECK(!server.is_alive());
      auto again = co_await server.stop_and_wait();
      CHECK(again.error() == Kind::no_such_actor);
      server.stop();  // the silent form stays silent
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"teardown normal"});
  }

  TEST_CASE("GS-30: stop with a reason ends the actor with that reason") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto server = sp::start<Server>(seen);
      auto reason = co_await server.stop_and_wait(sp::ExitReason::custom("why"));
      CHECK(reason.value() == sp::ExitReason::custom("why"));
      CHECK(server.exit_reason() == sp::ExitReason::custom("why"));
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"teardown custom: why"});
  }

  TEST_CASE(
      "GS-31: a stop that is not done in time says timeout, and the actor ends all the same") {
    auto body = []() -> sp::Task<void> {
      auto server = SlowToEnd().start();
      auto const begin = sp::now();
      auto late = co_await server.stop_and_wait(sp::ExitReason::normal(), 50ms);
      CHECK(late.error() == Kind::timeout);
      CHECK(sp::now() - begin < 200ms);
      CHECK(server.is_alive());
      auto reason = co_await server.wait_exit();
      CHECK(reason.value() == sp::ExitReason::normal());
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("GS-14: RequestResponse::stop runs teardown, then the caller gets the reply") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto server = sp::start<Server>(seen);
      auto reply = co_await server.request<Bye>(42);
      seen.add("reply " + std::to_string(reply.value()));
      CHECK(!server.is_alive());
      CHECK(server.exit_reason() == sp::ExitReason::custom("stopped"));
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"teardown custom: stopped", "reply 42"});
  }

  TEST_CASE("RequestResponse::stop works from a coroutine handler and without a value") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto server = sp::start<Server>(seen);
      auto reply = co_await server.request<ByeQuietly>();
      CHECK(reply.has_value());
      seen.add("reply");
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"teardown normal", "reply"});
  }

  TEST_CASE("MessageResponse::stop ends the actor before the next message") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto server = sp::start<Server>(seen);
      server.send<Leave>();
      auto unread = co_await server.request<Ping>();
      CHECK(!unread.has_value());
      CHECK(unread.error().reason() == sp::ExitReason::shutdown());
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"teardown shutdown"});
  }

  TEST_CASE("Context::stop lets the handler answer and ends the actor before the next message") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto server = sp::start<Server>(seen);
      auto reply = server.start_request<StopLater>();
      auto unread = server.start_request<Ping>();
      auto value = co_await reply;
      CHECK(value.value() == 5);
      auto none = co_await unread;
      CHECK(!none.has_value());
      auto reason = co_await server.wait_exit();
      CHECK(reason.value() == sp::ExitReason::custom("by context"));
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"teardown custom: by context"});
  }

  TEST_CASE("Context::stop in a coroutine handler waits for the handler's end") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto server = sp::start<Server>(seen);
      server.send<StopSoon>();
      (void)co_await server.wait_exit();
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"stop asked", "handler done", "teardown normal"});
  }

  TEST_CASE("GS-16: requests that an ending actor did not read get stopped with its reason") {
    for (auto const& reason :
         {sp::ExitReason::normal(), sp::ExitReason::shutdown(), sp::ExitReason::custom("foo")}) {
      test::Events events;
      auto body = [](test::Events& seen, sp::ExitReason why) -> sp::Task<void> {
        auto server = sp::start<Server>(seen);
        auto busy = server.start_request<Sleep>(10ms);
        server.stop(why);
        auto const begin = sp::now();
        auto unread = co_await server.request<Ping>();
        CHECK(unread.error() == Kind::stopped);
        CHECK(unread.error().reason() == why);
        CHECK(sp::now() - begin < 20ms);
      };
      sp::run(body(events, reason), test::virtual_time());
    }
  }

  TEST_CASE("the first of several stops gives the reason") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto server = sp::start<Server>(seen);
      server.stop(sp::ExitReason::custom("first"));
      server.stop(sp::ExitReason::custom("second"));
      auto reason = co_await server.wait_exit();
      CHECK(reason.value() == sp::ExitReason::custom("first"));
    };
    sp::run(body(events));
  }

  TEST_CASE("an actor that would wait for its own end gets the error deadlock") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto server = sp::start<Server>(seen);
      auto reply = co_await server.request<WaitForMyself>();
      REQUIRE(reply.has_value());
      CHECK(*reply == "deadlock deadlock");
      auto after = co_await server.request<Ping>();
      CHECK(after.value() == 1);
    };
    sp::run(body(events), test::virtual_time());
  }
}
