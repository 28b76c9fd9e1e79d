#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

namespace {

enum class S { a, b, c };

std::string to_string(S state) { return {"abc"[static_cast<int>(state)]}; }

enum class Clock { one, two };

/// Does what each event's script says, and writes down what comes in which state.
class Lab : public sp::StateMachine<Lab, S> {
 public:
  using Script = std::function<void(Lab&)>;
  struct Do {
    std::string name;
    Script script = {};
  };
  struct Slow {
    std::string name;
    test::Gate entered;
    test::Gate leave;
    Script script;
  };
  struct Tick {
    std::string name;
  };
  struct Ask {
    std::string name;
    std::function<sp::RequestResponse<int>(Lab&)> script;
  };
  struct AskLater {};
  struct Take {};
  struct Sync {};

  explicit Lab(test::Events& events, Script on_enter = {})
      : StateMachine(S::a), events_(&events), on_enter_(std::move(on_enter)) {}

  void enter(S now, S before) {
    note("enter " + to_string(now) + " from " + to_string(before));
    if (on_enter_) on_enter_(*this);
  }
  void handle_message(Do const& event, S state) {
    note(event.name + "@" + to_string(state));
    if (event.script) event.script(*this);
  }
  sp::Task<void> handle_message(Slow const& event, S state) {
    note(event.name + "@" + to_string(state));
    event.entered.open();
    if (event.script) event.script(*this);
    co_await event.leave.opened();
    note(event.name + " done");
  }
  void handle_message(Tick const& event, S state) {
    note(event.name + "@" + to_string(state) + " " + since());
    if (postpone_ticks && state == S::a) postpone();
  }
  sp::RequestResponse<int> handle_request(Ask const& event, S state) {
    note(event.name + "@" + to_string(state));
    return event.script(*this);
  }
  sp::RequestResponse<int> handle_request(AskLater /*request*/, S state,
                                          sp::Context<Lab>& context) {
    later = context.defer<int>();
    note("later@" + to_string(state));
    return sp::RequestResponse<int>::deferred();
  }
  int handle_request(Take /*request*/) { return 7; }
  void handle_request(Sync /*request*/) {}
  void teardown() { note("teardown@" + to_string(state())); }

  void note(std::string const& text) { events_->add(text); }

  using StateMachine::cancel_event_timeout;
  using StateMachine::cancel_state_timeout;
  using StateMachine::cancel_timeout;
  using StateMachine::next_event;
  using StateMachine::next_state;
  using StateMachine::postpone;
  using StateMachine::repeat_state;
  using StateMachine::set_event_timeout;
  using StateMachine::set_state_timeout;
  using StateMachine::set_timeout;
  using StateMachine::stop;
  using StateMachine::update_state_timeout;
  using StateMachine::update_timeout;

  std::optional<sp::ReplyTo<int>> later;
  bool postpone_ticks = false;

 private:
  [[nodiscard]] std::string since() const {
    auto const passed = sp::now() - begin_;
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(passed).count());
  }

  test::Events* events_;
  Script on_enter_;
  sp::TimePoint begin_ = sp::now();
};

// What a machine in state a notes while `body` runs.
test::Strings noted(sp::Task<void> (*body)(sp::ActorRef<Lab>), Lab::Script on_enter = {}) {
  test::Events events;
  auto whole = [](test::Events& seen, sp::Task<void> (*inner)(sp::ActorRef<Lab>),
                  Lab::Script script) -> sp::Task<void> {
    auto lab = sp::start<Lab>(seen, std::move(script));
    co_await inner(lab);
    lab.stop();
    (void)co_await lab.join();
  };
  auto options = test::virtual_time();
  options.workers = 1;
  sp::run(whole(events, body, std::move(on_enter)), options);
  auto all = events.all();
  REQUIRE(all.size() >= 2);
  CHECK(all.front() == "enter a from a");
  CHECK(all.back().rfind("teardown", 0) == 0);
  return {all.begin() + 1, all.end() - 1};
}

void to_b(Lab& lab) { lab.next_state(S::b); }
void to_c(Lab& lab) { lab.next_state(S::c); }
void again(Lab& lab) { lab.postpone(); }

sp::RequestResponse<int> answer_in_b(Lab& lab) {
  if (lab.state() == S::a) return lab.postpone<int>();
  return sp::RequestResponse<int>::reply(static_cast<int>(lab.state()));
}

/// A state with data of its own; init chooses the first one; no enter. Postpones what it has taken
/// by value.
struct Closed {
  friend bool operator==(Closed, Closed) = default;
};
struct Open {
  int guests = 0;
  friend bool operator==(Open, Open) = default;
};
using HouseState = std::variant<Closed, Open>;

class House : public sp::StateMachine<House, HouseState> {
 public:
  struct Guest {
    std::string name;
  };
  struct Unlock {};
  struct Guests {};

  explicit House(bool open) : StateMachine(Closed()), open_(open) {}
  sp::Task<void> init() {
    co_await sp::yield_now();
    if (open_) next_state(Open{10});
  }
  void handle_message(Guest guest, HouseState const& state) {
    std::string const name = std::move(guest.name);
    if (std::holds_alternative<Closed>(state)) return postpone();
    last_ = name;
    next_state(Open{std::get<Open>(state).guests + 1});
  }
  sp::MessageResponse handle_message(Unlock /*message*/, HouseState const& state) {
    if (!std::holds_alternative<Closed>(state)) return sp::MessageResponse::unused();
    next_state(Open{});
    return sp::MessageResponse::no_reply();
  }
  std::string handle_request(Guests /*request*/, sp::Context<House>& /*context*/) const {
    auto const* open = std::get_if<Open>(&state());
    return open == nullptr ? "closed" : last_ + " " + std::to_string(open->guests);
  }

 private:
  bool open_;
  std::string last_;
};

/// Fails where it is told to.
class Weak : public sp::StateMachine<Weak, S> {
 public:
  struct Go {
    S to;
    bool fail = false;
  };
  struct DeferAndPostpone {};
  explicit Weak(S bad) : StateMachine(S::a), bad_(bad) {}
  void enter(S now, S /*before*/) const {
    if (now == bad_) throw std::runtime_error("cannot be entered");
  }
  sp::RequestResponse<int> handle_request(Go const& go) {
    next_state(go.to);
    if (go.fail) throw std::runtime_error("handler");
    return sp::RequestResponse<int>::reply(1);
  }
  sp::RequestResponse<int> handle_request(DeferAndPostpone /*request*/,
                                          sp::Context<Weak>& context) {
    auto later = context.defer<int>();
    return postpone<int>();
  }

 private:
  S bad_;
};

}  // namespace

TEST_SUITE("actors/state_machine") {
  TEST_CASE("the first state is entered before the first event") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("x");
      (void)co_await lab.request<Lab::Sync>();
    });
    CHECK(all == test::Strings{"x@a"});
  }

  TEST_CASE("a new state is entered before the next event, with the one before") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("x", to_b);
      lab.send<Lab::Do>("y", to_c);
      lab.send<Lab::Do>("z");
      (void)co_await lab.request<Lab::Sync>();
    });
    CHECK(all == test::Strings{"x@a", "enter b from a", "y@b", "enter c from b", "z@c"});
  }

  TEST_CASE("the state stays what it is until the handler is done") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("x", [](Lab& self) {
        self.next_state(S::c);
        self.next_state(S::b);
        self.note("still " + to_string(self.state()));
      });
      (void)co_await lab.request<Lab::Sync>();
    });
    CHECK(all == test::Strings{"x@a", "still a", "enter b from a"});
  }

  TEST_CASE("the present state as the next one is no change") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("p", again);
      lab.send<Lab::Do>("x", [](Lab& self) {
        self.set_state_timeout<Lab::Tick>(10ms, "state");
        self.next_state(S::a);
      });
      lab.send<Lab::Do>("y", [](Lab& self) { self.next_state(S::a); });
      co_await sp::sleep(20ms);
    });
    CHECK(all == test::Strings{"p@a", "x@a", "y@a", "state@a 10"});
  }

  TEST_CASE("repeat_state enters the state again, and nothing else happens") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("p", again);
      lab.send<Lab::Do>("x", [](Lab& self) { self.set_state_timeout<Lab::Tick>(10ms, "state"); });
      lab.send<Lab::Do>("y", [](Lab& self) { self.repeat_state(); });
      co_await sp::sleep(20ms);
    });
    CHECK(all == test::Strings{"p@a", "x@a", "y@a", "enter a from a", "state@a 10"});
  }

  TEST_CASE(
      "postponed events come again after a change of state, oldest first, before newer ones") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("p", [](Lab& self) {
        if (self.state() == S::a) self.postpone();
      });
      lab.send<Lab::Do>("q", [](Lab& self) {
        if (self.state() == S::a) self.postpone();
      });
      lab.send<Lab::Do>("x", to_b);
      lab.send<Lab::Do>("y");
      (void)co_await lab.request<Lab::Sync>();
    });
    CHECK(all == test::Strings{"p@a", "q@a", "x@a", "enter b from a", "p@b", "q@b", "y@b"});
  }

  TEST_CASE("an event may be postponed again and again, and keeps its place") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("p", [](Lab& self) {
        if (self.state() != S::c) self.postpone();
      });
      lab.send<Lab::Do>("x", to_b);
      lab.send<Lab::Do>("q", [](Lab& self) {
        if (self.state() != S::c) self.postpone();
      });
      lab.send<Lab::Do>("y", to_c);
      (void)co_await lab.request<Lab::Sync>();
    });
    CHECK(all == test::Strings{"p@a", "x@a", "enter b from a", "p@b", "q@b", "y@b",
                               "enter c from b", "p@c", "q@c"});
  }

  TEST_CASE(
      "an event that is postponed by the handler that changes the state comes again at once") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("p", again);
      lab.send<Lab::Do>("x", [](Lab& self) {
        if (self.state() != S::a) return;
        self.postpone();
        self.next_state(S::b);
      });
      lab.send<Lab::Do>("y");
      (void)co_await lab.request<Lab::Sync>();
    });
    CHECK(all == test::Strings{"p@a", "x@a", "enter b from a", "p@b", "x@b", "y@b"});
  }

  TEST_CASE("a retried event that changes the state leaves the others in order") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("p", [](Lab& self) {
        if (self.state() == S::a) return self.postpone();
        self.next_state(S::c);
      });
      lab.send<Lab::Do>("q", [](Lab& self) {
        if (self.state() == S::a) self.postpone();
      });
      lab.send<Lab::Do>("x", to_b);
      lab.send<Lab::Do>("y");
      (void)co_await lab.request<Lab::Sync>();
    });
    CHECK(all == test::Strings{"p@a", "q@a", "x@a", "enter b from a", "p@b", "enter c from b",
                               "q@c", "y@c"});
  }

  TEST_CASE("a postponed request is answered from a later state") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      auto pending = lab.start_request<Lab::Ask>("ask", answer_in_b);
      lab.send<Lab::Do>("x", to_b);
      auto reply = co_await std::move(pending);
      CHECK(reply.value() == 1);
    });
    CHECK(all == test::Strings{"ask@a", "x@a", "enter b from a", "ask@b"});
  }

  TEST_CASE("a postponed request keeps its deadline") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      auto reply = co_await lab.request_with_timeout<Lab::Ask>(10ms, "ask", answer_in_b);
      CHECK(reply.error().kind() == sp::ActorError::Kind::timeout);
      lab.send<Lab::Do>("x", to_b);
      (void)co_await lab.request<Lab::Sync>();
    });
    CHECK(all == test::Strings{"ask@a", "x@a", "enter b from a", "ask@b"});
  }

  TEST_CASE("what is postponed when the machine ends is unread mail: requests hear stopped") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto lab = sp::start<Lab>(seen);
      auto pending = lab.start_request<Lab::Ask>("ask", answer_in_b);
      lab.send<Lab::Do>("p", again);
      lab.send<Lab::Do>("x", [](Lab& self) { self.stop(sp::ExitReason::custom("bye")); });
      auto reply = co_await std::move(pending);
      REQUIRE(!reply);
      CHECK(reply.error().kind() == sp::ActorError::Kind::stopped);
      CHECK(reply.error().reason().to_string() == sp::ExitReason::custom("bye").to_string());
      (void)co_await lab.join();
    };
    test::LogCapture const quiet;
    auto const before = sp::dead_letters::counts();
    sp::run(body(events), test::virtual_time());
    CHECK(sp::dead_letters::counts().unread - before.unread == 1);
    CHECK(events.all() == test::Strings{"enter a from a", "ask@a", "p@a", "x@a", "teardown@a"});
  }

  TEST_CASE("a kill answers what is postponed, and what is deferred") {
    test::Events events;
    test::LogCapture const quiet;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto lab = sp::start<Lab>(seen);
      auto postponed = lab.start_request<Lab::Ask>("ask", answer_in_b);
      auto deferred = lab.start_request<Lab::AskLater>();
      (void)co_await lab.request<Lab::Sync>();
      lab.kill();
      auto reply = co_await std::move(postponed);
      REQUIRE(!reply);
      CHECK(reply.error().kind() == sp::ActorError::Kind::stopped);
      reply = co_await std::move(deferred);
      REQUIRE(!reply);
      CHECK(reply.error().kind() == sp::ActorError::Kind::stopped);
    };
    sp::run(body(events), test::virtual_time());
  }

  TEST_CASE("a protocol names a machine as it does any actor") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto lab = sp::start<Lab>(seen);
      sp::Protocol<Lab::Do, int(Lab::Take)> const protocol(lab);
      protocol.send<Lab::Do>("x", to_b);
      auto reply = co_await protocol.request<Lab::Take>();
      CHECK(reply.value() == 7);
    };
    sp::run(body(events), test::virtual_time());
    CHECK(events.all() == test::Strings{"enter a from a", "x@a", "enter b from a", "teardown@b"});
  }

  TEST_CASE(
      "a machine with a bounded mailbox, urgent messages and a limit for its handlers is one") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      sp::ActorOptions options;
      options.mailbox_capacity = 3;
      options.urgent_messages = true;
      options.skip_expired = true;
      auto lab = sp::start_with<Lab>(options, seen);
      auto expired = co_await lab.request_with_timeout<Lab::Ask>(1ms, "expired", answer_in_b);
      CHECK(!expired);
      auto pending = lab.start_request<Lab::Ask>("ask", answer_in_b);
      lab.send<Lab::Do>("p", [](Lab& self) {
        if (self.state() == S::a) self.postpone();
      });
      (void)co_await lab.request<Lab::Sync>();
      lab.send<Lab::Do>("x", [](Lab& self) {
        self.next_state(S::b);
        self.next_event<Lab::Do>("i");
      });
      auto reply = co_await std::move(pending);
      CHECK(reply.value() == 1);
      (void)co_await lab.request<Lab::Sync>();
    };
    sp::run(body(events), test::virtual_time());
    CHECK(events.all() == test::Strings{"enter a from a", "expired@a", "ask@a", "p@a", "x@a",
                                        "enter b from a", "i@b", "ask@b", "p@b", "teardown@b"});
  }

  TEST_CASE("a deferred reply is given from another state") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      auto pending = lab.start_request<Lab::AskLater>();
      lab.send<Lab::Do>("x", to_b);
      lab.send<Lab::Do>("y", [](Lab& self) { (void)self.later->reply(42); });
      auto reply = co_await std::move(pending);
      CHECK(reply.value() == 42);
    });
    CHECK(all == test::Strings{"later@a", "x@a", "enter b from a", "y@b"});
  }

  TEST_CASE("inserted events come before the mail, in the order asked for") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("x", [](Lab& self) {
        self.next_event<Lab::Do>("i");
        self.next_event<Lab::Do>("j");
      });
      lab.send<Lab::Do>("y");
      (void)co_await lab.request<Lab::Sync>();
    });
    CHECK(all == test::Strings{"x@a", "i@a", "j@a", "y@a"});
  }

  TEST_CASE("what an inserted event inserts comes before those inserted earlier") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("x", [](Lab& self) {
        self.next_event<Lab::Do>("i", [](Lab& me) { me.next_event<Lab::Do>("k"); });
        self.next_event<Lab::Do>("j");
      });
      lab.send<Lab::Do>("y");
      (void)co_await lab.request<Lab::Sync>();
    });
    CHECK(all == test::Strings{"x@a", "i@a", "k@a", "j@a", "y@a"});
  }

  TEST_CASE("inserted events come before postponed ones") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("p", [](Lab& self) {
        if (self.state() == S::a) self.postpone();
      });
      lab.send<Lab::Do>("x", [](Lab& self) {
        self.next_event<Lab::Do>("i");
        self.next_state(S::b);
        self.next_event<Lab::Do>("j");
      });
      lab.send<Lab::Do>("y");
      (void)co_await lab.request<Lab::Sync>();
    });
    CHECK(all == test::Strings{"p@a", "x@a", "enter b from a", "i@b", "j@b", "p@b", "y@b"});
  }

  TEST_CASE("a lone event inserts another, and the machine idles afterwards") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      for (int round = 0; round != 2; ++round) {
        lab.send<Lab::Do>("x", [](Lab& self) { self.next_event<Lab::Do>("i"); });
        co_await sp::sleep(1ms);
      }
    });
    CHECK(all == test::Strings{"x@a", "i@a", "x@a", "i@a"});
  }

  TEST_CASE("a state timeout comes if the state does not change") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("x", [](Lab& self) {
        self.set_state_timeout<Lab::Tick>(10ms, "state");
        self.next_state(S::b);
      });
      co_await sp::sleep(5ms);
      lab.send<Lab::Do>("y");
      co_await sp::sleep(20ms);
    });
    CHECK(all == test::Strings{"x@a", "enter b from a", "y@b", "state@b 10"});
  }

  TEST_CASE("a state timeout is cancelled by a change of state") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("x", [](Lab& self) { self.set_state_timeout<Lab::Tick>(10ms, "state"); });
      lab.send<Lab::Do>("y", to_b);
      co_await sp::sleep(20ms);
    });
    CHECK(all == test::Strings{"x@a", "y@a", "enter b from a"});
  }

  TEST_CASE("a state timeout that is in the mailbox when the state changes does not come") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      test::Gate const entered;
      test::Gate const leave;
      lab.send<Lab::Do>("x", [](Lab& self) { self.set_state_timeout<Lab::Tick>(10ms, "state"); });
      lab.send<Lab::Slow>("slow", entered, leave, to_b);
      co_await entered.opened();
      co_await sp::sleep(20ms);  // the timeout is sent meanwhile
      leave.open();
      (void)co_await lab.request<Lab::Sync>();
    });
    CHECK(all == test::Strings{"x@a", "slow@a", "slow done", "enter b from a"});
  }

  TEST_CASE("a timeout that is set again begins anew") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      auto const set = [](Lab& self) {
        self.set_state_timeout<Lab::Tick>(10ms, "state");
        self.set_timeout<Lab::Tick>(Clock::one, 11ms, "one");
      };
      lab.send<Lab::Do>("x", set);
      co_await sp::sleep(5ms);
      lab.send<Lab::Do>("y", set);
      co_await sp::sleep(30ms);
    });
    CHECK(all == test::Strings{"x@a", "y@a", "state@a 15", "one@a 16"});
  }

  TEST_CASE("an event timeout comes if no event does, and any event cancels it") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      auto const set = [](Lab& self) { self.set_event_timeout<Lab::Tick>(10ms, "event"); };
      lab.send<Lab::Do>("x", set);
      co_await sp::sleep(5ms);
      lab.send<Lab::Do>("y");
      co_await sp::sleep(20ms);
      lab.send<Lab::Do>("z", set);
      co_await sp::sleep(20ms);
    });
    CHECK(all == test::Strings{"x@a", "y@a", "z@a", "event@a 35"});
  }

  TEST_CASE("an inserted event cancels the event timeout") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("x", [](Lab& self) {
        self.set_event_timeout<Lab::Tick>(0ms, "event");
        self.next_event<Lab::Do>("i");
      });
      co_await sp::sleep(5ms);
    });
    CHECK(all == test::Strings{"x@a", "i@a"});
  }

  TEST_CASE("named timeouts survive changes of state and events, each by its name") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("x", [](Lab& self) {
        self.set_timeout<Lab::Tick>(Clock::one, 20ms, "one");
        self.set_timeout<Lab::Tick>(Clock::two, 10ms, "two");
        self.set_timeout<Lab::Tick>(0, 30ms, "zero");
      });
      lab.send<Lab::Do>("y", to_b);
      co_await sp::sleep(40ms);
    });
    CHECK(all ==
          test::Strings{"x@a", "y@a", "enter b from a", "two@b 10", "one@b 20", "zero@b 30"});
  }

  TEST_CASE("a cancelled timeout does not come, even if its time has passed") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      test::Gate const entered;
      test::Gate const leave;
      lab.send<Lab::Do>("x", [](Lab& self) {
        self.set_timeout<Lab::Tick>(Clock::one, 10ms, "one");
        self.set_timeout<Lab::Tick>(Clock::two, 10ms, "two");
        self.set_state_timeout<Lab::Tick>(10ms, "state");
      });
      lab.send<Lab::Slow>("slow", entered, leave, Lab::Script());
      lab.send<Lab::Do>("y", [](Lab& self) {
        self.cancel_timeout(Clock::one);
        self.cancel_state_timeout();
        self.cancel_timeout(5);  // of none
        self.set_event_timeout<Lab::Tick>(1ms, "event");
        self.cancel_event_timeout();
      });
      co_await entered.opened();
      co_await sp::sleep(20ms);
      leave.open();
      co_await sp::sleep(20ms);
    });
    CHECK(all == test::Strings{"x@a", "slow@a", "slow done", "y@a", "two@a 20"});
  }

  TEST_CASE("an updated timeout brings another message at the same time") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("x", [](Lab& self) {
        self.set_state_timeout<Lab::Tick>(10ms, "state");
        self.set_timeout<Lab::Tick>(Clock::one, 20ms, "one");
        self.update_timeout<Lab::Tick>(Clock::one, "first");
      });
      co_await sp::sleep(5ms);
      lab.send<Lab::Do>("y", [](Lab& self) {
        self.update_state_timeout<Lab::Tick>("other");
        self.update_timeout<Lab::Tick>(Clock::two, "none");
      });
      co_await sp::sleep(30ms);
    });
    CHECK(all == test::Strings{"x@a", "y@a", "none@a 5", "other@a 10", "first@a 20"});
  }

  TEST_CASE("a timeout of zero comes before the mail, after inserted and postponed events") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("p", [](Lab& self) {
        if (self.state() == S::a) self.postpone();
      });
      lab.send<Lab::Do>("x", [](Lab& self) {
        self.set_timeout<Lab::Tick>(Clock::one, 0ms, "one");
        self.set_state_timeout<Lab::Tick>(0ms, "state");
        self.next_state(S::b);
        self.next_event<Lab::Do>("i");
      });
      lab.send<Lab::Do>("y");
      (void)co_await lab.request<Lab::Sync>();
    });
    CHECK(all == test::Strings{"p@a", "x@a", "enter b from a", "i@b", "p@b", "one@b 0", "state@b 0",
                               "y@b"});
  }

  TEST_CASE("a state timeout of zero is cancelled by a change of state before its turn") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("x", [](Lab& self) {
        self.set_state_timeout<Lab::Tick>(0ms, "state");
        self.next_event<Lab::Do>("i", to_b);
      });
      lab.send<Lab::Do>("y");
      (void)co_await lab.request<Lab::Sync>();
    });
    CHECK(all == test::Strings{"x@a", "i@a", "enter b from a", "y@b"});
  }

  TEST_CASE("enter sets the timeouts of its state") {
    auto const all = noted(
        [](sp::ActorRef<Lab> lab) -> sp::Task<void> {
          co_await sp::sleep(5ms);
          lab.send<Lab::Do>("x", to_b);
          co_await sp::sleep(20ms);
        },
        [](Lab& self) { self.set_state_timeout<Lab::Tick>(10ms, to_string(self.state())); });
    CHECK(all == test::Strings{"x@a", "enter b from a", "b@b 15"});
  }

  TEST_CASE("a timeout may be postponed") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("x", [](Lab& self) {
        self.postpone_ticks = true;
        self.set_timeout<Lab::Tick>(Clock::one, 10ms, "one");
      });
      co_await sp::sleep(15ms);
      lab.send<Lab::Do>("y", [](Lab& self) {
        self.set_timeout<Lab::Tick>(Clock::one, 10ms, "again");
        self.next_state(S::b);
      });
      co_await sp::sleep(20ms);
    });
    CHECK(all ==
          test::Strings{"x@a", "one@a 10", "y@a", "enter b from a", "one@b 15", "again@b 25"});
  }

  TEST_CASE("a coroutine's transition happens when it has ended") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      test::Gate const entered;
      test::Gate const leave;
      lab.send<Lab::Do>("p", [](Lab& self) {
        if (self.state() == S::a) self.postpone();
      });
      lab.send<Lab::Slow>("slow", entered, leave, [](Lab& self) {
        if (self.state() == S::b) return;
        self.postpone();
        self.next_state(S::b);
        self.next_event<Lab::Do>("i");
      });
      co_await entered.opened();
      lab.send<Lab::Do>("y");
      leave.open();
      (void)co_await lab.request<Lab::Sync>();
    });
    CHECK(all == test::Strings{"p@a", "slow@a", "slow done", "enter b from a", "i@b", "p@b",
                               "slow@b", "slow done", "y@b"});
  }

  TEST_CASE("a handler that stops the machine enters no state, and the next one is not taken") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("x", [](Lab& self) {
        self.next_state(S::b);
        self.set_timeout<Lab::Tick>(1, 0ms, "never");
        self.stop();
      });
      (void)co_await lab.join();
    });
    CHECK(all == test::Strings{"x@a"});
  }

  TEST_CASE("an action in the wrong place throws TransitionRefused, which names it") {
    auto const all = noted(
        [](sp::ActorRef<Lab> lab) -> sp::Task<void> { (void)co_await lab.request<Lab::Sync>(); },
        [](Lab& self) {
          try {
            self.next_state(S::b);
          } catch (sp::TransitionRefused const& refused) {
            self.note(std::string(refused.what()).find("next_state() in enter") != std::string::npos
                          ? "named"
                          : refused.what());
          }
          CHECK_THROWS_AS(self.postpone(), sp::TransitionRefused);
          CHECK_THROWS_AS(self.repeat_state(), sp::TransitionRefused);
          CHECK_THROWS_AS(self.next_event<Lab::Do>("i"), sp::TransitionRefused);
        });
    CHECK(all == test::Strings{"named"});
  }

  TEST_CASE("a negative delay throws std::invalid_argument, and no timeout is set") {
    auto const all = noted([](sp::ActorRef<Lab> lab) -> sp::Task<void> {
      lab.send<Lab::Do>("x", [](Lab& self) {
        CHECK_THROWS_AS(self.set_state_timeout<Lab::Tick>(-1ms, "never"), std::invalid_argument);
      });
      co_await sp::sleep(10ms);
    });
    CHECK(all == test::Strings{"x@a"});
  }

  TEST_CASE("a machine outside of its callbacks refuses actions") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      Lab lab(seen);
      CHECK_THROWS_AS(lab.next_state(S::b), sp::TransitionRefused);
      CHECK_THROWS_AS(lab.postpone(), sp::TransitionRefused);
      co_return;
    };
    sp::run(body(events));
  }

  TEST_CASE("init chooses the first state; a state may have data, and need no enter") {
    auto body = []() -> sp::Task<void> {
      auto house = sp::start<House>(true);
      house.send<House::Guest>("Joe");
      auto reply = co_await house.request<House::Guests>();
      CHECK(reply.value() == "Joe 11");
    };
    sp::run(body());
  }

  TEST_CASE("a message that was taken by value is whole when it comes again") {
    auto body = []() -> sp::Task<void> {
      auto house = sp::start<House>(false);
      house.send<House::Guest>("a name that is longer than a small string");
      auto reply = co_await house.request<House::Guests>();
      CHECK(reply.value() == "closed");
      house.send<House::Unlock>();
      reply = co_await house.request<House::Guests>();
      CHECK(reply.value() == "a name that is longer than a small string 1");
    };
    sp::run(body());
  }

  TEST_CASE("a handler that throws ends the machine with its reason, and makes no transition") {
    test::LogCapture const quiet;
    auto body = []() -> sp::Task<void> {
      auto weak = sp::start<Weak>(S::c);
      auto reply = co_await weak.request<Weak::Go>(S::b, true);
      CHECK(reply.error().kind() == sp::ActorError::Kind::handler_failed);
      auto reason = co_await weak.join();
      CHECK(reason->to_string().find("handler") != std::string::npos);
    };
    sp::run(body());
  }

  TEST_CASE("enter that throws is a failure of the event in work") {
    test::LogCapture const quiet;
    auto body = []() -> sp::Task<void> {
      auto weak = sp::start<Weak>(S::c);
      auto reply = co_await weak.request<Weak::Go>(S::b);
      CHECK(reply.value() == 1);
      reply = co_await weak.request<Weak::Go>(S::c);
      CHECK(reply.error().kind() == sp::ActorError::Kind::handler_failed);
      auto reason = co_await weak.join();
      CHECK(reason->to_string().find("cannot be entered") != std::string::npos);
    };
    sp::run(body());
  }

  TEST_CASE("a first state that cannot be entered is a start that has failed") {
    test::LogCapture const quiet;
    auto body = []() -> sp::Task<void> {
      auto started = co_await sp::start_and_wait<Weak>(1s, S::a);
      REQUIRE(!started);
      CHECK(started.error().kind() == sp::ActorError::Kind::init_failed);
    };
    sp::run(body());
  }

  TEST_CASE("a request that was deferred cannot be postponed as well") {
    test::LogCapture const quiet;
    auto body = []() -> sp::Task<void> {
      auto weak = sp::start<Weak>(S::c);
      auto reply = co_await weak.request<Weak::DeferAndPostpone>();
      CHECK(reply.error().kind() == sp::ActorError::Kind::handler_failed);
      CHECK(reply.error().reason().to_string().find("deferred") != std::string::npos);
    };
    sp::run(body());
  }
}
