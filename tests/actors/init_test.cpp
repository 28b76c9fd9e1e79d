#include <functional>
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

// Every form of init, each in an actor of its own; all answer Ping with what init left behind.
template <typename Self>
struct Answers : sp::Actor<Self> {
  explicit Answers(test::Events* record = nullptr) : events(record) {}
  int handle_request(Ping /*request*/) { return value; }
  void teardown() {
    if (events != nullptr) events->add("teardown");
  }
  int value = 0;
  test::Events* events;
};

struct PlainVoid : Answers<PlainVoid> {
  using Answers::Answers;
  void init() { value = 1; }
};
struct PlainResult : Answers<PlainResult> {
  using Answers::Answers;
  sp::InitResult init() {
    value = 2;
    return sp::InitResult::success();
  }
};
struct WithContext : Answers<WithContext> {
  using Answers::Answers;
  void init(sp::Context<WithContext>& context) { value = context.id() == sp::ActorId() ? 0 : 3; }
};
struct CoroutineVoid : Answers<CoroutineVoid> {
  using Answers::Answers;
  sp::Task<void> init() {
    co_await sp::yield_now();
    value = 4;
  }
};
struct CoroutineResult : Answers<CoroutineResult> {
  using Answers::Answers;
  sp::Task<sp::InitResult> init(sp::Context<CoroutineResult>& context) {
    auto helper = PlainVoid().start();
    auto one = co_await helper.request<Ping>();
    value = one.value() + (context.is_cancelled() ? 0 : 4);
    co_return sp::InitResult::success();
  }
};

struct Refuses : Answers<Refuses> {
  using Answers::Answers;
  sp::InitResult init() { return sp::InitResult::no_success(); }
};
struct Fails : Answers<Fails> {
  using Answers::Answers;
  sp::InitResult init() { return sp::InitResult::error(sp::ExitReason::custom("bad")); }
};
struct Throws : Answers<Throws> {
  using Answers::Answers;
  void init() { throw std::runtime_error("no disk"); }
};
struct ThrowsInt : Answers<ThrowsInt> {
  using Answers::Answers;
  sp::Task<void> init() {
    co_await sp::yield_now();
    throw 42;
  }
};
struct ThrowsInitResult : Answers<ThrowsInitResult> {
  using Answers::Answers;
  sp::InitResult init() { throw sp::InitResult::success(); }
};
struct Slow : Answers<Slow> {
  using Answers::Answers;
  sp::Task<void> init() {
    co_await sp::sleep(2s);
    if (events != nullptr) events->add("init done");
    value = 6;
  }
};
// Goes on when its sleep is cut short, as a badly written init may.
struct Stubborn : Answers<Stubborn> {
  using Answers::Answers;
  sp::Task<void> init() {
    try {
      co_await sp::sleep(2s);
    } catch (...) {
      events->add("cut short");
    }
  }
};
struct StopsItself : Answers<StopsItself> {
  using Answers::Answers;
  void init(sp::Context<StopsItself>& context) { context.stop(sp::ExitReason::custom("enough")); }
};
struct SendsToItself : Answers<SendsToItself> {
  using Answers::Answers;
  sp::Task<void> init(sp::Context<SendsToItself>& context) {
    context.self().send<Ping>();
    co_await sp::yield_now();
    events->add("init done");
  }
  void handle_message(Ping /*message*/) { events->add("early"); }
};

template <typename A>
sp::Task<int> ask() {
  auto actor = sp::start<A>();
  auto reply = co_await actor.template request<Ping>();
  co_return reply.value();
}

// A start that fails: its error, and that the actor has ended without teardown.
template <typename A>
sp::Task<sp::ActorError> failed_start(test::Events& events) {
  auto actor = sp::start<A>(&events);
  auto reply = co_await actor.template request<Ping>();
  auto ended = co_await actor.wait_exit();
  CHECK(ended.value() == reply.error().reason());
  auto started = co_await sp::start_and_wait<A>(5s, &events);
  CHECK(started.error() == reply.error());
  co_return reply.error();
}

}  // namespace

TEST_SUITE("actors/init") {
  TEST_CASE("init may be plain or a coroutine, answer or not, and take the context") {
    CHECK(sp::run(ask<PlainVoid>()) == 1);
    CHECK(sp::run(ask<PlainResult>()) == 2);
    CHECK(sp::run(ask<WithContext>()) == 3);
    CHECK(sp::run(ask<CoroutineVoid>()) == 4);
    CHECK(sp::run(ask<CoroutineResult>()) == 5);
  }

  TEST_CASE("GS-01: start_and_wait returns when init is done") {
    auto body = []() -> sp::Task<void> {
      auto const begin = sp::now();
      auto started = co_await sp::start_and_wait<Slow>(5s);
      CHECK(sp::now() - begin >= 2s);
      auto reply = co_await started.value().request<Ping>();
      CHECK(reply.value() == 6);
      auto by_default = co_await CoroutineVoid().start_and_wait();
      CHECK(by_default.has_value());
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("start does not wait for init, which still runs before the first message") {
    auto body = []() -> sp::Task<void> {
      auto const begin = sp::now();
      auto slow = Slow().start();
      CHECK(sp::now() == begin);
      auto reply = co_await slow.request<Ping>();
      CHECK(reply.value() == 6);
      CHECK(sp::now() - begin >= 2s);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("GS-02: an init that answers error ends the actor, and the start says init_failed") {
    test::LogCapture log;
    test::Events events;
    auto const error = sp::run(failed_start<Fails>(events));
    CHECK(error == Kind::init_failed);
    CHECK(error.reason() == sp::ExitReason::custom("bad"));
    CHECK(events.all().empty());
    CHECK(log.count("crashed") == 0);
  }

  TEST_CASE("GS-04: an init that answers no_success gives init_no_success; reason normal") {
    test::Events events;
    auto const error = sp::run(failed_start<Refuses>(events));
    CHECK(error == Kind::init_no_success);
    CHECK(error.reason() == sp::ExitReason::normal());
    CHECK(events.all().empty());
  }

  TEST_CASE("GS-05: an init that throws anything gives init_failed with what it threw") {
    test::LogCapture log;
    test::Events events;
    auto const error = sp::run(failed_start<Throws>(events));
    CHECK(error == Kind::init_failed);
    CHECK(error.reason().kind() == sp::ExitReason::Kind::error);
    CHECK(error.reason().text() == "std::runtime_error: no disk");
    CHECK_THROWS_WITH_AS(std::rethrow_exception(error.reason().exception()), "no disk",
                         std::runtime_error);
    auto const number = sp::run(failed_start<ThrowsInt>(events));
    CHECK(number == Kind::init_failed);
    CHECK(number.reason().text() == "int 42");
    CHECK(events.all().empty());
    CHECK(log.count("Throws", "crashed in init", "no disk") == 2);
  }

  TEST_CASE("GS-06: a thrown InitResult is an exception, not an answer") {
    test::LogCapture log;
    test::Events events;
    auto const error = sp::run(failed_start<ThrowsInitResult>(events));
    CHECK(error == Kind::init_failed);
  }

  TEST_CASE("GS-07: a start that takes too long fails in time and the half-started actor ends") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto const begin = sp::now();
      auto started = co_await sp::start_and_wait<Slow>(100ms, &seen);
      CHECK(started.error() == Kind::timeout);
      CHECK(sp::now() - begin < 500ms);
    };
    sp::Runtime runtime(test::virtual_time());
    runtime.block_on(body(events));
    CHECK(runtime.shutdown());
    CHECK(runtime.counters().live == 0);
    CHECK(events.all().empty());
  }

  TEST_CASE("a half-started actor ends before its time is up, and nobody waits for its init") {
    test::Events events;
    auto body = [](test::Events& seen, sp::Runtime& runtime) -> sp::Task<std::uint64_t> {
      auto started = co_await sp::start_and_wait<Slow>(100ms, &seen);
      co_await sp::sleep(100ms);
      co_return runtime.counters().live;
    };
    sp::Runtime runtime(test::virtual_time());
    CHECK(runtime.block_on(body(events, runtime)) == 1);  // the task itself
    CHECK(events.all().empty());
  }

  TEST_CASE("an init that goes on after its start timed out is followed by the actor's end") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto started = co_await sp::start_and_wait<Stubborn>(100ms, &seen);
      CHECK(started.error() == Kind::timeout);
    };
    sp::Runtime runtime(test::virtual_time());
    runtime.block_on(body(events));
    CHECK(runtime.shutdown());
    CHECK(events.all() == test::Strings{"cut short", "teardown"});
  }

  TEST_CASE("GS-22: what init sends to its own actor is handled after init") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto started = co_await sp::start_and_wait<SendsToItself>(5s, &seen);
      auto reply = co_await started.value().request<Ping>();
      CHECK(reply.has_value());
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"init done", "early", "teardown"});
  }

  TEST_CASE("Context::stop in init ends the actor after teardown, before any message") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto actor = sp::start<StopsItself>(&seen);
      auto reply = co_await actor.request<Ping>();
      CHECK(reply.error().reason() == sp::ExitReason::custom("enough"));
      auto reason = co_await actor.wait_exit();
      CHECK(reason.value() == sp::ExitReason::custom("enough"));
    };
    sp::run(body(events));
    CHECK(events.all() == test::Strings{"teardown"});
  }

  TEST_CASE("stop before init is done takes effect after it, with teardown") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto actor = sp::start<Slow>(&seen);
      auto reason = co_await actor.stop_and_wait();
      CHECK(reason.value() == sp::ExitReason::normal());
    };
    sp::run(body(events), test::virtual_time());
    CHECK(events.all() == test::Strings{"init done", "teardown"});
  }

  TEST_CASE(
      "a request after a failed start gets init_failed with its reason, as those that waited") {
    test::LogCapture log;
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto actor = sp::start<Fails>(&seen);
      (void)co_await actor.wait_exit();
      auto reply = co_await actor.request<Ping>();
      CHECK(reply.error() == Kind::init_failed);
      CHECK(reply.error().reason() == sp::ExitReason::custom("bad"));
    };
    sp::run(body(events));
  }
}
