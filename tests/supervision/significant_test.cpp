#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/actors/links.hpp>
#include <spawned/supervision/dynamic_supervisor.hpp>
#include <spawned/supervision/supervisor.hpp>
#include <spawned/tasks.hpp>
#include <spawned/threads.hpp>

#include "support/actors.hpp"
#include "support/servers.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using spawned::child;
using spawned::ChildCounts;
using spawned::ChildSpec;
using spawned::Restart;
using spawned::Supervisor;
using spawned::SupervisorError;
using Reason = sp::ExitReason;
using Kind = SupervisorError::Kind;
using test::counts;
using test::crash;
using test::End;
using test::Fail;
using test::get;
using test::Log;
using test::LogPtr;
using test::seen;
using test::server;
using test::servers;
using test::stat;
using test::Texts;
using test::up;
using test::with;

using spawned::AutoShutdown;

namespace {

/// a is no significant one, those in `ids` are.
std::vector<ChildSpec> significant(LogPtr const& log, std::string const& ids, Restart restart) {
  auto specs = servers(log, "a" + ids);
  for (std::size_t i = 1; i < specs.size(); ++i) specs[i].restart(restart).significant();
  return specs;
}
spawned::SupervisorOptions ends_with(AutoShutdown when) {
  spawned::SupervisorOptions options;
  options.auto_shutdown = when;
  return options;
}

}  // namespace

TEST_SUITE("supervision/significant") {
  TEST_CASE("SIGN-01: a significant child needs auto_shutdown, and must not be permanent") {
    auto const log = std::make_shared<Log>();
    CHECK_THROWS_AS(Supervisor({}, significant(log, "b", Restart::transient)), sp::InvalidOptions);
    CHECK_THROWS_AS(Supervisor(ends_with(AutoShutdown::any_significant),
                               significant(log, "b", Restart::permanent)),
                    sp::InvalidOptions);
    auto body = [](LogPtr to) -> sp::Task<void> {
      auto sup = co_await up({}, {});
      auto spec = server("a", to).restart(Restart::transient).significant();
      auto refused = co_await sup.request<Supervisor::StartChild>(spec);
      CHECK(refused.value().error() == Kind::invalid_spec);
      auto count = co_await counts(sup);
      CHECK(count == ChildCounts{});
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(log), test::virtual_time());
  }
  TEST_CASE("SIGN-02: any_significant: its normal end ends the supervisor with shutdown") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto specs = significant(log, "b", Restart::transient);
      specs.push_back(server("c", log));
      auto sup = co_await up(ends_with(AutoShutdown::any_significant), std::move(specs));
      log->events.take();
      auto ref = co_await get(sup, "b");
      ref.send<End>(Reason::normal());
      auto end = co_await sup.wait_exit();
      CHECK(end.value() == Reason::shutdown());
      CHECK(log->events.take() == Texts{"term b normal", "term c shutdown", "term a shutdown"});
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SIGN-03: a significant transient child that crashes is restarted") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up(ends_with(AutoShutdown::any_significant),
                             significant(log, "b", Restart::transient));
      co_await crash(sup, "b");
      auto now = co_await stat(sup);
      CHECK(now == "a+b+");
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SIGN-04: a significant temporary child that crashes ends the supervisor") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up(ends_with(AutoShutdown::any_significant),
                             significant(log, "b", Restart::temporary));
      auto ref = co_await get(sup, "b");
      (void)co_await ref.request<Fail>();
      auto end = co_await sup.wait_exit();
      CHECK(end.value() == Reason::shutdown());
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SIGN-05: all_significant: the end of the last one ends the supervisor") {
    auto body = []() -> sp::Task<void> {
      for (Restart const restart : {Restart::temporary, Restart::transient}) {
        auto log = std::make_shared<Log>();
        auto sup =
            co_await up(ends_with(AutoShutdown::all_significant), significant(log, "bc", restart));
        auto b = co_await get(sup, "b");
        auto c = co_await get(sup, "c");
        b.send<End>(Reason::normal());
        co_await seen(log, 4);
        auto now = co_await stat(sup);
        CHECK(now == (restart == Restart::temporary ? "a+c+" : "a+b-c+"));
        c.send<End>(Reason::normal());
        auto end = co_await sup.wait_exit();
        CHECK(end.value() == Reason::shutdown());
      }
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SIGN-06: terminate_child of a significant child ends nobody else") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up(ends_with(AutoShutdown::any_significant),
                             significant(log, "b", Restart::transient));
      auto done = co_await sup.request<Supervisor::TerminateChild>("b");
      CHECK(done.value().has_value());
      auto now = co_await stat(sup);
      CHECK(now == "a+b-");
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SIGN-09: a dynamic supervisor has no significant children") {
    auto log = std::make_shared<Log>();
    auto spec = server("a", log).restart(Restart::transient).significant();
    CHECK_THROWS_AS(spawned::DynamicSupervisor::StartChild{spec}, sp::InvalidOptions);
  }
}
