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
struct Hold {
  test::Gate entered;
  test::Gate leave;
};
struct Forever {
  test::Gate entered;
};

class Server : public sp::Actor<Server> {
 public:
  int handle_request(Ping /*request*/) { return ++served_; }
  sp::Task<void> handle_request(Hold hold) {
    hold.entered.open();
    co_await hold.leave.opened();
  }
  sp::Task<int> handle_request(Forever request) {
    request.entered.open();
    co_await sp::sleep(24h);
    co_return 1;
  }

 private:
  int served_ = 0;
};

// Asks a server that is busy until somebody cancels; says what came of it.
sp::Task<std::string> asks(sp::ActorRef<Server> server, test::Gate waiting) {
  waiting.open();
  auto reply = co_await server.request_with_timeout<Ping>(sp::no_timeout);
  co_return reply ? "reply" : spawned::to_string(reply.error().kind());
}

}  // namespace

TEST_SUITE("actors/cancellation") {
  TEST_CASE("a cancelled caller gets cancelled at once; its message is still handled") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      test::Gate entered;
      test::Gate leave;
      test::Gate waiting;
      auto held = server.start_request<Hold>(entered, leave);
      co_await entered.opened();
      auto task = sp::spawn(asks(server, waiting));
      co_await waiting.opened();
      task.cancel();
      auto outcome = co_await task;
      CHECK(outcome.value() == "cancelled");
      leave.open();
      auto served = co_await server.request<Ping>();
      CHECK(served.has_value());
    };
    sp::run(body());
  }

  TEST_CASE("an await with a Result says cancelled once, the next throws: a retry loop ends") {
    auto body = []() -> sp::Task<void> {
      auto retries = [](sp::ActorRef<Server> server, test::Gate begun,
                        int* tries) -> sp::Task<void> {
        begun.open();
        for (;;) {
          auto reply = co_await server.request_with_timeout<Ping>(sp::no_timeout);
          if (reply) co_return;
          ++*tries;
        }
      };
      auto server = Server().start();
      test::Gate entered;
      test::Gate leave;
      test::Gate begun;
      int tries = 0;
      auto held = server.start_request<Hold>(entered, leave);
      co_await entered.opened();
      auto task = sp::spawn(retries(server, begun, &tries));
      co_await begun.opened();
      task.cancel();
      auto outcome = co_await task;
      CHECK(outcome.error().is_cancelled());
      CHECK(tries == 1);
      leave.open();
    };
    sp::run(body());
  }

  TEST_CASE("a cancelled wait for a pending reply leaves the request alive") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      test::Gate entered;
      test::Gate leave;
      test::Gate waiting;
      auto held = server.start_request<Hold>(entered, leave);
      co_await entered.opened();
      auto waits = [](sp::PendingReply<int>* pending, test::Gate begun) -> sp::Task<bool> {
        begun.open();
        auto reply = co_await *pending;
        co_return !reply && reply.error() == Kind::cancelled;
      };
      auto pending = server.start_request<Ping>();
      auto task = sp::spawn(waits(&pending, waiting));
      co_await waiting.opened();
      task.cancel();
      auto outcome = co_await task;
      CHECK(outcome.value());
      leave.open();
      auto reply = co_await pending;
      CHECK(reply.value() == 1);
    };
    sp::run(body());
  }

  TEST_CASE("a cancelled wait for an actor's end says cancelled") {
    auto body = []() -> sp::Task<void> {
      auto waits = [](sp::ActorRef<Server> server, test::Gate begun) -> sp::Task<bool> {
        begun.open();
        auto reason = co_await server.wait_exit();
        co_return !reason && reason.error() == Kind::cancelled;
      };
      auto server = Server().start();
      test::Gate begun;
      auto task = sp::spawn(waits(server, begun));
      co_await begun.opened();
      task.cancel();
      auto outcome = co_await task;
      CHECK(outcome.value());
      CHECK(server.is_alive());
    };
    sp::run(body());
  }

  TEST_CASE("timeout() around a request gives it up") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      test::Gate entered;
      test::Gate leave;
      auto held = server.start_request<Hold>(entered, leave);
      co_await entered.opened();
      auto outcome = co_await sp::timeout(20ms, asks(server, test::Gate()));
      CHECK(outcome.error() == sp::WaitError::timeout);
      leave.open();
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("the end of the runtime cancels a handler; its caller elsewhere hears stopped") {
    test::LogCapture log;
    sp::Runtime elsewhere;
    auto runtime = std::make_unique<sp::Runtime>();
    auto server = Server().start_on(*runtime);
    test::Gate entered;
    auto pending = server.start_request<Forever>(entered);
    auto enters = [](test::Gate gate) -> sp::Task<void> { co_await gate.opened(); };
    elsewhere.block_on(enters(entered));
    runtime.reset();
    auto takes = [](sp::PendingReply<int> reply) -> sp::Task<sp::ActorError> {
      auto answer = co_await reply;
      co_return answer.error();
    };
    auto const error = elsewhere.block_on(takes(std::move(pending)));
    CHECK(error == Kind::stopped);
    CHECK(error.reason() == sp::ExitReason::shutdown());
    CHECK(log.count("crashed") == 0);
  }
}
