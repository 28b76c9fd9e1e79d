#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using Kind = sp::ActorError::Kind;

namespace {

template <int N>
struct Ask {
  std::string text;
};
template <int N>
struct Tell {
  std::string text;
};

// One handler for every form that a request handler may have.
class Requests : public sp::Actor<Requests> {
 public:
  std::string handle_request(Ask<0> ask) { return "value " + ask.text; }
  std::string handle_request(Ask<1> const& ask) { return "const& " + ask.text; }
  std::string handle_request(Ask<2>&& ask) { return "&& " + ask.text; }
  std::string handle_request(Ask<3> ask, sp::Context<Requests>& context) {
    return "context " + ask.text + alive(context);
  }
  std::string handle_request(Ask<4> const& ask, sp::Context<Requests>& context) const {
    return "const& context " + ask.text + alive(context);
  }
  sp::Task<std::string> handle_request(Ask<5> ask) {
    co_await sp::yield_now();
    co_return "coroutine value " + ask.text;
  }
  sp::Task<std::string> handle_request(Ask<6> const& ask) {
    co_await sp::yield_now();
    co_return "coroutine const& " + ask.text;
  }
  sp::Task<std::string> handle_request(Ask<7>&& ask) {
    co_await sp::yield_now();
    co_return "coroutine && " + std::move(ask.text);
  }
  sp::Task<std::string> handle_request(Ask<8> const& ask, sp::Context<Requests>& context) {
    co_await sp::yield_now();
    co_return "coroutine context " + ask.text + alive(context);
  }
  // A coroutine that does not suspend.
  sp::Task<std::string> handle_request(Ask<9> const& ask) { co_return "ready " + ask.text; }
  // A reference is copied into the reply.
  std::string const& handle_request(Ask<10> const& ask) {
    last_ = "reference " + ask.text;
    return last_;
  }

 private:
  static std::string alive(sp::Context<Requests>& context) {
    return context.self().is_alive() ? " alive" : " dead";
  }
  std::string last_;
};

// One handler for every answer that a request handler may give.
class Answers : public sp::Actor<Answers> {
 public:
  void handle_request(Ask<0> const& /*ask*/) { ++count_; }
  sp::Task<void> handle_request(Ask<1> const& /*ask*/) {
    co_await sp::yield_now();
    ++count_;
  }
  sp::RequestResponse<int> handle_request(Ask<2> const& /*ask*/) {
    return sp::RequestResponse<int>::reply(++count_);
  }
  sp::RequestResponse<void> handle_request(Ask<3> const& /*ask*/) {
    ++count_;
    return sp::RequestResponse<void>::reply();
  }
  sp::Task<sp::RequestResponse<std::string>> handle_request(Ask<4> const& ask) {
    co_await sp::yield_now();
    ++count_;
    co_return sp::RequestResponse<std::string>::reply(ask.text);
  }
  std::optional<std::string> handle_request(Ask<5> const& ask) {
    if (ask.text.empty()) return std::nullopt;
    return ask.text;
  }
  // The actor's own Result arrives inside the request's.
  sp::Result<int, std::string> handle_request(Ask<6> const& ask) {
    if (ask.text.empty()) return sp::Unexpected(std::string("empty"));
    return static_cast<int>(ask.text.size());
  }
  sp::Result<int> handle_request(Ask<7> const& /*ask*/) {
    return sp::Unexpected(sp::ActorError(Kind::unused));
  }
  sp::Task<std::unique_ptr<int>> handle_request(Ask<8> const& /*ask*/) {
    co_return std::make_unique<int>(8);
  }
  struct Special {
    using reply_type = int;
    int value;
  };
  Special handle_request(Ask<9> const& /*ask*/) { return Special{9}; }
  sp::Task<Special> handle_request(Ask<10> const& /*ask*/) { co_return Special{10}; }
  sp::Result<void, std::string> handle_request(Ask<11> const& ask) {
    if (ask.text.empty()) return sp::Unexpected(std::string("empty"));
    return {};
  }

 private:
  int count_ = 0;
};

// One handler for every form and answer of a message handler.
class Messages : public sp::Actor<Messages> {
 public:
  void handle_message(Tell<0> tell) { add("value " + tell.text); }
  void handle_message(Tell<1> const& tell) { add("const& " + tell.text); }
  void handle_message(Tell<2>&& tell) { add("&& " + tell.text); }
  void handle_message(Tell<3> tell, sp::Context<Messages>& context) {
    add("context " + tell.text + (context.self().is_alive() ? " alive" : " dead"));
  }
  sp::MessageResponse handle_message(Tell<4> const& tell) {
    add("no_reply " + tell.text);
    return sp::MessageResponse::no_reply();
  }
  sp::Task<void> handle_message(Tell<5> const& tell) {
    co_await sp::yield_now();
    add("coroutine " + tell.text);
  }
  sp::Task<sp::MessageResponse> handle_message(Tell<6> tell, sp::Context<Messages>& context) {
    co_await sp::yield_now();
    add("coroutine context " + tell.text + (context.is_cancelled() ? " cancelled" : ""));
    co_return sp::MessageResponse::no_reply();
  }
  sp::Task<sp::MessageResponse> handle_message(Tell<7>&& /*tell*/) {
    co_return sp::MessageResponse::unused();
  }
  // Both a request and a message, told apart by the call.
  void handle_message(Ask<0> const& ask) { add("told " + ask.text); }
  std::string handle_request(Ask<0> const& ask) { return "asked " + ask.text; }

  test::Strings handle_request(Ask<1> const& /*ask*/) { return lines_; }

 private:
  void add(std::string line) { lines_.push_back(std::move(line)); }
  test::Strings lines_;
};

template <int N>
sp::Task<std::string> ask() {
  auto actor = Requests().start();
  auto reply = co_await actor.request<Ask<N>>("x");
  co_return reply.value();
}

}  // namespace

TEST_SUITE("actors/handlers") {
  TEST_CASE("a request handler takes the message by value, const& or &&, and perhaps the context") {
    CHECK(sp::run(ask<0>()) == "value x");
    CHECK(sp::run(ask<1>()) == "const& x");
    CHECK(sp::run(ask<2>()) == "&& x");
    CHECK(sp::run(ask<3>()) == "context x alive");
    CHECK(sp::run(ask<4>()) == "const& context x alive");
    CHECK(sp::run(ask<10>()) == "reference x");
  }

  TEST_CASE("a coroutine handler may take references: message and context outlive its frame") {
    CHECK(sp::run(ask<5>()) == "coroutine value x");
    CHECK(sp::run(ask<6>()) == "coroutine const& x");
    CHECK(sp::run(ask<7>()) == "coroutine && x");
    CHECK(sp::run(ask<8>()) == "coroutine context x alive");
    CHECK(sp::run(ask<9>()) == "ready x");
  }

  TEST_CASE("the type of the reply follows from the handler") {
    auto body = []() -> sp::Task<void> {
      auto actor = Answers().start();
      auto nothing = co_await actor.request<Ask<0>>();
      static_assert(std::is_same_v<decltype(nothing), sp::Result<void, sp::ActorError>>);
      CHECK(nothing.has_value());
      auto later = co_await actor.request<Ask<1>>();
      static_assert(std::is_same_v<decltype(later), sp::Result<void, sp::ActorError>>);
      CHECK(later.has_value());
      auto count = co_await actor.request<Ask<2>>();
      CHECK(count.value() == 3);
      auto silent = co_await actor.request<Ask<3>>();
      CHECK(silent.has_value());
      auto text = co_await actor.request<Ask<4>>("t");
      CHECK(text.value() == "t");
      auto none = co_await actor.request<Ask<5>>();
      CHECK(!none.value().has_value());
      auto some = co_await actor.request<Ask<5>>("s");
      CHECK(some.value() == "s");
      auto owned = co_await actor.request<Ask<8>>();
      CHECK(*owned.value() == 8);
    };
    sp::run(body());
  }

  TEST_CASE("a handler that returns a Result gives a nested one: nothing is flattened") {
    auto body = []() -> sp::Task<void> {
      auto actor = Answers().start();
      auto length = co_await actor.request<Ask<6>>("four");
      static_assert(std::is_same_v<decltype(length), sp::Result<sp::Result<int, std::string>>>);
      CHECK(length.value().value() == 4);
      auto refused = co_await actor.request<Ask<6>>();
      CHECK(refused.has_value());
      CHECK(refused->error() == "empty");
      auto own_error = co_await actor.request<Ask<7>>();
      CHECK(own_error.has_value());
      CHECK(own_error->error() == Kind::unused);
      auto no_value = co_await actor.request<Ask<11>>();
      CHECK(no_value->error() == "empty");
      auto fine = co_await actor.request<Ask<11>>("x");
      CHECK(fine->has_value());
    };
    sp::run(body());
  }

  TEST_CASE("a reply may be any type, also one with a member called reply_type") {
    auto body = []() -> sp::Task<void> {
      auto actor = Answers().start();
      auto plain = co_await actor.request<Ask<9>>();
      CHECK(plain.value().value == 9);
      auto coroutine = co_await actor.request<Ask<10>>();
      CHECK(coroutine.value().value == 10);
    };
    sp::run(body());
  }

  TEST_CASE("message handlers have the same forms; they answer nothing or MessageResponse") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto actor = Messages().start();
      actor.send<Tell<0>>("x");
      actor.send<Tell<1>>("x");
      actor.send<Tell<2>>("x");
      actor.send<Tell<3>>("x");
      actor.send<Tell<4>>("x");
      actor.send<Tell<5>>("x");
      actor.send<Tell<6>>("x");
      actor.send<Tell<7>>("x");
      auto lines = co_await actor.request<Ask<1>>();
      CHECK(lines.value() == test::Strings{"value x", "const& x", "&& x", "context x alive",
                                           "no_reply x", "coroutine x", "coroutine context x"});
    };
    sp::run(body());
    CHECK(log.count("Messages", "does not use message", "Tell") == 1);
  }

  TEST_CASE("one type may be both a request and a message") {
    auto body = []() -> sp::Task<void> {
      auto actor = Messages().start();
      actor.send<Ask<0>>("a");
      auto reply = co_await actor.request<Ask<0>>("b");
      CHECK(reply.value() == "asked b");
      auto lines = co_await actor.request<Ask<1>>();
      CHECK(lines.value() == test::Strings{"told a"});
    };
    sp::run(body());
  }
}
