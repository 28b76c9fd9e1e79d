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
struct NotAnException {
  std::shared_ptr<int> owned;
};
enum class How { standard, integer, text, own, nested, late_standard, late_integer };
struct Fail {
  How how;
  std::shared_ptr<int> owned = nullptr;
};
struct FailCold {
  How how;
};
struct AskOther {
  sp::ActorRef<class Faulty> other;
};
struct Unused {};
struct FailAfter {
  std::chrono::milliseconds time;
};

void fail(How how) {
  switch (how) {
    case How::standard:
    case How::late_standard:
      throw std::runtime_error("out of stock");
    case How::integer:
    case How::late_integer:
      throw 42;
    case How::text:
      throw "plain text";
    case How::own:
      throw NotAnException{std::make_shared<int>(1)};
    case How::nested:
      try {
        throw std::runtime_error("inner");
      } catch (...) {
        std::throw_with_nested(std::logic_error("outer"));
      }
  }
}

class Faulty : public sp::Actor<Faulty> {
 public:
  int handle_request(Ping /*request*/) { return 1; }
  int handle_request(Fail const& request) {
    fail(request.how);
    return 0;
  }
  sp::Task<int> handle_request(FailCold request) {
    if (request.how == How::late_standard || request.how == How::late_integer) {
      co_await sp::yield_now();
    }
    fail(request.how);
    co_return 0;
  }
  sp::Task<int> handle_request(FailAfter after) {
    co_await sp::sleep(after.time);
    throw std::runtime_error("boom");
  }
  void handle_message(Fail const& message) { fail(message.how); }
  sp::Task<void> handle_message(FailCold message) {
    co_await sp::yield_now();
    fail(message.how);
  }
  // The failure of another passes through unless somebody looks at it.
  sp::Task<int> handle_request(AskOther ask) {
    auto reply = co_await ask.other.request<Fail>(How::standard);
    co_return reply.value();
  }
  sp::RequestResponse<int> handle_request(Unused /*request*/) {
    return sp::RequestResponse<int>::unused();
  }
};

sp::Task<sp::ActorError> error_of(How how) {
  auto actor = Faulty().start();
  auto reply = co_await actor.request<Fail>(how);
  auto reason = co_await actor.wait_exit();
  CHECK(reason.value() == reply.error().reason());
  co_return reply.error();
}
sp::Task<sp::ActorError> error_of_coroutine(How how) {
  auto actor = Faulty().start();
  auto reply = co_await actor.request<FailCold>(how);
  auto reason = co_await actor.wait_exit();
  CHECK(reason.value() == reply.error().reason());
  co_return reply.error();
}

}  // namespace

TEST_SUITE("actors/failure") {
  TEST_CASE("GS-17: a handler that throws ends its actor, and the caller gets what it threw") {
    test::LogCapture log;
    auto const error = sp::run(error_of(How::standard));
    CHECK(error == Kind::handler_failed);
    CHECK(error.reason().kind() == sp::ExitReason::Kind::error);
    CHECK(error.reason().is_abnormal());
    CHECK(error.reason().text() == "std::runtime_error: out of stock");
    CHECK_THROWS_WITH_AS(std::rethrow_exception(error.reason().exception()), "out of stock",
                         std::runtime_error);
    CHECK_THROWS_AS(error.raise(), sp::ActorFailure);
  }

  TEST_CASE("GS-41: a handler may throw anything: int, text, a class of its own") {
    test::LogCapture log;
    CHECK(sp::run(error_of(How::integer)).reason().text() == "int 42");
    CHECK(sp::run(error_of(How::text)) == Kind::handler_failed);
    CHECK(sp::run(error_of(How::own)) == Kind::handler_failed);
    CHECK(sp::run(error_of(How::nested)).reason().text().find("outer") != std::string_view::npos);
    for (How const how : {How::standard, How::integer, How::text, How::own, How::nested,
                          How::late_standard, How::late_integer}) {
      auto const error = sp::run(error_of_coroutine(how));
      CHECK(error == Kind::handler_failed);
      CHECK(error.reason().kind() == sp::ExitReason::Kind::error);
      CHECK(error.reason().exception() != nullptr);
    }
  }

  TEST_CASE("a handle_message that throws ends its actor, and unread requests hear why") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto plain = Faulty().start();
      plain.send<Fail>(How::integer);
      auto unread = co_await plain.request<Ping>();
      CHECK(!unread.has_value());
      CHECK(unread.error().reason().text() == "int 42");
      auto coroutine = Faulty().start();
      coroutine.send<FailCold>(How::standard);
      auto reason = co_await coroutine.wait_exit();
      CHECK(reason.value().text() == "std::runtime_error: out of stock");
    };
    sp::run(body());
  }

  TEST_CASE("the message on which a handler fails is destroyed") {
    test::LogCapture log;
    auto owned = std::make_shared<int>(1);
    auto body = [](std::shared_ptr<int> shared) -> sp::Task<void> {
      auto actor = Faulty().start();
      actor.send<Fail>(How::standard, shared);
      (void)co_await actor.wait_exit();
      auto other = Faulty().start();
      auto reply = co_await other.request<Fail>(How::standard, shared);
      CHECK(!reply.has_value());
    };
    sp::run(body(owned));
    CHECK(owned.use_count() == 1);
  }

  TEST_CASE("nobody else notices a failure: other actors and other callers go on") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto faulty = Faulty().start();
      auto sound = Faulty().start();
      auto failing = faulty.start_request<Fail>(How::own);
      auto fine = sound.start_request<Ping>();
      auto failed = co_await failing;
      auto served = co_await fine;
      CHECK(failed.error() == Kind::handler_failed);
      CHECK(served.value() == 1);
      auto next = co_await sound.request<Ping>();
      CHECK(next.value() == 1);
    };
    sp::run(body());
  }

  TEST_CASE("a failure passes on to the next caller through Result::value") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto inner = Faulty().start();
      auto outer = Faulty().start();
      auto reply = co_await outer.request<AskOther>(inner);
      CHECK(reply.error() == Kind::handler_failed);
      CHECK(reply.error().reason().text().find("out of stock") != std::string_view::npos);
      CHECK(!inner.is_alive());
    };
    sp::run(body());
  }

  TEST_CASE("GS-46: callers that wait when their actor fails hear of it at once") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto actor = Faulty().start();
      auto const begin = sp::now();
      auto failing = actor.start_request<FailCold>(How::late_standard);
      auto waiting = co_await actor.request_with_timeout<Ping>(sp::no_timeout);
      CHECK(waiting.error() == Kind::stopped);
      CHECK(waiting.error().reason().text() == "std::runtime_error: out of stock");
      CHECK(sp::now() == begin);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE(
      "GS-11: a caller of no time limit hears at once of a failure in the midst of its call") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto actor = Faulty().start();
      auto const begin = sp::now();
      auto reply = co_await actor.request_with_timeout<FailAfter>(sp::no_timeout, 50ms);
      CHECK(reply.error() == Kind::handler_failed);
      CHECK(reply.error().reason().text() == "std::runtime_error: boom");
      CHECK(sp::now() - begin < 52ms);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("the log has one crash report: actor, message, reason and unread messages") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto actor = Faulty().start();
      auto reply = co_await actor.request<Fail>(How::standard);
      CHECK(!reply.has_value());
    };
    sp::run(body());
    CHECK(log.count("Faulty#", "Fail", "error: std::runtime_error: out of stock",
                    "0 messages unread") == 1);
    CHECK(log.lines().size() == 1);
  }

  TEST_CASE("a handler that answers unused gives the caller unused, and the actor goes on") {
    auto body = []() -> sp::Task<void> {
      auto actor = Faulty().start();
      auto reply = co_await actor.request<Unused>();
      CHECK(reply.error() == Kind::unused);
      auto next = co_await actor.request<Ping>();
      CHECK(next.value() == 1);
    };
    sp::run(body());
  }

  TEST_CASE("a message whose constructor throws is not sent, and the caller sees the exception") {
    struct Picky {
      explicit Picky(int value) {
        if (value < 0) throw std::invalid_argument("negative");
      }
    };
    struct Taker : sp::Actor<Taker> {
      int handle_request(Picky const& /*request*/) { return ++served; }
      void handle_message(Picky const& /*message*/) { ++served; }
      int served = 0;
    };
    auto body = []() -> sp::Task<void> {
      auto taker = Taker().start();
      CHECK_THROWS_AS(taker.send<Picky>(-1), std::invalid_argument);
      CHECK_THROWS_AS((void)taker.start_request<Picky>(-1), std::invalid_argument);
      auto reply = co_await taker.request<Picky>(1);
      CHECK(reply.value() == 1);
    };
    sp::run(body());
  }
}
