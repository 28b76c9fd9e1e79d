#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using Kind = sp::ActorError::Kind;

namespace {

struct WhoAreYou {};
struct SpawnHelper {};
struct Helped {
  int value;
};
struct Total {};
struct Wait {
  test::Gate entered;
};

class Server : public sp::Actor<Server> {
 public:
  explicit Server(test::Events* events = nullptr) : events_(events) {}

  std::pair<sp::ActorRef<Server>, sp::ActorId> handle_request(WhoAreYou /*request*/,
                                                              sp::Context<Server>& context) {
    return {context.self(), context.id()};
  }
  // Work outside the actor that reports back by a message.
  void handle_message(SpawnHelper /*message*/, sp::Context<Server>& context) {
    (void)sp::spawn(help(context.self()));
  }
  void handle_message(Helped helped) { total_ += helped.value; }
  int handle_request(Total /*request*/) const { return total_; }

  sp::Task<void> handle_message(Wait wait, sp::Context<Server>& context) {
    wait.entered.open();
    try {
      co_await sp::sleep(24h);
    } catch (sp::Cancelled const&) {
      events_->add(context.is_cancelled() ? "cancelled" : "not cancelled");
      throw;
    }
  }
  void teardown(sp::ExitReason const& /*reason*/, sp::Context<Server>& context) {
    if (events_ != nullptr) events_->add(context.is_cancelled() ? "cancelled" : "teardown");
  }

 private:
  static sp::Task<void> help(sp::ActorRef<Server> server) {
    co_await sp::yield_now();
    server.send<Helped>(5);
  }
  test::Events* events_;
  int total_ = 0;
};

}  // namespace

TEST_SUITE("actors/context") {
  TEST_CASE("self and id are those of the actor's refs") {
    auto body = []() -> sp::Task<void> {
      auto server = sp::start<Server>();
      auto reply = co_await server.request<WhoAreYou>();
      CHECK(reply.value().first == server);
      CHECK(reply.value().second == server.id());
    };
    sp::run(body());
  }

  TEST_CASE("self lets work outside the actor report back") {
    auto body = []() -> sp::Task<void> {
      auto server = sp::start<Server>();
      server.send<SpawnHelper>();
      for (;;) {
        auto total = co_await server.request<Total>();
        if (total.value() == 5) break;
        co_await sp::yield_now();
      }
    };
    sp::run(body());
  }

  TEST_CASE("is_cancelled is true in a handler when the runtime ends, and false in teardown") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto server = sp::start<Server>(&seen);
      test::Gate entered;
      server.send<Wait>(entered);
      co_await entered.opened();
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"cancelled", "teardown"});
  }
}
