#include <spawned/supervision/application.hpp>

#include <chrono>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using spawned::AutoShutdown;
using spawned::ChildSpec;
using spawned::Restart;
using spawned::Supervisor;
using End = sp::ApplicationEnd;

namespace {

using EventsPtr = std::shared_ptr<test::Events>;
struct Note {};

/// Tells when it starts and ends; does something when it is up.
class Member : public sp::Actor<Member> {
 public:
  Member(std::string id, EventsPtr events, void (*then)(sp::Context<Member>&))
      : id_(std::move(id)), events_(std::move(events)), then_(then) {}
  void init(sp::Context<Member>& context) {
    events_->add("start " + id_);
    context.self().send<Note>();
  }
  void handle_message(Note /*note*/, sp::Context<Member>& context) {
    if (then_ != nullptr) then_(context);
  }
  void teardown(sp::ExitReason const& reason) {
    events_->add("stop " + id_ + " " + reason.to_string());
  }

 private:
  std::string id_;
  EventsPtr events_;
  void (*then_)(sp::Context<Member>&);
};

/// Needs an hour to stop.
class Sticky : public sp::Actor<Sticky> {
 public:
  sp::Task<void> teardown() { co_await sp::sleep(1h); }
  void handle_message(Note /*note*/) {}
};

ChildSpec member(std::string id, EventsPtr const& events,
                 void (*then)(sp::Context<Member>&) = nullptr) {
  return sp::child(id, [id, events, then] { return Member(id, events, then); });
}

void raises_interrupt(sp::Context<Member>& /*context*/) { std::raise(SIGINT); }
void raises_term(sp::Context<Member>& /*context*/) { std::raise(SIGTERM); }
void crashes(sp::Context<Member>& /*context*/) { throw std::runtime_error("boom"); }
void stops(sp::Context<Member>& context) { context.stop(); }

sp::ApplicationOptions plain() {
  sp::ApplicationOptions options;
  options.stop_on_signals = false;
  return options;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_SUITE("supervision/application") {
  TEST_CASE("it starts in order; ctrl-c and SIGTERM stop it in reverse, with exit code 0") {
    for (auto* const raise : {&raises_interrupt, &raises_term}) {
      auto events = std::make_shared<test::Events>();
      int const code = sp::run_application({}, member("a", events), member("b", events),
                                           member("c", events, raise));
      CHECK(code == 0);
      CHECK(events->take() == Texts{"start a", "start b", "start c", "stop c shutdown",
                                    "stop b shutdown", "stop a shutdown"});
    }
  }

  TEST_CASE("on a runtime there is: the report names the signal, and the runtime goes on") {
    auto events = std::make_shared<test::Events>();
    spawned::Runtime runtime;
    auto const report = sp::run_application_on(runtime, {}, member("a", events, &raises_term));
    CHECK(report.end == End::signalled);
    CHECK(report.signal == SIGTERM);
    CHECK(report.in_time);
    CHECK(report.reason == sp::ExitReason::shutdown());
    auto const still = []() -> sp::Task<int> { co_return 7; };
    CHECK(runtime.block_on(still()) == 7);
  }

  TEST_CASE("a token stops it, and so does the end of a significant child") {
    auto events = std::make_shared<test::Events>();
    auto options = plain();
    options.stop.emplace();
    auto body = [](sp::ApplicationOptions given, EventsPtr log) -> sp::Task<void> {
      auto running = sp::spawn(sp::application(given, member("a", log)));
      while (log->all().empty()) co_await sp::sleep(1ms);
      given.stop->cancel();
      auto report = co_await running;
      CHECK(report.value().end == End::stopped);
      CHECK(report.value().exit_code() == 0);
      CHECK(log->take() == Texts{"start a", "stop a shutdown"});

      auto finishing = plain();
      finishing.root.auto_shutdown = AutoShutdown::any_significant;
      auto job = member("job", log, &stops).restart(Restart::transient).significant();
      auto finished = co_await sp::application(finishing, member("a", log), job);
      CHECK(finished.end == End::finished);
      CHECK(finished.exit_code() == 0);
      CHECK(log->take() == Texts{"start a", "start job", "stop job normal", "stop a shutdown"});
    };
    sp::run(body(options, events), test::virtual_time());
  }

  TEST_CASE("one that gives up has exit code 1") {
    auto events = std::make_shared<test::Events>();
    auto body = [](EventsPtr log) -> sp::Task<void> {
      auto report = co_await sp::application(plain(), member("a", log, &crashes));
      CHECK(report.end == End::gave_up);
      CHECK(report.exit_code() == 1);
    };
    sp::run(body(events), test::virtual_time());
  }

  TEST_CASE("one that does not start undoes what was started, and has exit code 2") {
    auto events = std::make_shared<test::Events>();
    auto bad = sp::child("bad", []() -> Sticky { throw std::runtime_error("no disk"); });
    auto body = [](EventsPtr log, ChildSpec spec) -> sp::Task<void> {
      auto report = co_await sp::application(plain(), member("a", log), spec);
      CHECK(report.end == End::not_started);
      CHECK(report.exit_code() == 2);
      CHECK(report.reason.text() ==
            "failed to start child bad: error: std::runtime_error: no disk");
      CHECK(log->take() == Texts{"start a", "stop a shutdown"});
    };
    sp::run(body(events, bad), test::virtual_time());
    CHECK(sp::run_application(plain(), member("a", events), member("a", events)) == 2);
    auto options = plain();
    options.stop_within = -1s;
    CHECK(sp::run_application(options) == 2);
    CHECK_THROWS_AS((void)spawned::application(options, std::vector<ChildSpec>()),
                    sp::InvalidOptions);
  }

  TEST_CASE("what has not stopped at the deadline is named and killed; exit code 3") {
    auto body = []() -> sp::Task<void> {
      auto options = plain();
      options.stop_within = 2s;
      options.stop.emplace();
      options.stop->cancel();
      auto inner = sp::child("inner", [] {
        std::vector<ChildSpec> specs;
        specs.push_back(sp::child("sticky", [] { return Sticky{}; }).shutdown(1h));
        return Supervisor({}, std::move(specs));
      });
      auto quick =
          sp::child("quick", [] { return Sticky{}; }).shutdown(spawned::Shutdown::brutal_kill());
      auto const begin = sp::now();
      auto report = co_await sp::application(options, inner, quick);
      CHECK(sp::now() - begin < 5s);
      CHECK(report.end == End::stopped);
      CHECK(!report.in_time);
      CHECK(report.exit_code() == 3);
      REQUIRE(report.late.size() == 3);
      CHECK(report.late[0].find("sticky: ") == 0);
      CHECK(report.late[0].find("Sticky#") != std::string::npos);
      CHECK(report.late[1].find("inner: ") == 0);
      CHECK(report.stuck.empty());
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("a task that is cancelled tells its application to stop") {
    auto events = std::make_shared<test::Events>();
    auto body = [](EventsPtr log) -> sp::Task<void> {
      auto running = sp::spawn(sp::application(plain(), member("a", log)));
      while (log->all().empty()) co_await sp::sleep(1ms);
      running.cancel();
      auto report = co_await running;
      CHECK(report.error().is_cancelled());
      while (log->all().size() < 2) co_await sp::sleep(1ms);
      CHECK(log->take() == Texts{"start a", "stop a shutdown"});
    };
    sp::run(body(events), test::virtual_time());
  }
}
