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
struct Slow {
  std::chrono::milliseconds time;
  int value;
};
struct Hold {
  test::Gate entered;
  test::Gate leave;
};
struct AskSelf {};
struct Chain {
  int length;
};
struct Move {
  std::unique_ptr<int> value;
};
struct Text {
  std::string first, second;
};

class Server : public sp::Actor<Server> {
 public:
  int handle_request(Ping /*request*/) { return ++served_; }
  sp::Task<int> handle_request(Slow const& slow) {
    co_await sp::sleep(slow.time);
    co_return slow.value;
  }
  sp::Task<void> handle_request(Hold const& hold) {
    hold.entered.open();
    co_await hold.leave.opened();
  }
  sp::Task<std::string> handle_request(AskSelf /*request*/, sp::Context<Server>& context) {
    auto self = context.self();
    auto reply = co_await self.request<Ping>();
    co_return spawned::to_string(reply.error().kind());
  }
  sp::Task<int> handle_request(Chain chain) {
    if (chain.length == 0) co_return 0;
    auto next = Server().start();
    auto rest = co_await next.request<Chain>(chain.length - 1);
    co_return rest.value() + 1;
  }
  std::unique_ptr<int> handle_request(Move move) { return std::move(move.value); }
  std::string handle_request(Text&& text) { return std::move(text.first) + text.second; }
  std::size_t handle_request(std::vector<int> const& numbers) { return numbers.size(); }

 private:
  int served_ = 0;
};

}  // namespace

TEST_SUITE("actors/request") {
  TEST_CASE("a request is answered with what its handler returns") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      auto reply = co_await server.request<Ping>();
      static_assert(std::is_same_v<decltype(reply), sp::Result<int, sp::ActorError>>);
      CHECK(reply.value() == 1);
      auto again = co_await server.request<Ping>();
      CHECK(again.value() == 2);
    };
    sp::run(body());
  }

  TEST_CASE("request<M>(args...) builds the message in place, with parentheses where they do") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      auto joined = co_await server.request<Text>("a", "b");
      CHECK(joined.value() == "ab");
      auto size = co_await server.request<std::vector<int>>(3U, 1);
      CHECK(size.value() == 3);
    };
    sp::run(body());
  }

  TEST_CASE("request(sp::moved(named)) and a harmless temporary send a ready message") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      auto text = Text{"x", "y"};
      auto joined = co_await server.request(sp::moved(text));
      CHECK(joined.value() == "xy");
      auto reply = co_await server.request(Ping());
      CHECK(reply.value() == 1);
      auto const kept = Text{"k", "l"};
      auto copied = co_await server.request(kept);
      CHECK(copied.value() == "kl");
      CHECK(kept.first == "k");
    };
    sp::run(body());
  }

  TEST_CASE("a message and a reply that can only be moved travel both ways") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      auto reply = co_await server.request<Move>(std::make_unique<int>(9));
      CHECK(*reply.value() == 9);
    };
    sp::run(body());
  }

  TEST_CASE("a request through a temporary ref keeps the actor reachable until the reply") {
    auto body = []() -> sp::Task<void> {
      auto reply = co_await sp::start<Server>().request<Ping>();
      CHECK(reply.value() == 1);
      auto other = co_await sp::start<Server>().request_with_timeout<Ping>(1s);
      CHECK(other.value() == 1);
    };
    sp::run(body());
  }

  TEST_CASE("the default time limit is five seconds") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      auto const begin = sp::now();
      auto in_time = co_await server.request<Slow>(4900ms, 1);
      CHECK(in_time.value() == 1);
      auto late = co_await server.request<Slow>(6000ms, 2);
      CHECK(late.error() == Kind::timeout);
      CHECK(sp::now() - begin >= 9900ms);
      CHECK(sp::now() - begin < 10'000ms);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("TMR-10: a time limit is never short") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      for (auto const limit : {1ms, 7ms, 50ms, 64ms, 100ms, 4097ms}) {
        auto const begin = sp::now();
        auto reply = co_await server.request_with_timeout<Slow>(limit, 1h, 1);
        CHECK(reply.error() == Kind::timeout);
        CHECK(sp::now() - begin >= limit);
        server = Server().start();
      }
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("TMR-11: a time limit of zero or less gives the actor no time, and is no error") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      test::Gate entered;
      test::Gate leave;
      auto held = server.start_request<Hold>(entered, leave);
      co_await entered.opened();
      auto none = co_await server.request_with_timeout<Ping>(0ms);
      CHECK(none.error() == Kind::timeout);
      auto negative = co_await server.request_with_timeout<Ping>(-1s);
      CHECK(negative.error() == Kind::timeout);
      leave.open();
      auto done = co_await held;
      CHECK(done.has_value());
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("no_timeout waits for as long as it takes") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      auto reply = co_await server.request_with_timeout<Slow>(sp::no_timeout, 24h * 365, 3);
      CHECK(reply.value() == 3);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("GS-12: a late reply is never seen by the next request") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      auto late = co_await server.request_with_timeout<Slow>(20ms, 80ms, 1);
      CHECK(late.error() == Kind::timeout);
      auto next = co_await server.request<Slow>(1ms, 2);
      CHECK(next.value() == 2);
      co_await sp::sleep(200ms);
      auto last = co_await server.request<Ping>();
      CHECK(last.value() == 1);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("a request that timed out is still handled") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      test::Gate entered;
      test::Gate leave;
      auto held = server.start_request<Hold>(entered, leave);
      auto gone = co_await server.request_with_timeout<Ping>(10ms);
      CHECK(gone.error() == Kind::timeout);
      leave.open();
      auto second = co_await server.request<Ping>();
      CHECK(second.value() == 2);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("GS-09: a request to an ended actor fails at once with no_such_actor and its reason") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      (void)co_await server.stop_and_wait(sp::ExitReason::custom("gone home"));
      auto const begin = sp::now();
      auto reply = co_await server.request_with_timeout<Ping>(sp::no_timeout);
      CHECK(reply.error() == Kind::no_such_actor);
      CHECK(reply.error().reason() == sp::ExitReason::custom("gone home"));
      auto pending = server.start_request<Ping>();
      CHECK(pending.is_ready());
      CHECK(sp::now() == begin);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("GS-13: an actor that asks itself gets the error deadlock at once and lives on") {
    auto body = []() -> sp::Task<void> {
      auto server = Server().start();
      auto const begin = sp::now();
      auto reply = co_await server.request<AskSelf>();
      CHECK(reply.value() == "deadlock");
      CHECK(sp::now() == begin);
      auto after = co_await server.request<Ping>();
      CHECK(after.value() == 1);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("requests nest through a chain of a hundred actors") {
    auto body = []() -> sp::Task<void> {
      auto first = Server().start();
      auto length = co_await first.request<Chain>(100);
      CHECK(length.value() == 100);
    };
    sp::run(body());
  }

  TEST_CASE("two runtimes ask each other, and each caller goes on at home") {
    auto asks = [](sp::ActorRef<Server> server, sp::Runtime* home) -> sp::Task<int> {
      int sum = 0;
      for (int i = 0; i < 2000; ++i) {
        auto reply = co_await server.request<Ping>();
        if (reply) sum += 1;
        if (&spawned::detail::require_scheduler("test") != &home->scheduler()) sum += 1'000'000;
      }
      co_return sum;
    };
    sp::Runtime left;
    sp::Runtime right;
    auto on_left = Server().start_on(left);
    auto on_right = Server().start_on(right);
    auto from_left = left.spawn(asks(on_right, &left));
    auto from_right = right.spawn(asks(on_left, &right));
    CHECK(from_left.join_blocking().value() == 2000);
    CHECK(from_right.join_blocking().value() == 2000);
  }

  TEST_CASE("a ref that outlives its runtime answers no_such_actor to a task elsewhere") {
    auto runtime = std::make_unique<sp::Runtime>();
    auto server = Server().start_on(*runtime);
    runtime.reset();
    auto body = [](sp::ActorRef<Server> late) -> sp::Task<void> {
      auto reply = co_await late.request<Ping>();
      CHECK(reply.error() == Kind::no_such_actor);
      CHECK(reply.error().reason() == sp::ExitReason::shutdown());
    };
    CHECK(server.request_blocking<Ping>().error() == Kind::no_such_actor);
    sp::run(body(server));
  }
}
