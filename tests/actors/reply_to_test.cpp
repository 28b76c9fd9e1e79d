#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using Kind = sp::ActorError::Kind;
using sp::ReplyResult;
using Response = sp::RequestResponse<int>;

namespace {

struct Ask {};  // answered by AnswerAll or AnswerElsewhere
struct AnswerAll {
  int value;
};
struct DropAll {};
struct HandOut {};  // gives the oldest ReplyTo away
struct Early {      // answers at once, then works on
  test::Gate goes_on;
  test::Gate leave;
};
struct ValueAfterDefer {};
struct DropThenValue {};
struct DropInHandler {};
struct ThrowAfterDefer {
  bool answered;
};
struct DeferNothing {};
struct StopQuietly {
  sp::ExitReason reason;
};
struct StopAfterDefer {};
struct WrongType {};
struct Twice {};
struct InMessage {};
struct Count {};
struct AskVoid {};
struct IsWaiting {
  test::Gate entered;
  test::Gate leave;
};

class Server : public sp::Actor<Server> {
 public:
  explicit Server(test::Events& events) : events_(&events) {}

  Response handle_request(Ask /*request*/, sp::Context<Server>& context) {
    waiting_.push_back(context.defer<int>());
    return Response::deferred();
  }
  void handle_message(AnswerAll answer) {
    for (auto& reply : waiting_) note(reply.reply(answer.value));
    for (auto& reply : waiting_) {
      if (reply.is_caller_waiting()) events_->add("still waiting");
    }
    waiting_.clear();
  }
  void handle_message(DropAll /*message*/) { waiting_.clear(); }
  std::shared_ptr<sp::ReplyTo<int>> handle_request(HandOut /*request*/) {
    auto oldest = std::make_shared<sp::ReplyTo<int>>(std::move(waiting_.front()));
    waiting_.erase(waiting_.begin());
    return oldest;
  }
  sp::Task<Response> handle_request(Early early, sp::Context<Server>& context) {
    auto reply = context.defer<int>();
    CHECK(context.is_caller_waiting());
    note(reply.reply(1));
    CHECK(!context.is_caller_waiting());
    early.goes_on.open();
    co_await early.leave.opened();
    events_->add("slow rest");
    co_return Response::deferred();
  }
  int handle_request(ValueAfterDefer /*request*/, sp::Context<Server>& context) {
    waiting_.push_back(context.defer<int>());
    return 2;
  }
  int handle_request(DropThenValue /*request*/, sp::Context<Server>& context) {
    {
      auto reply = context.defer<int>();
    }
    return 3;
  }
  Response handle_request(DropInHandler /*request*/, sp::Context<Server>& context) {
    {
      auto reply = context.defer<int>();
    }
    return Response::deferred();
  }
  sp::Task<int> handle_request(ThrowAfterDefer request, sp::Context<Server>& context) {
    auto reply = context.defer<int>();
    if (request.answered) note(reply.reply(4));
    co_await sp::yield_now();
    throw std::runtime_error("after defer");
  }
  Response handle_request(DeferNothing /*request*/) { return Response::deferred(); }
  Response handle_request(StopQuietly stop) {
    return Response::stop_without_reply(std::move(stop.reason));
  }
  Response handle_request(StopAfterDefer /*request*/, sp::Context<Server>& context) {
    auto reply = context.defer<int>();
    note(reply.reply(5));
    return Response::stop(6, sp::ExitReason::custom("done"));
  }
  std::string handle_request(WrongType /*request*/, sp::Context<Server>& context) {
    return refused([&] { (void)context.defer<int>(); });
  }
  std::string handle_request(Twice /*request*/, sp::Context<Server>& context) {
    auto reply = context.defer<std::string>();
    return refused([&] { (void)context.defer<std::string>(); });
  }
  void handle_message(InMessage /*message*/, sp::Context<Server>& context) {
    events_->add(refused([&] { (void)context.defer<int>(); }));
    CHECK(!context.is_caller_waiting());
  }
  int handle_request(Count /*request*/) { return static_cast<int>(waiting_.size()); }
  sp::RequestResponse<void> handle_request(AskVoid /*request*/, sp::Context<Server>& context) {
    auto reply = context.defer<void>();
    note(reply.reply());
    return sp::RequestResponse<void>::deferred();
  }
  sp::Task<int> handle_request(IsWaiting request, sp::Context<Server>& context) {
    CHECK(context.is_caller_waiting());
    request.entered.open();
    co_await request.leave.opened();
    CHECK(!context.is_caller_waiting());
    co_return 0;
  }
  void teardown(sp::Context<Server>& context) {
    events_->add(refused([&] { (void)context.defer<int>(); }));
  }

 private:
  template <typename Call>
  static std::string refused(Call&& call) {
    try {
      call();
      return "accepted";
    } catch (sp::DeferRefused const& error) {
      return error.what();
    }
  }
  void note(ReplyResult result) {
    switch (result) {
      case ReplyResult::sent:
        events_->add("sent");
        break;
      case ReplyResult::caller_gone:
        events_->add("caller gone");
        break;
      case ReplyResult::already_answered:
        events_->add("already answered");
        break;
    }
  }

  test::Events* events_;
  std::vector<sp::ReplyTo<int>> waiting_;
};

template <typename Body>
test::Strings with_server(Body&& body, sp::RuntimeOptions options = {}) {
  test::Events events;
  auto whole = [](Body& inner, test::Events& seen) -> sp::Task<void> {
    auto server = sp::start<Server>(seen);
    auto task = inner(server, seen);
    co_await std::move(task);
  };
  sp::run(whole(body, events), std::move(options));
  auto all = events.all();
  std::erase_if(all, [](std::string const& event) {
    return event.find("no message is in work") != std::string::npos;  // each teardown's
  });
  return all;
}

using Ref = sp::ActorRef<Server>;

}  // namespace

TEST_SUITE("actors/reply_to") {
  TEST_CASE("GS-20: a request may be answered later, by another callback") {
    auto body = [](Ref server, test::Events& /*seen*/) -> sp::Task<void> {
      auto first = server.start_request<Ask>();
      auto second = server.start_request<Ask>();
      auto count = co_await server.request<Count>();  // the actor goes on meanwhile
      CHECK(count.value() == 2);
      CHECK(!first.is_ready());
      server.send<AnswerAll>(7);
      auto one = co_await first;
      auto two = co_await second;
      CHECK(one.value() == 7);
      CHECK(two.value() == 7);
    };
    CHECK(with_server(body) == test::Strings{"sent", "sent"});
  }

  TEST_CASE("GS-20: a task and a plain thread may answer for the actor, even after its end") {
    auto body = [](Ref server, test::Events& /*seen*/) -> sp::Task<void> {
      auto first = server.start_request<Ask>();
      auto second = server.start_request<Ask>();
      auto by_task = co_await server.request<HandOut>();
      auto by_thread = co_await server.request<HandOut>();
      auto answer = [](std::shared_ptr<sp::ReplyTo<int>> reply) -> sp::Task<ReplyResult> {
        co_return reply->reply(8);
      };
      auto task = sp::spawn(answer(*by_task));
      auto one = co_await first;
      CHECK(one.value() == 8);
      auto sent = co_await std::move(task);
      CHECK(sent.value() == ReplyResult::sent);
      (void)co_await server.stop_and_wait();
      std::thread other([reply = *by_thread] { CHECK(reply->reply(9) == ReplyResult::sent); });
      auto two = co_await second;
      CHECK(two.value() == 9);
      other.join();
    };
    with_server(body);
  }

  TEST_CASE("GS-43: the first answer counts, a second is told so") {
    auto body = [](Ref server, test::Events& /*seen*/) -> sp::Task<void> {
      auto pending = server.start_request<Ask>();
      auto reply = co_await server.request<HandOut>();
      CHECK((*reply)->is_caller_waiting());
      CHECK((*reply)->reply(1) == ReplyResult::sent);
      CHECK(!(*reply)->is_caller_waiting());
      CHECK((*reply)->reply(2) == ReplyResult::already_answered);
      CHECK((*reply)->fail(Kind::unused) == ReplyResult::already_answered);
      auto answer = co_await pending;
      CHECK(answer.value() == 1);
    };
    with_server(body);
  }

  TEST_CASE("GS-44: a handler that answers early and goes on does not hold its caller up") {
    auto body = [](Ref server, test::Events& seen) -> sp::Task<void> {
      test::Gate goes_on;
      test::Gate leave;
      auto answer = co_await server.request<Early>(goes_on, leave);
      CHECK(answer.value() == 1);
      seen.add("caller returned");
      leave.open();
      auto count = co_await server.request<Count>();
      CHECK(count.has_value());
    };
    CHECK(with_server(body) == test::Strings{"sent", "caller returned", "slow rest"});
  }

  TEST_CASE("GS-16: a stop without a reply gives the caller stopped with the reason") {
    for (auto const& reason : {sp::ExitReason::normal(), sp::ExitReason::shutdown(),
                               sp::ExitReason::custom("foo"), sp::ExitReason::error("bar")}) {
      auto body = [&](Ref server, test::Events& /*seen*/) -> sp::Task<void> {
        return [](Ref self, sp::ExitReason why) -> sp::Task<void> {
          auto answer = co_await self.request<StopQuietly>(why);
          REQUIRE(!answer.has_value());
          CHECK(answer.error() == sp::ActorError(Kind::stopped, why));
          CHECK(self.exit_reason() == why);
        }(server, reason);
      };
      with_server(body);
    }
  }

  TEST_CASE("a ReplyTo that is dropped gives its caller unanswered at once") {
    auto body = [](Ref server, test::Events& /*seen*/) -> sp::Task<void> {
      auto pending = server.start_request<Ask>();
      server.send<DropAll>();
      auto answer = co_await pending;
      CHECK(answer.error() == Kind::unanswered);
      auto in_handler = co_await server.request<DropInHandler>();
      CHECK(in_handler.error() == Kind::unanswered);
      auto nobody = co_await server.request<DeferNothing>();
      CHECK(nobody.error() == Kind::unanswered);
    };
    with_server(body);
  }

  TEST_CASE("a ReplyTo that its actor still holds at the end gives stopped with the reason") {
    auto body = [](Ref server, test::Events& /*seen*/) -> sp::Task<void> {
      auto pending = server.start_request<Ask>();
      server.stop(sp::ExitReason::custom("fire"));
      auto answer = co_await pending;
      CHECK(answer.error() == sp::ActorError(Kind::stopped, sp::ExitReason::custom("fire")));
    };
    with_server(body);
  }

  TEST_CASE("a handler that returns a value after all answers, and a later reply is told so") {
    auto body = [](Ref server, test::Events& /*seen*/) -> sp::Task<void> {
      auto value = co_await server.request<ValueAfterDefer>();
      CHECK(value.value() == 2);
      server.send<AnswerAll>(7);
      auto dropped = co_await server.request<DropThenValue>();
      CHECK(dropped.value() == 3);
    };
    CHECK(with_server(body) == test::Strings{"already answered"});
  }

  TEST_CASE("a handler that fails after defer gives handler_failed, unless it has answered") {
    test::LogCapture const log;
    auto unanswered = [](Ref server, test::Events& /*seen*/) -> sp::Task<void> {
      auto answer = co_await server.request<ThrowAfterDefer>(false);
      CHECK(answer.error() == Kind::handler_failed);
    };
    with_server(unanswered);
    auto answered = [](Ref server, test::Events& /*seen*/) -> sp::Task<void> {
      auto answer = co_await server.request<ThrowAfterDefer>(true);
      CHECK(answer.value() == 4);
      auto exit = co_await server.wait_exit();
      CHECK(exit.value().kind() == sp::ExitReason::Kind::error);
    };
    with_server(answered);
    CHECK(log.count("ThrowAfterDefer", "after defer") == 2);
  }

  TEST_CASE("a stop after an early reply changes nothing for the caller") {
    auto body = [](Ref server, test::Events& /*seen*/) -> sp::Task<void> {
      auto answer = co_await server.request<StopAfterDefer>();
      CHECK(answer.value() == 5);
      auto exit = co_await server.wait_exit();
      CHECK(exit.value() == sp::ExitReason::custom("done"));
    };
    with_server(body);
  }

  TEST_CASE("a reply to a caller that has given up says caller_gone") {
    auto body = [](Ref server, test::Events& /*seen*/) -> sp::Task<void> {
      auto late = co_await server.request_with_timeout<Ask>(1ms);
      CHECK(late.error() == Kind::timeout);
      {
        auto dropped = server.start_request<Ask>();
      }
      auto first = co_await server.request<HandOut>();
      CHECK(!(*first)->is_caller_waiting());
      CHECK((*first)->reply(1) == ReplyResult::caller_gone);
      server.send<AnswerAll>(7);
      (void)co_await server.request<Count>();
    };
    CHECK(with_server(body, test::virtual_time()) == test::Strings{"caller gone"});
  }

  TEST_CASE("a handler sees that the caller of the request in work has given up") {
    auto body = [](Ref server, test::Events& /*seen*/) -> sp::Task<void> {
      test::Gate entered;
      test::Gate leave;
      {
        auto pending = server.start_request<IsWaiting>(entered, leave);
        co_await entered.opened();
      }
      leave.open();
      (void)co_await server.request<Count>();
    };
    with_server(body);
  }

  TEST_CASE("a request without a value is answered late by reply()") {
    auto body = [](Ref server, test::Events& /*seen*/) -> sp::Task<void> {
      auto answer = co_await server.request<AskVoid>();
      CHECK(answer.has_value());
    };
    CHECK(with_server(body) == test::Strings{"sent"});
  }

  TEST_CASE("defer throws DeferRefused for another type, twice, and outside a request handler") {
    auto has = [](std::string const& text, std::string_view part) {
      CAPTURE(text);
      return text.find(part) != std::string::npos;
    };
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto server = sp::start<Server>(seen);
      auto wrong = co_await server.request<WrongType>();
      seen.add(wrong.value());
      auto twice = co_await server.request<Twice>();
      seen.add(twice.value());
      server.send<InMessage>();
      (void)co_await server.stop_and_wait();
    };
    sp::run(body(events));
    auto const all = events.all();
    REQUIRE(all.size() == 4);
    CHECK(has(all[0], "Server#"));
    CHECK(has(all[0], "defer<int>() in the handler of "));
    CHECK(has(all[0], "WrongType, whose reply is std::"));
    CHECK(has(all[1], "a second time for the same "));
    CHECK(has(all[2], "InMessage, which is a message and no request"));
    CHECK(has(all[3], "no message is in work"));
  }
}
