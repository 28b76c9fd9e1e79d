#include <optional>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using Kind = sp::ActorError::Kind;

namespace {

struct Note {
  std::string text;
};
struct All {};
struct Hold {
  test::Gate entered;
  test::Gate leave;
};
struct GiveUrgent {};
struct Revoke {};
struct AskForMore {
  int count;
};

class Reader : public sp::Actor<Reader> {
 public:
  using Urgent = sp::UrgentRef<Reader>;
  sp::Task<void> handle_message(Hold hold) {
    hold.entered.open();
    co_await hold.leave.opened();
  }
  void handle_message(Note note) { read_.push_back(std::move(note.text)); }
  Urgent handle_request(GiveUrgent /*request*/, sp::Context<Reader>& context) {
    return context.urgent_ref();
  }
  void handle_request(Revoke /*request*/, sp::Context<Reader>& context) { context.revoke_urgent(); }
  // Urgent to itself, for ever.
  void handle_message(AskForMore more, sp::Context<Reader>& context) {
    read_.push_back("u");
    if (more.count > 0) context.urgent_ref().send<AskForMore>(more.count - 1);
  }
  test::Strings handle_request(All /*request*/) const { return read_; }

 private:
  test::Strings read_;
};

sp::ActorOptions urgent(unsigned burst = 32) {
  sp::ActorOptions options;
  options.urgent_messages = true;
  options.urgent_burst = burst;
  return options;
}

}  // namespace

TEST_SUITE("actors/urgent") {
  TEST_CASE("PRIO-01: urgent messages overtake ordinary ones and are in order among themselves") {
    auto body = []() -> sp::Task<void> {
      auto reader = Reader().start(urgent());
      auto vip = co_await reader.request<GiveUrgent>();
      test::Gate entered;
      test::Gate leave;
      reader.send<Hold>(entered, leave);
      co_await entered.opened();
      reader.send<Note>("n1");
      reader.send<Note>("n2");
      CHECK(vip->send<Note>("p1") == sp::SendResult::ok);
      reader.send<Note>("n3");
      vip->send<Note>("p2");
      leave.open();
      auto read = co_await reader.request<All>();
      CHECK(read.value() == test::Strings{"p1", "p2", "n1", "n2", "n3"});
    };
    sp::run(body());
  }

  TEST_CASE("PRIO-02: who has not been given the right sends ordinary messages") {
    auto body = []() -> sp::Task<void> {
      auto reader = Reader().start(urgent());
      auto vip = co_await reader.request<GiveUrgent>();
      test::Gate entered;
      test::Gate leave;
      reader.send<Hold>(entered, leave);
      co_await entered.opened();
      reader.send<Note>("n1");
      vip->plain().send<Note>("x");
      leave.open();
      auto read = co_await reader.request<All>();
      CHECK(read.value() == test::Strings{"n1", "x"});
    };
    sp::run(body());
  }

  TEST_CASE("an actor without the option gives no urgent ref: UrgentMessagesOff names it") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto reader = Reader().start();
      auto refused = co_await reader.request<GiveUrgent>();
      CHECK(refused.error() == Kind::handler_failed);
      CHECK(refused.error().what().find("urgent_messages") != std::string::npos);
    };
    sp::run(body());
  }

  TEST_CASE("after urgent_burst urgent messages in a row an ordinary one has its turn") {
    auto body = []() -> sp::Task<void> {
      auto reader = Reader().start(urgent(3));
      auto vip = co_await reader.request<GiveUrgent>();
      test::Gate entered;
      test::Gate leave;
      reader.send<Hold>(entered, leave);
      co_await entered.opened();
      reader.send<Note>("n1");
      reader.send<Note>("n2");
      vip->send<AskForMore>(7);
      leave.open();
      auto read = co_await reader.request<All>();
      CHECK(read.value() == test::Strings{"u", "u", "u", "n1", "u", "u", "u", "n2", "u", "u"});
    };
    sp::run(body());
  }

  TEST_CASE("an urgent message overtakes a stop") {
    auto body = []() -> sp::Task<void> {
      auto reader = Reader().start(urgent());
      auto vip = co_await reader.request<GiveUrgent>();
      test::Gate entered;
      test::Gate leave;
      reader.send<Hold>(entered, leave);
      co_await entered.opened();
      auto last = reader.start_request<All>();
      reader.stop();
      vip->send<Note>("in time");
      leave.open();
      auto read = co_await last;
      CHECK(read.value() == test::Strings{"in time"});
    };
    sp::run(body());
  }

  TEST_CASE("messages through revoked urgent refs are dead letters; new refs are good") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto reader = Reader().start(urgent());
      auto old = co_await reader.request<GiveUrgent>();
      auto before = co_await reader.request<All>();
      CHECK(before.value().empty());
      auto revoked = co_await reader.request<Revoke>();
      CHECK(revoked.has_value());
      auto const counted = sp::dead_letters::counts();
      CHECK(old->send<Note>("late") == sp::SendResult::dropped);
      CHECK(sp::dead_letters::counts().revoked - counted.revoked == 1);
      auto fresh = co_await reader.request<GiveUrgent>();
      CHECK(fresh->send<Note>("good") == sp::SendResult::ok);
      auto read = co_await reader.request<All>();
      CHECK(read.value() == test::Strings{"good"});
    };
    sp::run(body());
  }

  TEST_CASE("an urgent message to an ended actor is a dead letter") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto reader = Reader().start(urgent());
      auto vip = co_await reader.request<GiveUrgent>();
      (void)co_await reader.stop_and_wait();
      auto const counted = sp::dead_letters::counts();
      CHECK(vip->send<Note>("late") == sp::SendResult::ok);
      CHECK(sp::dead_letters::counts().ended - counted.ended == 1);
    };
    sp::run(body());
  }

  TEST_CASE("in a bounded mailbox urgent messages count like all others") {
    auto body = []() -> sp::Task<void> {
      auto options = urgent();
      options.mailbox_capacity = 2;
      auto reader = Reader().start(options);
      auto vip = co_await reader.request<GiveUrgent>();
      test::Gate entered;
      test::Gate leave;
      reader.send<Hold>(entered, leave);
      co_await entered.opened();
      CHECK(reader.send<Note>("n") == sp::SendResult::ok);
      CHECK(vip->send<Note>("p") == sp::SendResult::ok);
      CHECK(vip->send<Note>("q") == sp::SendResult::full);
      leave.open();
      auto ended = co_await reader.stop_and_wait();
      CHECK(ended.has_value());
    };
    sp::run(body());
  }
}
