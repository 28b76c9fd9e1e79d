#include <algorithm>
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
struct Bye {};
struct Fail {};

// Every form of teardown, each in an actor of its own.
template <typename Self>
struct Base : sp::Actor<Self> {
  explicit Base(test::Events& record) : events(&record) {}
  ~Base() {
    if (events != nullptr) events->add("destroyed");
  }
  Base(Base&& other) noexcept : events(std::exchange(other.events, nullptr)) {}
  int handle_request(Ping /*request*/) { return 1; }
  sp::RequestResponse<int> handle_request(Bye /*request*/) {
    return sp::RequestResponse<int>::stop(7, sp::ExitReason::shutdown());
  }
  int handle_request(Fail /*request*/) { throw std::runtime_error("handler"); }
  test::Events* events;
};

struct Plain : Base<Plain> {
  using Base::Base;
  void teardown() { events->add("teardown"); }
};
struct WithContext : Base<WithContext> {
  using Base::Base;
  void teardown(sp::Context<WithContext>& context) {
    events->add(context.self().is_alive() ? "teardown alive" : "teardown dead");
  }
};
struct WithReason : Base<WithReason> {
  using Base::Base;
  void teardown(sp::ExitReason const& reason) { events->add("teardown " + reason.to_string()); }
};
struct WithBoth : Base<WithBoth> {
  using Base::Base;
  void teardown(sp::ExitReason const& reason, sp::Context<WithBoth>& /*context*/) {
    events->add("teardown " + reason.to_string());
  }
};
struct Coroutine : Base<Coroutine> {
  using Base::Base;
  sp::Task<void> teardown(sp::ExitReason const& reason) {
    co_await sp::sleep(10ms);
    events->add("teardown " + reason.to_string());
  }
};
struct Asks : Base<Asks> {
  Asks(test::Events& record, sp::ActorRef<Plain> other) : Base(record), helper(std::move(other)) {}
  sp::Task<void> teardown() {
    auto reply = co_await helper.request<Ping>();
    events->add("helper said " + std::to_string(reply.value()));
  }
  sp::ActorRef<Plain> helper;
};
struct Throws : Base<Throws> {
  using Base::Base;
  void teardown() { throw 13; }
};
struct ThrowsLater : Base<ThrowsLater> {
  using Base::Base;
  sp::Task<void> teardown() {
    co_await sp::yield_now();
    throw std::runtime_error("teardown");
  }
};
struct StopsAgain : Base<StopsAgain> {
  using Base::Base;
  void teardown(sp::ExitReason const& reason, sp::Context<StopsAgain>& context) {
    context.stop(sp::ExitReason::custom("changed my mind"));
    events->add("teardown " + reason.to_string());
  }
};
struct NeverEnds : Base<NeverEnds> {
  NeverEnds(test::Events& record, test::Gate gate) : Base(record), begun(std::move(gate)) {}
  sp::Task<void> teardown() {
    begun.open();
    co_await sp::sleep(24h);
    events->add("never");
  }
  test::Gate begun;
};

template <typename A>
test::Strings events_of_a_stop() {
  test::Events events;
  auto body = [](test::Events& seen) -> sp::Task<void> {
    auto actor = sp::start<A>(seen);
    (void)co_await actor.stop_and_wait(sp::ExitReason::shutdown());
    seen.add("ended");
  };
  sp::run(body(events));
  return events.all();
}

}  // namespace

TEST_SUITE("actors/teardown") {
  TEST_CASE("teardown may be plain or a coroutine and may take the reason and the context") {
    CHECK(events_of_a_stop<Plain>() == test::Strings{"teardown", "destroyed", "ended"});
    CHECK(events_of_a_stop<WithContext>() == test::Strings{"teardown alive", "destroyed", "ended"});
    test::Strings const expected{"teardown shutdown", "destroyed", "ended"};
    CHECK(events_of_a_stop<WithReason>() == expected);
    CHECK(events_of_a_stop<WithBoth>() == expected);
    CHECK(events_of_a_stop<Coroutine>() == expected);
  }

  TEST_CASE("teardown may ask other actors") {
    test::Events events;
    test::Events others;
    auto body = [](test::Events& seen, test::Events& other) -> sp::Task<void> {
      auto helper = sp::start<Plain>(other);
      auto actor = sp::start<Asks>(seen, helper);
      (void)co_await actor.stop_and_wait();
    };
    sp::run(body(events, others));
    CHECK(events.all() == test::Strings{"helper said 1", "destroyed"});
  }

  TEST_CASE("the state is destroyed before the end is announced and the held reply sent") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto actor = sp::start<Coroutine>(seen);
      auto reply = co_await actor.request<Bye>();
      seen.add("reply " + std::to_string(reply.value()));
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"teardown shutdown", "destroyed", "reply 7"});
  }

  TEST_CASE("teardown runs when a handler threw, before its caller hears of it") {
    test::LogCapture log;
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto actor = sp::start<Coroutine>(seen);
      auto reply = co_await actor.request<Fail>();
      CHECK(reply.error() == Kind::handler_failed);
      seen.add("error");
    };
    sp::run(body(events));
    CHECK(events.all() ==
          test::Strings{"teardown error: std::runtime_error: handler", "destroyed", "error"});
  }

  TEST_CASE("a teardown that throws gives the exit reason; the reply it held back still leaves") {
    test::LogCapture log;
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto plain = sp::start<Throws>(seen);
      auto reply = co_await plain.request<Bye>();
      CHECK(reply.value() == 7);
      CHECK(plain.exit_reason()->text() == "int 13");
      auto later = sp::start<ThrowsLater>(seen);
      auto reason = co_await later.stop_and_wait();
      CHECK(reason.value().text() == "std::runtime_error: teardown");
    };
    sp::run(body(events));
    CHECK(log.count("crashed in teardown", "int 13") == 1);
    CHECK(log.count("crashed in teardown", "runtime_error: teardown") == 1);
  }

  TEST_CASE("Context::stop in teardown changes nothing: the actor ends already") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto actor = sp::start<StopsAgain>(seen);
      auto reason = co_await actor.stop_and_wait(sp::ExitReason::custom("first"));
      CHECK(reason.value() == sp::ExitReason::custom("first"));
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"teardown custom: first", "destroyed"});
  }

  TEST_CASE("the end of the runtime runs every teardown with reason shutdown") {
    test::Events events;
    {
      sp::Runtime runtime;
      auto plain = sp::start_on<WithReason>(runtime, events);
      auto suspends = sp::start_on<Coroutine>(runtime, events);
      CHECK(plain.request_blocking<Ping>().value() == 1);
    }
    auto const seen = events.all();
    CHECK(seen.size() == 4);
    CHECK(std::count(seen.begin(), seen.end(), "teardown shutdown") == 2);
  }

  TEST_CASE("a teardown that waits when the runtime ends is cut short at once") {
    test::Events events;
    test::Gate begun;
    auto enters = [](test::Gate gate) -> sp::Task<void> { co_await gate.opened(); };
    sp::Runtime runtime;
    auto actor = sp::start_on<NeverEnds>(runtime, events, begun);
    actor.stop();
    runtime.block_on(enters(begun));
    CHECK(runtime.shutdown());
    CHECK(events.all() == test::Strings{"destroyed"});
  }

  TEST_CASE(
      "a teardown that begins when the runtime ends has shutdown_timeout, then is cut short") {
    test::LogCapture log;
    test::Events events;
    sp::RuntimeOptions options;
    options.shutdown_timeout = 20ms;
    sp::Runtime runtime(options);
    auto actor = sp::start_on<NeverEnds>(runtime, events, test::Gate());
    CHECK(!runtime.shutdown());
    CHECK(events.all() == test::Strings{"destroyed"});
    CHECK(log.count("cannot end", "NeverEnds#") == 1);
  }
}
