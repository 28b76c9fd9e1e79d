// What a parent that dies does to whom it started, and what the end of a runtime does to links.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using Reason = sp::ExitReason;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;
using Seen = std::shared_ptr<test::Events>;

struct Ping {};

/// Notes what becomes of it.
class Child : public sp::Actor<Child> {
 public:
  Child(bool traps, Seen events) : traps_(traps), events_(std::move(events)) {}
  void init(sp::Context<Child>& context) {
    if (traps_) (void)context.trap_exit(true);
  }
  bool handle_request(Ping) { return true; }
  void handle_message(sp::Exit const& exit) { events_->add("exit " + exit.reason.to_string()); }
  void teardown(Reason const& reason) { events_->add("teardown " + reason.to_string()); }

 private:
  bool traps_;
  Seen events_;
};

struct StartChild {
  bool traps;
  Seen events;
};
struct StartFailing {
  Reason reason;
};
struct StartSlow {};
struct ExitChild {
  Reason reason;
};
struct UnlinkChild {};

class Failing : public sp::Actor<Failing> {
 public:
  explicit Failing(Reason reason) : reason_(std::move(reason)) {}
  sp::InitResult init() { return sp::InitResult::error(reason_); }
  bool handle_request(Ping) { return true; }

 private:
  Reason reason_;
};
class Slow : public sp::Actor<Slow> {
 public:
  sp::Task<void> init() { co_await sp::sleep(1h); }
  bool handle_request(Ping) { return true; }
};

class Parent : public sp::Actor<Parent> {
 public:
  sp::Task<sp::ActorRef<Child>> handle_request(StartChild start, sp::Context<Parent>& context) {
    auto started = co_await context.start_linked<Child>(start.traps, start.events);
    child_ = started.value();
    co_return started.value();
  }
  sp::Task<void> handle_request(StartFailing failing, sp::Context<Parent>& context) {
    auto started = co_await context.start_linked<Failing>(failing.reason);
    CHECK(started.error().kind() == sp::ActorError::Kind::init_failed);
  }
  sp::Task<sp::ActorError> handle_request(StartSlow, sp::Context<Parent>& context) {
    auto started = co_await context.start_linked<Slow>();
    co_return started.error();
  }
  void handle_request(ExitChild const& exit) { child_->exit(exit.reason); }
  bool handle_request(UnlinkChild, sp::Context<Parent>& context) { return context.unlink(*child_); }
  bool handle_request(Ping) { return true; }

 private:
  std::optional<sp::ActorRef<Child>> child_;
};

// Two that are linked, each with a teardown.
struct Tie {
  sp::ActorRef<Child> to;
};
class Tied : public sp::Actor<Tied> {
 public:
  explicit Tied(Seen events) : events_(std::move(events)) {}
  sp::Result<void> handle_request(Tie const& tie, sp::Context<Tied>& context) {
    return context.link(tie.to);
  }
  void teardown(Reason const& reason) { events_->add("teardown " + reason.to_string()); }

 private:
  Seen events_;
};

sp::Task<sp::ActorRef<Child>> child_of(sp::ActorRef<Parent> parent, bool traps, Seen events) {
  auto child = co_await parent.request<StartChild>(traps, events);
  co_return child.value();
}

}  // namespace

TEST_SUITE("actors/links_parent") {
  TEST_CASE("EXIT-14: the death of its parent ends an actor that traps exits, with teardown") {
    auto body = []() -> sp::Task<void> {
      for (Reason const& reason : {Reason::custom("boom"), Reason::normal()}) {
        auto const events = std::make_shared<test::Events>();
        auto parent = Parent().start();
        auto child = co_await child_of(parent, true, events);
        parent.stop(reason);
        auto end = co_await child.wait_exit();
        CHECK(end.value() == reason);
        CHECK(events->all() == Texts{"teardown " + reason.to_string()});
      }
    };
    sp::run(body());
  }
  TEST_CASE("EXIT-16: the death of its parent ends an actor that does not trap without teardown") {
    auto body = []() -> sp::Task<void> {
      auto const events = std::make_shared<test::Events>();
      auto parent = Parent().start();
      auto child = co_await child_of(parent, false, events);
      parent.stop(Reason::custom("boom"));
      auto end = co_await child.wait_exit();
      CHECK(end.value() == Reason::custom("boom"));
      CHECK(events->all().empty());
    };
    sp::run(body());
  }
  TEST_CASE("an exit signal sent by the parent ends an actor that traps exits, with teardown") {
    auto body = []() -> sp::Task<void> {
      auto const events = std::make_shared<test::Events>();
      auto parent = Parent().start();
      auto child = co_await child_of(parent, true, events);
      child.exit(Reason::custom("by others"));
      (void)co_await child.request<Ping>();
      auto sent = co_await parent.request<ExitChild>(Reason::shutdown());
      CHECK(sent.has_value());
      auto end = co_await child.wait_exit();
      CHECK(end.value() == Reason::shutdown());
      CHECK(events->all() == Texts{"exit custom: by others", "teardown shutdown"});
    };
    sp::run(body());
  }
  TEST_CASE("a parent that has unlinked its child is one of the others") {
    auto body = []() -> sp::Task<void> {
      auto const events = std::make_shared<test::Events>();
      auto parent = Parent().start();
      auto child = co_await child_of(parent, true, events);
      auto cut = co_await parent.request<UnlinkChild>();
      CHECK(cut.value());
      auto sent = co_await parent.request<ExitChild>(Reason::shutdown());
      CHECK(sent.has_value());
      parent.kill();
      (void)co_await parent.wait_exit();
      auto alive = co_await child.request<Ping>();
      CHECK(alive.value());
      CHECK(events->all() == Texts{"exit shutdown"});
      (void)co_await child.stop_and_wait();
    };
    sp::run(body());
  }
  TEST_CASE("a failing init under start_linked always ends a parent that does not trap exits") {
    auto body = []() -> sp::Task<void> {
      for (int i = 0; i < 100; ++i) {
        auto parent = Parent().start();
        auto asked = parent.start_request<StartFailing>(Reason::custom("bad"));
        auto end = co_await parent.wait_exit();
        CHECK(end.value() == Reason::custom("bad"));
      }
    };
    sp::run(body());
  }
  TEST_CASE("a start_linked that takes too long is unlinked: only the result says so") {
    auto body = []() -> sp::Task<void> {
      auto parent = Parent().start();
      auto error = co_await parent.request_with_timeout<StartSlow>(sp::no_timeout);
      CHECK(error.value().kind() == sp::ActorError::Kind::timeout);
      auto alive = co_await parent.request<Ping>();
      CHECK(alive.value());
      CHECK(parent.cell().waiters().guest_count() == 0);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("the end of a runtime ends linked actors with their teardown") {
    for (int i = 0; i < 20; ++i) {
      auto const events = std::make_shared<test::Events>();
      {
        sp::Runtime runtime;
        auto body = [](Seen seen) -> sp::Task<void> {
          auto parent = Parent().start();
          auto child = co_await child_of(parent, false, seen);
          auto tied = Tied(seen).start();
          auto linked = co_await tied.request<Tie>(child);
          CHECK(linked.value().has_value());
        };
        runtime.block_on(body(events));
        CHECK(runtime.shutdown({.deadline = 60s}).in_time);
      }
      CHECK(events->all() == Texts{"teardown shutdown", "teardown shutdown"});
    }
  }
  TEST_CASE("a MonitorRef and its watch outlive the runtime") {
    std::optional<sp::MonitorRef> kept;
    class Watcher : public sp::Actor<Watcher> {
     public:
      struct Watch {};
      sp::MonitorRef handle_request(Watch, sp::Context<Watcher>& context) {
        auto other = Parent().start();
        return context.monitor(other);
      }
      void handle_message(sp::Down) {}
    };
    auto body = [](std::optional<sp::MonitorRef>& monitor) -> sp::Task<void> {
      auto watcher = Watcher().start();
      auto watched = co_await watcher.request<Watcher::Watch>();
      monitor = watched.value();
    };
    sp::run(body(kept));
    CHECK(kept->id().value != 0);
    auto const copy = kept;
    kept.reset();
    CHECK(copy->id().value != 0);
  }
}
