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

namespace {

struct Joined {
  std::string name;
};
struct Said {
  std::string text;
  std::unique_ptr<int> token = nullptr;  // may only be moved
};
struct CountMembers {};
struct Ask {
  std::string question;
};
struct Never {};
struct Both {};  // a message of one, a request of the other

class Room : public sp::Actor<Room> {
 public:
  explicit Room(test::Events& events) : events_(&events) {}
  void handle_message(Joined joined) {
    ++members_;
    events_->add("joined " + joined.name);
  }
  void handle_message(Said said) { events_->add("said " + said.text); }
  int handle_request(CountMembers /*request*/) const { return members_; }
  std::string handle_request(Ask const& ask) const { return ask.question + "!"; }
  sp::Task<void> handle_request(Never /*request*/) { co_await sp::sleep(1h); }
  void handle_message(Both /*message*/) {}

 private:
  test::Events* events_;
  int members_ = 0;
};

class Counter : public sp::Actor<Counter> {
 public:
  void handle_message(Joined /*message*/) { ++members_; }
  sp::Task<int> handle_request(CountMembers /*request*/) { co_return 100 + members_; }
  sp::RequestResponse<std::string> handle_request(Ask /*request*/) {
    return sp::RequestResponse<std::string>::unused();
  }
  int handle_request(Both /*request*/) { return 1; }

 private:
  int members_ = 0;
};

using Members = sp::Protocol<Joined, int(CountMembers), std::string(Ask const&)>;

sp::Task<int> add_member(Members members) {
  members.send<Joined>("somebody");
  auto count = co_await members.request<CountMembers>();
  co_return *count;
}

template <typename Body>
test::Strings with_room(Body&& body, sp::RuntimeOptions options = {}) {
  test::Events events;
  auto whole = [](Body& inner, test::Events& seen) -> sp::Task<void> {
    auto room = sp::start<Room>(seen);
    auto task = inner(room);
    co_await std::move(task);
  };
  sp::run(whole(body, events), std::move(options));
  return events.all();
}
using Ref = sp::ActorRef<Room>;

}  // namespace

TEST_SUITE("actors/protocol") {
  TEST_CASE("one protocol reaches actors of different types") {
    auto body = [](Ref room) -> sp::Task<void> {
      auto counter = Counter{}.start();
      auto first = co_await add_member(room);
      auto second = co_await add_member(counter);
      CHECK(first == 1);
      CHECK(second == 101);
    };
    CHECK(with_room(body) == test::Strings{"joined somebody"});
  }

  TEST_CASE("messages are built in place of the send, or moved; order is kept") {
    auto body = [](Ref room) -> sp::Task<void> {
      sp::Protocol<Joined, Said, int(CountMembers)> protocol = room;
      protocol.send<Said>("a", std::make_unique<int>(1));
      auto said = Said{"b", std::make_unique<int>(2)};
      protocol.send(sp::moved(said));
      auto joined = Joined{"c"};
      protocol.send(joined);
      CHECK(joined.name == "c");
      auto count = co_await protocol.request(CountMembers());
      CHECK(count.value() == 1);
    };
    CHECK(with_room(body) == test::Strings{"said a", "said b", "joined c"});
  }

  TEST_CASE("a recipient knows one message, or one request") {
    auto body = [](Ref room) -> sp::Task<void> {
      sp::Recipient<Joined> joined = room;
      sp::Recipient<std::string(Ask)> ask = room;
      joined.send<Joined>("x");
      auto reply = co_await ask.request<Ask>("what");
      CHECK(reply.value() == "what!");
      CHECK(joined.id() == ask.id());
      CHECK(joined == sp::Recipient<Joined>(room));
    };
    CHECK(with_room(body) == test::Strings{"joined x"});
  }

  TEST_CASE("a protocol converts to one with some of its entries, in any order") {
    auto body = [](Ref room) -> sp::Task<void> {
      auto counter = Counter{}.start();
      for (int round = 0; round != 2; ++round) {  // the second finds the table of the first
        Members members = room;
        sp::Protocol<std::string(Ask const&), Joined> fewer = members;
        fewer.send<Joined>("y");
        auto reply = co_await fewer.request<Ask>("who");
        CHECK(reply.value() == "who!");
        sp::Recipient<Joined> one = fewer;
        one.send<Joined>("z");

        Members other = counter;
        sp::Protocol<std::string(Ask const&), Joined> other_fewer = other;
        auto unused = co_await other_fewer.request<Ask>("who");
        CHECK(unused.error() == Kind::unused);
        other = members;
        auto count = co_await other.request<CountMembers>();
        CHECK(count.value() == 2 * round + 2);
      }
    };
    CHECK(with_room(body) == test::Strings{"joined y", "joined z", "joined y", "joined z"});
  }

  TEST_CASE("threads that convert for the first time at once agree on one table") {
    struct A {};
    struct B {};
    class Taker : public sp::Actor<Taker> {
     public:
      void handle_message(A /*message*/) {}
      void handle_message(B /*message*/) {}
      int handle_request(CountMembers /*request*/) { return 5; }
    };
    sp::Runtime runtime;
    sp::Protocol<A, B, int(CountMembers)> const all = Taker{}.start_on(runtime);
    std::vector<std::thread> threads;
    for (int i = 0; i != 8; ++i) {
      threads.emplace_back([&] {
        sp::Protocol<int(CountMembers), B> some = all;
        some.send<B>();
        CHECK(some.request_blocking<CountMembers>().value() == 5);
      });
    }
    for (auto& thread : threads) thread.join();
  }

  TEST_CASE("requests of every kind go through a protocol, with the same errors") {
    auto body = [](Ref room) -> sp::Task<void> {
      sp::Protocol<void(Never), int(CountMembers)> protocol = room;
      auto pending = protocol.start_request<CountMembers>();
      auto count = co_await pending;
      CHECK(count.value() == 0);
      auto late = co_await protocol.request_with_timeout<Never>(1ms);
      CHECK(late.error() == Kind::timeout);
      CHECK(protocol.is_alive());
    };
    with_room(body, test::virtual_time());
    sp::Runtime runtime;
    auto counter = Counter{}.start_on(runtime);
    sp::Recipient<int(CountMembers)> blocking = counter;
    CHECK(blocking.request_blocking<CountMembers>().value() == 100);
    blocking.stop();
    (void)counter.wait_exit_blocking();
    CHECK(!blocking.is_alive());
    CHECK(blocking.request_blocking<CountMembers>().error() == Kind::no_such_actor);
  }

  TEST_CASE("a protocol stops its actor and waits for its end") {
    auto body = [](Ref room) -> sp::Task<void> {
      sp::Recipient<Joined> joined = room;
      auto weak = joined.downgrade();
      CHECK(weak.upgrade().has_value());
      auto exit = joined.wait_exit();
      joined.stop(sp::ExitReason::custom("enough"));
      auto reason = co_await exit;
      CHECK(reason.value() == sp::ExitReason::custom("enough"));
      CHECK(joined.exit_reason() == sp::ExitReason::custom("enough"));
      CHECK(joined.send<Joined>("late") == sp::SendResult::ok);
      CHECK(!weak.upgrade().has_value());
      CHECK(weak.id() == room.id());
    };
    with_room(body);
  }

  TEST_CASE("a protocol counts as a ref, a weak one does not") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      sp::ActorOptions options;
      options.stop_when_unreferenced = true;
      std::optional<sp::Recipient<int(CountMembers)>> count = sp::start_with<Room>(options, seen);
      auto weak = count->downgrade();
      auto reply = co_await count->request<CountMembers>();
      CHECK(reply.value() == 0);
      auto exit = count->wait_exit();
      count.reset();
      auto reason = co_await exit;
      CHECK(reason.value() == sp::ExitReason::normal());
      CHECK(!weak.upgrade().has_value());
    };
    sp::run(body(events));
  }
}
