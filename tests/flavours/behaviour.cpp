// What an actor does in either flavour: one source, two programs (flavour.hpp). Tests named after a
// line of docs/otp-conformance.md show that line in both.
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "flavours/flavour.hpp"
#include "support/events.hpp"
#include "support/log_capture.hpp"

using namespace std::chrono_literals;
using Kind = sp::ActorError::Kind;

namespace {

class Server : public sp::Actor<Server> {
 public:
  struct Ping {};
  struct Note {
    std::string text;
  };
  struct Notes {};
  struct Slow {
    std::chrono::nanoseconds duration;
    int answer;
  };
  struct AskYourself {};
  struct Relay {
    sp::ActorRef<Server> next;
    std::chrono::nanoseconds limit;
    std::chrono::nanoseconds nap;
  };
  struct Leave {
    int answer;
  };
  struct Fail {};
  struct FailQuietly {};
  struct Stop {};

  explicit Server(std::shared_ptr<test::Events> events = nullptr) : events_(std::move(events)) {}

  int handle_request(Ping /*ping*/) const { return 1; }
  std::vector<std::string> handle_request(Notes /*question*/) const { return notes_; }
  TASK(int) handle_request(Slow slow) {
    AWAIT sp::sleep(slow.duration);
    RETURN slow.answer;
  }
  TASK(bool) handle_request(AskYourself /*order*/, sp::Context<Server>& context) {
    auto self = context.self();
    auto reply = AWAIT self.request<Ping>();
    RETURN !reply && reply.error() == Kind::deadlock;
  }
  TASK(std::optional<int>) handle_request(Relay relay) {
    auto reply = AWAIT relay.next.request_with_timeout<Slow>(relay.limit, relay.nap, 5);
    RETURN reply ? std::optional<int>(*reply) : std::nullopt;
  }
  sp::RequestResponse<int> handle_request(Leave leave) const {
    return sp::RequestResponse<int>::stop(leave.answer, sp::ExitReason::custom("left"));
  }
  int handle_request(Fail /*order*/) { throw std::runtime_error("oops"); }

  void handle_message(Note note) { notes_.push_back(std::move(note.text)); }
  void handle_message(FailQuietly /*order*/) { throw 7; }
  sp::MessageResponse handle_message(Stop /*order*/) {
    return sp::MessageResponse::stop(sp::ExitReason::custom("told"));
  }

  void teardown(sp::ExitReason const& reason) {
    if (events_ != nullptr) events_->add("teardown " + reason.to_string());
  }

 private:
  std::vector<std::string> notes_;
  std::shared_ptr<test::Events> events_;
};

/// Answers a request when another asks it to.
class Waiter : public sp::Actor<Waiter> {
 public:
  struct WaitFor {};
  struct Answer {
    int value;
  };
  sp::RequestResponse<int> handle_request(WaitFor /*question*/, sp::Context<Waiter>& context) {
    waiting_ = std::make_unique<sp::ReplyTo<int>>(context.defer<int>());
    return sp::RequestResponse<int>::deferred();
  }
  sp::ReplyResult handle_request(Answer answer) {
    CHECK(waiting_->reply(answer.value) == sp::ReplyResult::sent);
    return waiting_->reply(answer.value + 1);
  }

 private:
  std::unique_ptr<sp::ReplyTo<int>> waiting_;
};

/// Asks the next one, and answers what that said: the error of whoever closes the cycle.
class Asker : public sp::Actor<Asker> {
 public:
  struct Next {
    sp::ActorRef<Asker> asker;
  };
  struct Round {};
  struct LateRound {};
  void handle_message(Next next) { next_ = std::make_unique<Next>(std::move(next)); }
  TASK(std::string) handle_request(Round /*order*/) {
    auto reply = AWAIT next_->asker.request<Round>();
    if (reply) RETURN* reply;
    RETURN reply.error() == Kind::deadlock ? reply.error().what() : "no deadlock";
  }
  /// The same by a PendingReply, until one has asked.
  TASK(std::string) handle_request(LateRound /*order*/) {
    if (std::exchange(has_asked_, true)) RETURN "asked before";
    auto pending = next_->asker.start_request<LateRound>();
    auto reply = AWAIT pending.wait_for(1h);
    if (reply) RETURN* reply;
    RETURN reply.error() == Kind::deadlock ? reply.error().what() : "no deadlock";
  }

 private:
  std::unique_ptr<Next> next_;
  bool has_asked_ = false;
};

class Starter : public sp::Actor<Starter> {
 public:
  enum class How { well, slowly, error, no_success, throws };
  explicit Starter(How how) : how_(how) {}

  TASK(sp::InitResult) init() {
    if (how_ == How::slowly) AWAIT sp::sleep(2s);
    if (how_ == How::throws) throw std::runtime_error("init");
    if (how_ == How::error) RETURN sp::InitResult::error(sp::ExitReason::custom("bad"));
    if (how_ == How::no_success) RETURN sp::InitResult::no_success();
    up_ = true;
    RETURN sp::InitResult::success();
  }
  bool handle_request(Server::Ping /*ping*/) const { return up_; }

 private:
  How how_;
  bool up_ = false;
};

}  // namespace

TEST_SUITE("flavours/behaviour") {
  TEST_CASE("GS-01: start_and_wait returns when init is done") {
    test::under_virtual_time([]() -> TASK(void) {
      auto started = AWAIT Starter(Starter::How::slowly).start_and_wait();
      REQUIRE(started.has_value());
      auto up = AWAIT started->request<Server::Ping>();
      CHECK(up.value());
    });
  }

  TEST_CASE(
      "GS-02, GS-04, GS-05: an init that fails, refuses or throws gives the start its error") {
    test::LogCapture const log;
    test::under_virtual_time([]() -> TASK(void) {
      auto bad = AWAIT Starter(Starter::How::error).start_and_wait();
      CHECK(bad.error() == Kind::init_failed);
      CHECK(bad.error().reason().text() == "bad");
      auto refused = AWAIT Starter(Starter::How::no_success).start_and_wait();
      CHECK(refused.error() == Kind::init_no_success);
      auto thrown = AWAIT Starter(Starter::How::throws).start_and_wait();
      CHECK(thrown.error() == Kind::init_failed);
    });
  }

  TEST_CASE("GS-07: a start that takes too long says timeout, and the actor ends") {
    test::under_virtual_time([]() -> TASK(void) {
      auto before = sp::now();
      auto late = AWAIT Starter(Starter::How::slowly).start_and_wait(100ms);
      CHECK(late.error() == Kind::timeout);
      CHECK(sp::now() - before >= 100ms);
      CHECK(sp::now() - before < 500ms);
    });
  }

  TEST_CASE("SIG-01, GS-32: what one sender sends is handled in the order sent") {
    test::under_virtual_time([]() -> TASK(void) {
      auto server = Server{}.start();
      for (int i = 0; i < 1000; ++i) server.send<Server::Note>(std::to_string(i));
      auto notes = AWAIT server.request<Server::Notes>();
      REQUIRE(notes.value().size() == 1000);
      for (int i = 0; i < 1000; ++i) {
        REQUIRE((*notes)[static_cast<std::size_t>(i)] == std::to_string(i));
      }
    });
  }

  TEST_CASE("GS-09: a request to an ended actor fails at once with no_such_actor and its reason") {
    test::under_virtual_time([]() -> TASK(void) {
      auto server = Server{}.start();
      auto ended = AWAIT server.stop_and_wait(sp::ExitReason::custom("over"));
      CHECK(ended.value().text() == "over");
      auto before = sp::now();
      auto reply = AWAIT server.request<Server::Ping>();
      CHECK(reply.error() == Kind::no_such_actor);
      CHECK(reply.error().reason().text() == "over");
      CHECK(sp::now() == before);
    });
  }

  TEST_CASE("GS-12: a late reply is never seen by the next request") {
    test::under_virtual_time([]() -> TASK(void) {
      auto server = Server{}.start();
      auto late = AWAIT server.request_with_timeout<Server::Slow>(20ms, 80ms, 3);
      CHECK(late.error() == Kind::timeout);
      auto next = AWAIT server.request<Server::Slow>(1ms, 4);
      CHECK(next.value() == 4);
    });
  }

  TEST_CASE("GS-13: an actor that asks itself gets the error deadlock at once and lives on") {
    test::under_virtual_time([]() -> TASK(void) {
      auto server = Server{}.start();
      auto refused = AWAIT server.request<Server::AskYourself>();
      CHECK(refused.value());
      auto alive = AWAIT server.request<Server::Ping>();
      CHECK(alive.value() == 1);
    });
  }

  TEST_CASE("GS-14: RequestResponse::stop runs teardown, then the caller gets the reply") {
    test::under_virtual_time([]() -> TASK(void) {
      auto events = std::make_shared<test::Events>();
      auto server = Server(events).start();
      auto reply = AWAIT server.request<Server::Leave>(9);
      CHECK(reply.value() == 9);
      CHECK(events->all() == test::Strings{"teardown custom: left"});
      auto reason = AWAIT server.wait_exit();
      CHECK(reason.value().text() == "left");
    });
  }

  TEST_CASE("GS-16: requests that an ending actor did not read get stopped with its reason") {
    test::under_virtual_time([]() -> TASK(void) {
      auto server = Server{}.start();
      auto busy = server.start_request<Server::Slow>(10ms, 1);
      server.send<Server::Stop>();
      auto unread = server.start_request<Server::Ping>();
      auto answer = AWAIT busy.wait_for(1s);
      CHECK(answer.value() == 1);
      auto stopped = AWAIT unread.wait_for(1s);
      CHECK(stopped.error() == Kind::stopped);
      CHECK(stopped.error().reason().text() == "told");
    });
  }

  TEST_CASE("GS-17: a handler that throws ends its actor after teardown, and the caller is told") {
    test::LogCapture const log;
    test::under_virtual_time([]() -> TASK(void) {
      auto events = std::make_shared<test::Events>();
      auto server = Server(events).start();
      auto reply = AWAIT server.request<Server::Fail>();
      CHECK(reply.error() == Kind::handler_failed);
      CHECK(reply.error().reason().text() == "std::runtime_error: oops");
      CHECK(events->all() == test::Strings{"teardown error: std::runtime_error: oops"});
    });
  }

  TEST_CASE("GS-21, SIG-07: a send to an ended actor is ok") {
    test::under_virtual_time([]() -> TASK(void) {
      auto server = Server{}.start();
      (void)AWAIT server.stop_and_wait();
      CHECK(server.send<Server::Note>("late") == sp::SendResult::ok);
    });
  }

  TEST_CASE("GS-29: stop ends the actor with reason normal after teardown; a second stop fails") {
    test::under_virtual_time([]() -> TASK(void) {
      auto events = std::make_shared<test::Events>();
      auto server = Server(events).start();
      server.send<Server::Note>("before");
      auto reason = AWAIT server.stop_and_wait();
      CHECK(reason.value() == sp::ExitReason::normal());
      CHECK(events->all() == test::Strings{"teardown normal"});
      auto again = AWAIT server.stop_and_wait();
      CHECK(again.error() == Kind::no_such_actor);
      CHECK_FALSE(server.is_alive());
    });
  }

  TEST_CASE(
      "GS-31: a stop that is not done in time says timeout, and the actor ends all the same") {
    test::under_virtual_time([]() -> TASK(void) {
      auto server = Server{}.start();
      auto busy = server.start_request<Server::Slow>(200ms, 1);
      auto late = AWAIT server.stop_and_wait({}, 50ms);
      CHECK(late.error() == Kind::timeout);
      auto reason = AWAIT server.wait_exit();
      CHECK(reason.value() == sp::ExitReason::normal());
      auto answer = AWAIT busy.wait_for(1s);
      CHECK(answer.value() == 1);
    });
  }

  TEST_CASE("GS-41: a handler may throw anything") {
    test::LogCapture const log;
    test::under_virtual_time([]() -> TASK(void) {
      auto server = Server{}.start();
      server.send<Server::FailQuietly>();
      auto reason = AWAIT server.wait_exit();
      CHECK(reason.value().kind() == sp::ExitReason::Kind::error);
      CHECK(reason.value().text() == "int 7");
    });
  }

  TEST_CASE("REQ-01, REQ-02: a pending reply that timed out can be waited for again") {
    test::under_virtual_time([]() -> TASK(void) {
      auto server = Server{}.start();
      auto pending = server.start_request<Server::Slow>(50ms, 8);
      auto early = AWAIT pending.wait_for(1ms);
      CHECK(early.error() == Kind::timeout);
      auto reply = AWAIT pending.wait_for(1s);
      CHECK(reply.value() == 8);
    });
  }

  TEST_CASE("REQ-04: a request to an ended actor is an error as a value") {
    test::under_virtual_time([]() -> TASK(void) {
      auto server = Server{}.start();
      (void)AWAIT server.stop_and_wait();
      auto pending = server.start_request<Server::Ping>();
      CHECK(pending.is_ready());
      auto reply = AWAIT pending.wait_for(1s);
      CHECK(reply.error() == Kind::no_such_actor);
    });
  }

  TEST_CASE("TMR-10: a sleep and a time limit are never short") {
    sp::run([]() -> TASK(void) {
      auto server = Server{}.start();
      auto before = sp::now();
      AWAIT sp::sleep(20ms);
      CHECK(sp::now() - before >= 20ms);
      before = sp::now();
      auto late = AWAIT server.request_with_timeout<Server::Slow>(20ms, 60ms, 1);
      CHECK(late.error() == Kind::timeout);
      CHECK(sp::now() - before >= 20ms);
    });
  }

  TEST_CASE("an actor asks another in its handler, and passes on that it got no answer") {
    test::under_virtual_time([]() -> TASK(void) {
      auto near = Server{}.start();
      auto far = Server{}.start();
      auto reply = AWAIT near.request<Server::Relay>(far, 1s, 10ms);
      CHECK(reply.value() == 5);
      auto late = AWAIT near.request<Server::Relay>(far, 10ms, 50ms);
      CHECK(late.value() == std::nullopt);
    });
  }

  TEST_CASE("a request that closes a cycle of two or three actors fails at once, naming them") {
    sp::RuntimeOptions options;
    options.clock = std::make_shared<sp::ManualClock>(sp::ManualClock::Mode::auto_advance);
    options.detect_cycles = true;
    sp::run(
        []() -> TASK(void) {
          for (int length = 2; length <= 3; ++length) {
            std::vector<sp::ActorRef<Asker>> ring;
            for (int i = 0; i < length; ++i) ring.push_back(Asker{}.start());
            for (int i = 0; i < length; ++i) {
              ring[static_cast<std::size_t>(i)].send<Asker::Next>(
                  ring[static_cast<std::size_t>((i + 1) % length)]);
            }
            auto before = sp::now();
            auto text = AWAIT ring[0].request<Asker::Round>();
            CHECK(sp::now() == before);
            REQUIRE(text.has_value());
            CHECK(text->find("Asker#" + std::to_string(ring[0].id().value)) != std::string::npos);
            CHECK(text->find(" -> ") != std::string::npos);
            CAPTURE(*text);
            auto late = AWAIT ring[0].request<Asker::LateRound>();
            CHECK(sp::now() == before);
            REQUIRE(late.has_value());
            CHECK(late->find("Asker#" + std::to_string(ring[0].id().value)) != std::string::npos);
            CAPTURE(*late);
          }
        },
        std::move(options));
  }

  TEST_CASE("TMR-01, TMR-02: a timer sends once, and not when it is cancelled") {
    test::under_virtual_time([]() -> TASK(void) {
      auto server = Server{}.start();
      auto kept = sp::send_after<Server::Note>(30ms, server, "kept");
      auto dropped = sp::send_after<Server::Note>(200ms, server, "dropped");
      AWAIT sp::sleep(100ms);
      CHECK(dropped.time_left().value() <= 100ms);
      CHECK(dropped.cancel() == sp::CancelResult::cancelled);
      CHECK(dropped.cancel() == sp::CancelResult::too_late);
      CHECK(kept.cancel() == sp::CancelResult::too_late);
      AWAIT sp::sleep(300ms);
      auto notes = AWAIT server.request<Server::Notes>();
      CHECK(notes.value() == std::vector<std::string>{"kept"});
    });
  }

  TEST_CASE("TMR-08: an interval that is cancelled after three ticks has sent exactly three") {
    test::under_virtual_time([]() -> TASK(void) {
      auto server = Server{}.start();
      auto ticks = sp::send_interval<Server::Note>(100ms, server, "tick");
      AWAIT sp::sleep(350ms);
      CHECK(ticks.cancel() == sp::CancelResult::cancelled);
      AWAIT sp::sleep(1s);
      auto notes = AWAIT server.request<Server::Notes>();
      CHECK(notes.value().size() == 3);
    });
  }

  TEST_CASE("GS-20, GS-43: a deferred reply is sent once, by another callback") {
    test::under_virtual_time([]() -> TASK(void) {
      auto waiter = Waiter{}.start();
      auto pending = waiter.start_request<Waiter::WaitFor>();
      auto early = AWAIT pending.wait_for(50ms);
      CHECK(early.error() == Kind::timeout);
      auto second = AWAIT waiter.request<Waiter::Answer>(7);
      CHECK(second.value() == sp::ReplyResult::already_answered);
      auto reply = AWAIT pending.wait_for(1s);
      CHECK(reply.value() == 7);
    });
  }

  TEST_CASE(
      "GS-33, EXIT-07: kill ends an actor as killed, exit with its reason, both without teardown") {
    test::under_virtual_time([]() -> TASK(void) {
      auto events = std::make_shared<test::Events>();
      auto first = Server(events).start();
      first.kill();
      auto killed = AWAIT first.wait_exit();
      CHECK(killed.value().kind() == sp::ExitReason::Kind::killed);
      auto second = Server(events).start();
      second.exit(sp::ExitReason::custom("boom"));
      auto boom = AWAIT second.wait_exit();
      CHECK(boom.value() == sp::ExitReason::custom("boom"));
      CHECK(events->all().empty());
    });
  }

  TEST_CASE("a bounded mailbox that rejects says full, and holds no more than its capacity") {
    test::under_virtual_time([]() -> TASK(void) {
      auto server = Server{}.start({.mailbox_capacity = 2, .overflow = sp::Overflow::reject});
      auto busy = server.start_request<Server::Slow>(10ms, 1);
      AWAIT sp::sleep(1ms);
      CHECK(server.send<Server::Note>("a") == sp::SendResult::ok);
      CHECK(server.send<Server::Note>("b") == sp::SendResult::ok);
      CHECK(server.send<Server::Note>("c") == sp::SendResult::full);
      auto refused = AWAIT server.request<Server::Ping>();
      CHECK(refused.error() == Kind::mailbox_full);
      auto done = AWAIT busy.wait_for(1s);
      CHECK(done.value() == 1);
      while (server.mailbox().size != 0) AWAIT sp::sleep(1ms);
      auto notes = AWAIT server.request<Server::Notes>();
      CHECK(notes.value() == std::vector<std::string>{"a", "b"});
    });
  }

  TEST_CASE("a protocol of an actor sends and asks, without its type") {
    test::under_virtual_time([]() -> TASK(void) {
      auto server = Server{}.start();
      sp::Recipient<Server::Note> notes_only = server;
      notes_only.send<Server::Note>("through a recipient");
      auto notes = AWAIT server.request<Server::Notes>();
      CHECK(notes.value().size() == 1);
    });
  }

  TEST_CASE("what is left at the end of run is stopped with reason shutdown") {
    auto events = std::make_shared<test::Events>();
    test::under_virtual_time([&events]() -> TASK(void) {
      auto server = Server(events).start();
      auto reply = AWAIT server.request<Server::Ping>();
      CHECK(reply.has_value());
    });
    CHECK(events->all() == test::Strings{"teardown shutdown"});
  }

  TEST_CASE("start outside a runtime throws NoRuntime") {
    CHECK_THROWS_AS((void)Server{}.start(), sp::NoRuntime);
  }

  TEST_CASE("plain threads ask with one line, whatever the flavour of the actor") {
    sp::Runtime runtime;
    auto server = Server{}.start_on(runtime);
    CHECK(server.request_blocking<Server::Ping>().value() == 1);
    runtime.shutdown();
    CHECK(server.request_blocking<Server::Ping>().error() == Kind::no_such_actor);
  }
}
