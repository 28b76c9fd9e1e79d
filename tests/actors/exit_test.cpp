#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
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
using Reason = sp::ExitReason;

namespace {

struct Ping {};
struct Bad {};
struct Hold {
  test::Gate entered;
  test::Gate leave;
};
/// What a handler is suspended in when the signal comes.
enum class In { sleep, token, join, oneshot, request, pending, wait_exit, yields, nested, timeout };
struct Wait {
  In in;
  test::Gate entered;
  std::shared_ptr<int> frame;  // held by every frame of the handler
};
struct Stubborn {
  test::Gate entered;
  std::shared_ptr<int> frame;
};
struct ExitSelf {
  Reason reason;
  bool await = false;
};
struct StopSelf {
  Reason reason;
};

class Target;
struct Shared {
  test::Events events;
  std::shared_ptr<int> frame = std::make_shared<int>(0);
  std::optional<sp::ActorRef<Target>> peer;
};

class Target : public sp::Actor<Target> {
 public:
  explicit Target(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  ~Target() {
    if (shared_) shared_->events.add("state destroyed");
  }
  Target(Target&&) = default;
  Target& operator=(Target&&) = delete;

  int handle_request(Ping /*request*/) { return 1; }
  void handle_message(Bad /*message*/) { throw std::runtime_error("bad"); }
  void handle_message(Ping /*message*/) { shared_->events.add("ping"); }
  sp::Task<int> handle_request(Hold hold) {
    hold.entered.open();
    co_await hold.leave.opened();
    co_return 1;
  }
  sp::Task<int> handle_request(Wait wait) {
    co_await nest(wait.in == In::nested ? 50 : 1, wait);
    shared_->events.add("handler went on");
    co_return 1;
  }
  sp::Task<int> handle_request(Stubborn request) {
    for (;;) {
      try {
        request.entered.open();
        co_await sp::sleep(1h);
      } catch (sp::Cancelled const&) {
        shared_->events.add("caught");
      }
      try {
        co_await sp::sleep(0s);
        co_await sp::yield_now();
      } catch (sp::Cancelled const&) {
        shared_->events.add("caught again");
      }
    }
  }
  sp::Task<int> handle_request(ExitSelf exit, sp::Context<Target>& context) {
    context.exit(exit.reason);
    if (exit.await) {
      co_await sp::yield_now();
      shared_->events.add("went on");
    }
    co_return 1;
  }
  int handle_request(StopSelf stop, sp::Context<Target>& context) {
    context.stop(stop.reason);
    return 1;
  }
  void teardown() { shared_->events.add("teardown"); }

 private:
  sp::Task<void> nest(int depth, Wait wait) {
    if (depth > 1) {
      co_await nest(depth - 1, wait);
      co_return;
    }
    test::Gate closed;
    wait.entered.open();
    switch (wait.in) {
      case In::sleep:
      case In::nested:
        co_await sp::sleep(1h);
        break;
      case In::token:
        co_await closed.opened();
        break;
      case In::join: {
        auto task = sp::spawn(sleeps(wait.frame));
        auto result = co_await task;
        (void)result;
        break;
      }
      case In::oneshot: {
        auto [sender, receiver] = sp::oneshot<int>();
        auto result = co_await receiver;
        (void)result;
        break;
      }
      case In::request: {
        auto reply = co_await shared_->peer->request_with_timeout<Hold>(1h, test::Gate(), closed);
        (void)reply;
        break;
      }
      case In::pending: {
        auto pending = shared_->peer->start_request<Hold>(test::Gate(), closed);
        auto reply = co_await pending;
        (void)reply;
        break;
      }
      case In::wait_exit: {
        auto reason = co_await shared_->peer->wait_exit();
        (void)reason;
        break;
      }
      case In::yields:
        for (;;) co_await sp::yield_now();
      case In::timeout: {
        auto result = co_await sp::timeout(2h, own_state(wait.frame));
        (void)result;
        break;
      }
    }
  }
  static sp::Task<void> sleeps(std::shared_ptr<int> /*frame*/) { co_await sp::sleep(1h); }
  // A task of its own that uses the state of the actor while it unwinds.
  sp::Task<void> own_state(std::shared_ptr<int> /*frame*/) {
    try {
      co_await sp::sleep(1h);
    } catch (sp::Cancelled const&) {
      shared_->events.add("child unwound");
      throw;
    }
  }

  std::shared_ptr<Shared> shared_;
};

sp::Task<void> kill_in(In in) {
  auto shared = std::make_shared<Shared>();
  shared->peer.emplace(Target(std::make_shared<Shared>()).start());
  auto target = Target(shared).start();
  test::Gate entered;
  auto pending = target.start_request<Wait>(in, entered, shared->frame);
  co_await entered.opened();
  for (int i = 0; i < 3; ++i) co_await sp::yield_now();
  target.kill();
  auto reply = co_await pending.wait_for(1s);
  CHECK(reply.error() == Kind::stopped);
  CHECK(reply.error().reason() == Reason::Kind::killed);
  auto reason = co_await target.wait_exit();
  CHECK(reason.value() == Reason::Kind::killed);
  test::Strings expected;
  if (in == In::timeout) expected.emplace_back("child unwound");
  expected.emplace_back("state destroyed");
  CHECK(shared->events.all() == expected);
  if (in != In::join) CHECK(shared->frame.use_count() == 1);  // a joined task goes on by itself
  // What the frame waited for still works for others.
  auto alive = co_await shared->peer->request_with_timeout<Ping>(0s);
  CHECK((alive.has_value() || alive.error() == Kind::timeout));
  shared->peer.reset();
}

sp::Task<sp::ExitReason> reason_after(Reason reason) {
  auto target = Target(std::make_shared<Shared>()).start();
  target.exit(std::move(reason));
  auto ended = co_await target.wait_exit();
  co_return ended.value();
}

}  // namespace

TEST_SUITE("actors/exit") {
  TEST_CASE("SIG-02: an exit signal comes before what the same sender sends after it") {
    auto body = []() -> sp::Task<void> {
      for (int i = 0; i < 200; ++i) {
        auto target = Target(std::make_shared<Shared>()).start();
        target.send<Ping>();
        target.send<Ping>();
        target.exit(Reason::custom("good"));
        target.send<Bad>();
        auto reason = co_await target.wait_exit();
        CHECK(reason.value() == Reason::custom("good"));
      }
    };
    sp::run(body());
  }

  TEST_CASE("SIG-05: an actor is not alive any more once it was killed") {
    auto body = []() -> sp::Task<void> {
      auto target = Target(std::make_shared<Shared>()).start();
      CHECK(target.is_alive());
      target.kill();
      CHECK(!target.is_alive());
      auto reason = co_await target.wait_exit();
      CHECK(reason.value() == Reason::Kind::killed);
      target.kill();  // no effect on what has ended
      CHECK(target.exit_reason() == Reason(Reason::Kind::killed));
    };
    sp::run(body());
  }

  TEST_CASE("SIG-06: the first exit signal wins") {
    auto body = []() -> sp::Task<void> {
      auto target = Target(std::make_shared<Shared>()).start();
      target.exit(Reason::custom("first"));
      target.exit(Reason::custom("second"));
      target.kill();
      auto reason = co_await target.wait_exit();
      CHECK(reason.value() == Reason::custom("first"));
    };
    sp::run(body());
  }

  TEST_CASE("EXIT-01: a signal normal from another is ignored") {
    auto body = []() -> sp::Task<void> {
      auto target = Target(std::make_shared<Shared>()).start();
      target.exit(Reason::normal());
      auto reply = co_await target.request<Ping>();
      CHECK(reply.value() == 1);
      CHECK(target.is_alive());
    };
    sp::run(body());
  }

  TEST_CASE("EXIT-03: a signal normal to oneself ends the actor with reason normal") {
    auto body = []() -> sp::Task<void> {
      auto shared = std::make_shared<Shared>();
      auto target = Target(shared).start();
      auto reply = co_await target.request<ExitSelf>(Reason::normal(), true);
      CHECK(reply.error() == Kind::stopped);
      auto reason = co_await target.wait_exit();
      CHECK(reason.value() == Reason::normal());
      CHECK(shared->events.all() == test::Strings{"state destroyed"});
    };
    sp::run(body());
  }

  TEST_CASE("a handler that does not suspend after its own exit signal still answers") {
    auto body = []() -> sp::Task<void> {
      auto shared = std::make_shared<Shared>();
      auto target = Target(shared).start();
      auto reply = co_await target.request<ExitSelf>(Reason::custom("x"), false);
      CHECK(reply.value() == 1);
      auto reason = co_await target.wait_exit();
      CHECK(reason.value() == Reason::custom("x"));
      CHECK(shared->events.all() == test::Strings{"state destroyed"});
    };
    sp::run(body());
  }

  TEST_CASE("EXIT-04: others see the reason killed of what was killed") {
    auto body = []() -> sp::Task<void> {
      auto reason = co_await reason_after(Reason::Kind::kill);
      CHECK(reason == Reason::Kind::killed);
    };
    sp::run(body());
  }

  TEST_CASE("EXIT-06: an actor that ends itself with kill has just that reason") {
    auto body = []() -> sp::Task<void> {
      auto target = Target(std::make_shared<Shared>()).start();
      auto reply = co_await target.request<StopSelf>(Reason(Reason::Kind::kill));
      CHECK(reply.has_value());
      auto reason = co_await target.wait_exit();
      CHECK(reason.value() == Reason::Kind::kill);
    };
    sp::run(body());
  }

  TEST_CASE("EXIT-07: an actor dies with exactly the reason of the signal, shutdown included") {
    auto body = []() -> sp::Task<void> {
      std::vector<Reason> const reasons{Reason::shutdown(), Reason(Reason::Kind::shutdown, "x"),
                                        Reason::custom("boom"), Reason::error("a, b"),
                                        Reason::Kind::killed};
      for (Reason const& reason : reasons) {
        auto seen = co_await reason_after(reason);
        CHECK(seen == reason);
      }
    };
    sp::run(body());
  }

  TEST_CASE("GS-11: a caller of no time limit hears at once of an exit signal in its call") {
    auto body = []() -> sp::Task<void> {
      auto shared = std::make_shared<Shared>();
      auto target = Target(shared).start();
      test::Gate entered;
      auto pending = target.start_request<Wait>(In::sleep, entered, nullptr);
      co_await entered.opened();
      co_await sp::sleep(50ms);
      auto const before = sp::now();
      target.exit(Reason::custom("boom"));
      auto reply = co_await pending;
      CHECK(reply.error() == Kind::stopped);
      CHECK(reply.error().reason() == Reason::custom("boom"));
      CHECK(sp::now() == before);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("GS-33: a killed actor has no teardown and reads no mail") {
    auto body = []() -> sp::Task<void> {
      auto shared = std::make_shared<Shared>();
      auto target = Target(shared).start();
      test::Gate entered;
      test::Gate leave;
      auto held = target.start_request<Hold>(entered, leave);
      co_await entered.opened();
      target.send<Ping>();
      auto unread = target.start_request<Ping>();
      target.kill();
      auto first = co_await held;
      CHECK(first.error() == Kind::stopped);
      auto second = co_await unread;
      CHECK(second.error() == Kind::stopped);
      CHECK(second.error().reason() == Reason::Kind::killed);
      CHECK(shared->events.all() == test::Strings{"state destroyed"});
      auto late = co_await target.request<Ping>();
      CHECK(late.error() == Kind::no_such_actor);
    };
    sp::run(body());
  }

  TEST_CASE("GS-46: callers hear of kill, shutdown and shutdown with a text, in these words") {
    auto body = []() -> sp::Task<void> {
      std::vector<Reason> const reasons{Reason::Kind::killed, Reason::shutdown(),
                                        Reason(Reason::Kind::shutdown, "x")};
      for (Reason const& reason : reasons) {
        auto target = Target(std::make_shared<Shared>()).start();
        test::Gate entered;
        auto call = target.start_request<Wait>(In::sleep, entered, nullptr);
        co_await entered.opened();
        target.exit(reason);
        auto reply = co_await call;
        CHECK(reply.error() == sp::ActorError(Kind::stopped, reason));
      }
    };
    sp::run(body());
  }

  TEST_CASE("a kill destroys a handler suspended in whatever await, and every frame of it") {
    for (In in : {In::sleep, In::token, In::join, In::oneshot, In::request, In::pending,
                  In::wait_exit, In::yields, In::nested, In::timeout}) {
      CAPTURE(static_cast<int>(in));
      for (int i = 0; i < 20; ++i) sp::run(kill_in(in));
    }
  }

  TEST_CASE("a kill cannot be caught: the handler that swallows Cancelled is not resumed") {
    auto body = []() -> sp::Task<void> {
      auto shared = std::make_shared<Shared>();
      auto target = Target(shared).start();
      test::Gate entered;
      auto call = target.start_request<Stubborn>(entered, shared->frame);
      co_await entered.opened();
      target.kill();
      auto reply = co_await call;
      CHECK(reply.error().reason() == Reason::Kind::killed);
      CHECK(shared->events.all() == test::Strings{"state destroyed"});
      CHECK(shared->frame.use_count() == 1);
    };
    for (int i = 0; i < 50; ++i) sp::run(body());
  }

  TEST_CASE("a signal in the midst of init fails the start with its reason; no teardown") {
    class Slow : public sp::Actor<Slow> {
     public:
      explicit Slow(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
      sp::Task<void> init() {
        shared_->events.add("init");
        co_await sp::sleep(1h);
        shared_->events.add("init done");
      }
      int handle_request(Ping /*request*/) { return 1; }
      void teardown() { shared_->events.add("teardown"); }

     private:
      std::shared_ptr<Shared> shared_;
    };
    auto body = []() -> sp::Task<void> {
      auto shared = std::make_shared<Shared>();
      auto slow = Slow(shared).start();
      auto call = slow.start_request<Ping>();
      while (shared->events.all().empty()) co_await sp::yield_now();
      slow.exit(Reason::custom("enough"));
      auto reply = co_await call;
      CHECK(reply.error() == sp::ActorError(Kind::init_failed, Reason::custom("enough")));
      CHECK(shared->events.all() == test::Strings{"init"});
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("a signal cuts a teardown short, and the reply it held back becomes stopped") {
    class Leaves : public sp::Actor<Leaves> {
     public:
      explicit Leaves(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
      sp::RequestResponse<int> handle_request(Ping /*request*/) {
        return sp::RequestResponse<int>::stop(7, Reason::custom("own"));
      }
      sp::Task<void> teardown() {
        shared_->events.add("teardown");
        for (;;) {
          try {
            co_await sp::sleep(1h);
          } catch (sp::Cancelled const&) {
            shared_->events.add("caught");
          }
        }
      }

     private:
      std::shared_ptr<Shared> shared_;
    };
    auto body = []() -> sp::Task<void> {
      auto shared = std::make_shared<Shared>();
      auto leaves = Leaves(shared).start();
      auto call = leaves.start_request<Ping>();
      while (shared->events.all().empty()) co_await sp::yield_now();
      leaves.kill();
      auto reply = co_await call;
      CHECK(reply.error() == sp::ActorError(Kind::stopped, Reason::Kind::killed));
      auto reason = co_await leaves.wait_exit();
      CHECK(reason.value() == Reason::Kind::killed);
      CHECK(shared->events.all() == test::Strings{"teardown"});
    };
    sp::run(body());
  }

  TEST_CASE("a signal reaches actors on every backend, from every thread") {
    for (sp::Backend backend : {sp::Backend::Async, sp::Backend::Blocking, sp::Backend::Thread}) {
      sp::Runtime runtime;
      auto shared = std::make_shared<Shared>();
      sp::ActorOptions options;
      options.backend = backend;
      auto target = Target(shared).start_on(runtime, options);
      CHECK(target.request_blocking<Ping>().value() == 1);
      test::Gate entered;
      auto call = target.start_request<Wait>(In::sleep, entered, shared->frame);
      while (!entered.is_open()) std::this_thread::yield();
      target.exit(Reason::custom("far"));
      CHECK(target.wait_exit_blocking() == Reason::custom("far"));
      CHECK(shared->frame.use_count() == 1);
      auto reply = call.wait_blocking();
      CHECK(reply.error() == sp::ActorError(Kind::stopped, Reason::custom("far")));
    }
  }

  TEST_CASE("a signal to an actor that is about to run its init ends it unrun") {
    class Marks : public sp::Actor<Marks> {
     public:
      explicit Marks(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
      void init() { shared_->events.add("init"); }
      void handle_message(Ping /*message*/) {}

     private:
      std::shared_ptr<Shared> shared_;
    };
    sp::RuntimeOptions one;
    one.workers = 1;
    auto body = []() -> sp::Task<void> {
      auto shared = std::make_shared<Shared>();
      auto marks = Marks(shared).start();
      marks.kill();
      auto reason = co_await marks.wait_exit();
      CHECK(reason.value() == Reason::Kind::killed);
      CHECK(shared->events.all().empty());
    };
    sp::run(body(), one);
  }
}

TEST_SUITE("actors/exit") {
  TEST_CASE("the token of a handler is cancelled by a signal, and each call has its own") {
    struct Token {};
    class Gives : public sp::Actor<Gives> {
     public:
      sp::CancellationToken handle_request(Token /*request*/, sp::Context<Gives>& context) {
        CHECK(!context.cancellation_token().is_cancelled());
        return context.cancellation_token();
      }
      sp::Task<int> handle_request(Hold hold, sp::Context<Gives>& context) {
        auto worker = sp::spawn(watch(context.cancellation_token(), hold.leave));
        hold.entered.open();
        co_await sp::sleep(1h);
        co_return 1;
      }

     private:
      static sp::Task<void> watch(sp::CancellationToken token, test::Gate seen) {
        co_await token.cancelled();
        seen.open();
      }
    };
    auto body = []() -> sp::Task<void> {
      auto gives = Gives().start();
      auto first = co_await gives.request<Token>();
      test::Gate entered;
      test::Gate seen;
      auto call = gives.start_request<Hold>(entered, seen);
      co_await entered.opened();
      gives.kill();
      co_await seen.opened();
      CHECK(!first.value().is_cancelled());
      auto reply = co_await call;
      CHECK(reply.error() == Kind::stopped);
    };
    sp::run(body());
  }

  TEST_CASE("the token of a handler is cancelled by the end of the runtime") {
    class Holds : public sp::Actor<Holds> {
     public:
      sp::Task<int> handle_request(Hold hold, sp::Context<Holds>& context) {
        auto token = context.cancellation_token();
        hold.entered.open();
        try {
          co_await sp::sleep(1h);
        } catch (sp::Cancelled const&) {
          CHECK(context.is_cancelled());
        }
        // The flag of the token follows in a moment, on another worker perhaps.
        while (!token.is_cancelled()) std::this_thread::yield();
        hold.leave.open();
        co_return 1;
      }
    };
    test::Gate entered;
    test::Gate seen;
    {
      sp::Runtime runtime;
      auto holds = Holds().start_on(runtime);
      auto call = holds.start_request<Hold>(entered, seen);
      while (!entered.is_open()) std::this_thread::yield();
    }
    CHECK(seen.is_open());
  }
}
