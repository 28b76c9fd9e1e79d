#include <chrono>
#include <memory>
#include <stdexcept>
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
struct Take {
  std::chrono::milliseconds time;
};
struct Swallow {};
struct FailLate {};
struct Note {};

class Slow : public sp::Actor<Slow> {
 public:
  int handle_request(Ping /*request*/) { return ++served_; }
  sp::Task<int> handle_request(Take take, sp::Context<Slow>& context) {
    auto token = context.cancellation_token();
    co_await sp::sleep(take.time);
    CHECK(!token.is_cancelled());
    co_return 1;
  }
  sp::Task<int> handle_request(Swallow /*request*/) {
    try {
      co_await sp::sleep(1h);
    } catch (sp::Cancelled const&) {
    }
    co_return 2;
  }
  sp::Task<int> handle_request(FailLate /*request*/) {
    try {
      co_await sp::sleep(1h);
    } catch (sp::Cancelled const&) {
    }
    throw std::runtime_error("its own");
  }
  sp::Task<void> handle_message(Note /*message*/) {
    co_await sp::sleep(1h);
    served_ = 100;
  }

 private:
  int served_ = 0;
};

sp::ActorRef<Slow> start(sp::HandlerTimeout what) {
  sp::ActorOptions options;
  options.handler_timeout = 100ms;
  options.on_handler_timeout = what;
  return Slow().start(options);
}

}  // namespace

TEST_SUITE("actors/handler_timeout") {
  TEST_CASE("warn logs actor, message and time once per call, and nothing else happens") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto slow = start(sp::HandlerTimeout::warn);
      auto quick = co_await slow.request<Take>(90ms);
      CHECK(quick.has_value());
      auto late = co_await slow.request<Take>(350ms);
      CHECK(late.has_value());
    };
    sp::run(body(), test::virtual_time());
    CHECK(log.lines().size() == 1);
    CHECK(log.count("Slow#", "Take", "100 ms") == 1);
  }

  TEST_CASE("cancel ends the handler's awaits; its caller gets handler_failed; the actor goes on") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto slow = start(sp::HandlerTimeout::cancel);
      auto const before = sp::now();
      auto late = co_await slow.request<Take>(1s);
      CHECK(late.error() == Kind::handler_failed);
      CHECK(late.error().reason().text() == "the handler timed out after 100 ms");
      CHECK(sp::now() - before < 102ms);
      auto next = co_await slow.request<Take>(50ms);
      CHECK(next.has_value());
      auto again = co_await slow.request<Take>(1s);
      CHECK(again.error() == Kind::handler_failed);
      slow.send<Note>();
      auto served = co_await slow.request<Ping>();
      CHECK(served.value() == 1);
      CHECK(slow.is_alive());
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("a handler that answers after its cancellation has answered") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto slow = start(sp::HandlerTimeout::cancel);
      auto reply = co_await slow.request<Swallow>();
      CHECK(reply.value() == 2);
      auto next = co_await slow.request<Take>(50ms);
      CHECK(next.has_value());
      auto failed = co_await slow.request<FailLate>();
      CHECK(failed.error() == Kind::handler_failed);
      CHECK(failed.error().reason().text() == "std::runtime_error: its own");
      auto reason = co_await slow.wait_exit();
      CHECK(reason.value().is_abnormal());
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("kill ends the actor with reason killed") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto slow = start(sp::HandlerTimeout::kill);
      auto reply = co_await slow.request<Swallow>();
      CHECK(reply.error() == sp::ActorError(Kind::stopped, sp::ExitReason::Kind::killed));
      auto reason = co_await slow.wait_exit();
      CHECK(reason.value() == sp::ExitReason::Kind::killed);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("the end of the runtime during a timed-out handler ends the actor") {
    test::LogCapture log;
    for (int i = 0; i < 20; ++i) {
      sp::Runtime runtime(test::virtual_time());
      sp::ActorOptions options;
      options.handler_timeout = 1ms;
      options.on_handler_timeout = sp::HandlerTimeout::cancel;
      auto slow = Slow().start_on(runtime, options);
      slow.send<Note>();
      slow.send<Note>();
      runtime.shutdown();
      CHECK(!slow.is_alive());
    }
  }
}
