#include <spawned/supervision/supervisor.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"
#include "support/servers.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using spawned::child;
using spawned::ChildCounts;
using spawned::ChildSpec;
using spawned::ChildState;
using spawned::Restart;
using spawned::RestartStrategy;
using spawned::Supervisor;
using spawned::SupervisorError;
using spawned::SupervisorOptions;
using Reason = sp::ExitReason;
using Kind = SupervisorError::Kind;
using test::boom;
using test::counts;
using test::crash;
using test::Crash;
using test::End;
using test::Fail;
using test::get;
using test::Log;
using test::LogPtr;
using test::Note;
using test::Ping;
using test::seen;
using test::Server;
using test::server;
using test::servers;
using test::Slow;
using test::stat;
using test::Texts;
using test::up;
using test::with;

TEST_SUITE("supervision/supervisor") {
  TEST_CASE("SUP-01: children start in order and stop in reverse with shutdown") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up({}, servers(log, "abc"));
      CHECK(log->events.take() == Texts{"start a", "start b", "start c"});
      (void)co_await sup.stop_and_wait(Reason::shutdown());
      CHECK(log->events.take() == Texts{"term c shutdown", "term b shutdown", "term a shutdown"});
      CHECK(sup.exit_reason() == Reason::shutdown());
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE(
      "SUP-02: a child that does not start undoes those before it, and those after it never "
      "start") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto specs = servers(log, "ab");
      specs.push_back(child("c", []() -> Server { throw std::runtime_error("bad"); }));
      specs.push_back(server("d", log));
      auto started = co_await Supervisor({}, std::move(specs)).start_and_wait();
      CHECK(started.error().kind() == sp::ActorError::Kind::init_failed);
      CHECK(started.error().reason().kind() == Reason::Kind::shutdown);
      CHECK(started.error().reason().text() ==
            "failed to start child c: error: std::runtime_error: bad");
      CHECK(log->events.take() ==
            Texts{"start a", "start b", "term b shutdown", "term a shutdown"});
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-03: who is restarted after which end") {
    auto body = []() -> sp::Task<void> {
      for (Restart const restart : {Restart::permanent, Restart::transient, Restart::temporary}) {
        for (Reason const& reason :
             {Reason::normal(), Reason::shutdown(), Reason(Reason::Kind::shutdown, "x"),
              Reason::custom("crash")}) {
          auto log = std::make_shared<Log>();
          auto specs = servers(log, "a");
          specs[0].restart(restart);
          auto sup = co_await up({}, std::move(specs));
          auto ref = co_await get(sup, "a");
          ref.send<End>(reason);
          std::string const expected = restart == Restart::temporary ? ""
                                       : restart == Restart::permanent || reason.is_abnormal()
                                           ? "a+"
                                           : "a-";
          co_await seen(log, restart == Restart::permanent || expected == "a+" ? 3 : 2);
          auto now = co_await stat(sup);
          CHECK(now == expected);
          (void)co_await sup.stop_and_wait();
        }
      }
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-04: one_for_one restarts the child that crashed, and that alone") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up({}, servers(log, "abc"));
      log->events.take();
      auto ref = co_await get(sup, "b");
      ref.send<Note>("gone with the incarnation");
      co_await crash(sup, "b");
      CHECK(log->events.take() == Texts{"term b " + boom, "start b"});
      auto notes = co_await ref.request<Ping>();
      CHECK(notes.value().empty());
      auto now = co_await stat(sup);
      CHECK(now == "a+b+c+");
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-05: one_for_all stops the others in reverse and starts all in order") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up(with(RestartStrategy::one_for_all), servers(log, "abcd"));
      log->events.take();
      co_await crash(sup, "b");
      CHECK(log->events.take() == Texts{"term b " + boom, "term d shutdown", "term c shutdown",
                                        "term a shutdown", "start a", "start b", "start c",
                                        "start d"});
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-06: rest_for_one restarts the child and those after it") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up(with(RestartStrategy::rest_for_one), servers(log, "abcd"));
      log->events.take();
      co_await crash(sup, "b");
      CHECK(log->events.take() == Texts{"term b " + boom, "term d shutdown", "term c shutdown",
                                        "start b", "start c", "start d"});
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-07: one restart too many in the period ends the supervisor with shutdown") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up(with(RestartStrategy::one_for_one, 2, 60s), servers(log, "ab"));
      co_await crash(sup, "a");
      co_await crash(sup, "a");
      CHECK(sup.is_alive());
      log->events.take();
      auto ref = co_await get(sup, "a");
      (void)co_await ref.request<Fail>();
      auto end = co_await sup.wait_exit();
      CHECK(end.value() == Reason::shutdown());
      CHECK(log->events.take() == Texts{"term a " + boom, "term b shutdown"});
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-08: with intensity 0 the first crash ends the supervisor") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up(with(RestartStrategy::one_for_one, 0), servers(log, "a"));
      auto ref = co_await get(sup, "a");
      (void)co_await ref.request<Fail>();
      auto end = co_await sup.wait_exit();
      CHECK(end.value() == Reason::shutdown());
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-09: what is older than the period does not count") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up(with(RestartStrategy::one_for_one, 1, 1s), servers(log, "a"));
      for (int i = 0; i < 3; ++i) {
        co_await crash(sup, "a");
        co_await sp::sleep(2100ms);
        CHECK(sup.is_alive());
      }
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-11: one_for_all spends one restart for an end, not one for each child") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up(with(RestartStrategy::one_for_all, 2), servers(log, "abc"));
      co_await crash(sup, "a");
      co_await crash(sup, "b");
      CHECK(sup.is_alive());
      auto ref = co_await get(sup, "c");
      (void)co_await ref.request<Fail>();
      auto end = co_await sup.wait_exit();
      CHECK(end.value() == Reason::shutdown());
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-13: a start that fails is tried again, and each attempt counts") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto attempts = std::make_shared<int>(0);
      std::vector<ChildSpec> specs;
      specs.push_back(child("a", [log, attempts] {
        int const attempt = (*attempts)++;
        if (attempt == 1 || attempt == 2) {
          log->events.add("fail");
          throw std::runtime_error("not yet");
        }
        return Server("a", log);
      }));
      auto sup = co_await up(with(RestartStrategy::one_for_one, 3), std::move(specs));
      auto ref = co_await get(sup, "a");
      (void)co_await ref.request<Fail>();
      auto notes = co_await ref.request<Ping>();  // waits through the restart
      CHECK(notes.has_value());
      CHECK(log->events.take() == Texts{"start a", "term a " + boom, "fail", "fail", "start a"});
      CHECK(sup.is_alive());
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-14: a temporary child that is stopped with the others is not restarted") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto specs = servers(log, "ab");
      specs[1].restart(Restart::temporary);
      auto sup = co_await up(with(RestartStrategy::one_for_all), std::move(specs));
      co_await crash(sup, "a");
      auto now = co_await stat(sup);
      CHECK(now == "a+");
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-17: a child without an actor keeps its spec, unless it is temporary") {
    auto body = []() -> sp::Task<void> {
      auto nothing = []() -> std::optional<Server> { return std::nullopt; };
      std::vector<ChildSpec> specs;
      specs.push_back(child("a", nothing));
      specs.push_back(child("b", nothing).restart(Restart::temporary));
      auto sup = co_await up({}, std::move(specs));
      auto count = co_await counts(sup);
      CHECK(count == ChildCounts{1, 0, 0, 1});
      auto more = child("c", nothing).restart(Restart::temporary);
      auto started = co_await sup.request<Supervisor::StartChild>(more);
      CHECK(!started.value().value());
      auto now = co_await stat(sup);
      CHECK(now == "a-");
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-18: each call answers what OTP's does") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up({}, servers(log, "a"));
      auto a = server("a", log);
      auto zz = std::string("zz");
      auto again = co_await sup.request<Supervisor::StartChild>(a);
      CHECK(again.value().error() == Kind::already_started);
      auto end_zz = co_await sup.request<Supervisor::TerminateChild>(zz);
      CHECK(end_zz.value().error() == Kind::not_found);
      auto delete_zz = co_await sup.request<Supervisor::DeleteChild>(zz);
      CHECK(delete_zz.value().error() == Kind::not_found);
      auto restart_zz = co_await sup.request<Supervisor::RestartChild>(zz);
      CHECK(restart_zz.value().error() == Kind::not_found);
      auto delete_a = co_await sup.request<Supervisor::DeleteChild>("a");
      CHECK(delete_a.value().error() == Kind::running);
      auto restart_a = co_await sup.request<Supervisor::RestartChild>("a");
      CHECK(restart_a.value().error() == Kind::running);
      for (int i = 0; i < 2; ++i) {
        auto end_a = co_await sup.request<Supervisor::TerminateChild>("a");
        CHECK(end_a.value().has_value());
      }
      auto present = co_await sup.request<Supervisor::StartChild>(a);
      CHECK(present.value().error() == Kind::already_present);
      auto started = co_await sup.request<Supervisor::RestartChild>("a");
      CHECK(started.value().value().as<Server>().has_value());
      auto twice = co_await sup.request<Supervisor::RestartChild>("a");
      CHECK(twice.value().error() == Kind::running);
      (void)co_await sup.request<Supervisor::TerminateChild>("a");
      auto deleted = co_await sup.request<Supervisor::DeleteChild>("a");
      CHECK(deleted.value().has_value());
      auto no_more = co_await sup.request<Supervisor::DeleteChild>("a");
      CHECK(no_more.value().error() == Kind::not_found);
      auto none = co_await sup.request<Supervisor::TerminateChild>("a");
      CHECK(none.value().error() == Kind::not_found);
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-19: what is done by call spends no restarts") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up(with(RestartStrategy::one_for_one, 0), servers(log, "a"));
      for (int i = 0; i < 3; ++i) {
        (void)co_await sup.request<Supervisor::TerminateChild>("a");
        auto started = co_await sup.request<Supervisor::RestartChild>("a");
        CHECK(started.value().has_value());
      }
      CHECK(sup.is_alive());
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-20: brutal_kill runs no teardown") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto specs = servers(log, "a");
      specs[0].shutdown(spawned::Shutdown::brutal_kill());
      auto sup = co_await up({}, std::move(specs));
      auto ref = co_await get(sup, "a");
      (void)co_await sup.request<Supervisor::TerminateChild>("a");
      CHECK(ref.exit_reason() == Reason(Reason::Kind::killed));
      CHECK(log->events.take() == Texts{"start a"});
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-21: a child that does not stop in time is killed") {
    auto body = []() -> sp::Task<void> {
      std::vector<ChildSpec> specs;
      specs.push_back(child("a", [] { return Slow(3s); }).shutdown(150ms));
      auto sup = co_await up({}, std::move(specs));
      auto const begin = sp::now();
      (void)co_await sup.request<Supervisor::TerminateChild>("a");
      CHECK(sp::now() - begin >= 150ms);
      CHECK(sp::now() - begin < 1500ms);
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-22: with infinity a child takes the time it needs") {
    auto body = []() -> sp::Task<void> {
      std::vector<ChildSpec> specs;
      specs.push_back(
          child("a", [] { return Slow(400ms); }).shutdown(spawned::Shutdown::infinity()));
      auto sup = co_await up({}, std::move(specs));
      auto info = co_await sup.request<Supervisor::GetChild>("a");
      auto ref = info.value().value().ref.as<Slow>().value();
      auto const begin = sp::now();
      (void)co_await sup.request<Supervisor::TerminateChild>("a");
      CHECK(sp::now() - begin >= 400ms);
      CHECK(ref.exit_reason() == Reason::shutdown());
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-30: options and specs that make no sense are refused by the constructor") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      CHECK_THROWS_AS(Supervisor({}, servers(log, "aba")), sp::InvalidOptions);
      CHECK_THROWS_AS(Supervisor(with(RestartStrategy::one_for_one, -1), {}), sp::InvalidOptions);
      CHECK_THROWS_AS(Supervisor(with(RestartStrategy::one_for_one, 1, 0s), {}),
                      sp::InvalidOptions);
      std::vector<ChildSpec> negative;
      negative.push_back(server("a", log).shutdown(-1ms));
      CHECK_THROWS_AS(Supervisor({}, negative), sp::InvalidOptions);
      std::vector<ChildSpec> unnamed;
      unnamed.push_back(server("", log));
      CHECK_THROWS_AS(Supervisor({}, unnamed), sp::InvalidOptions);
      co_return;
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-45: a supervisor that is stopped ends normally, its children with shutdown") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up({}, servers(log, "a"));
      log->events.take();
      auto end = co_await sup.stop_and_wait();
      CHECK(end.value() == Reason::normal());
      CHECK(log->events.take() == Texts{"term a shutdown"});
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-50: a tree stops depth first in reverse") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto specs = servers(log, "a");
      specs.push_back(child("sub", [log] { return Supervisor({}, servers(log, "bc")); }));
      specs.push_back(server("d", log));
      auto sup = co_await up({}, std::move(specs));
      auto count = co_await counts(sup);
      CHECK(count == ChildCounts{3, 3, 1, 2});
      log->events.take();
      (void)co_await sup.stop_and_wait();
      CHECK(log->events.take() ==
            Texts{"term d shutdown", "term c shutdown", "term b shutdown", "term a shutdown"});
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE(
      "a restart keeps the mailbox but for the message that crashed; a waiting request is served") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up({}, servers(log, "a"));
      auto ref = co_await get(sup, "a");
      auto fails = ref.start_request<Fail>();
      ref.send<Note>("kept");
      auto waits = ref.start_request<Ping>();
      auto failed = co_await std::move(fails);
      CHECK(failed.error().kind() == sp::ActorError::Kind::handler_failed);
      auto notes = co_await std::move(waits);
      CHECK(notes.value() == Texts{"kept"});
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a supervisor that is killed takes its children with it") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up({}, servers(log, "ab"));
      auto a = co_await get(sup, "a");
      auto b = co_await get(sup, "b");
      sup.kill();
      auto end_a = co_await a.wait_exit();
      auto end_b = co_await b.wait_exit();
      CHECK(end_a.value() == Reason::Kind::killed);
      CHECK(end_b.value() == Reason::Kind::killed);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a signal to an incarnation that has ended does not end the next one") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up(with(RestartStrategy::one_for_one, 1000), servers(log, "a"));
      auto ref = co_await get(sup, "a");
      for (int i = 0; i < 100; ++i) {
        ref.exit(Reason::custom("one"));
        ref.exit(Reason::custom("two"));
        auto alive = co_await ref.request<Ping>();
        CHECK(alive.has_value());
      }
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("back-off: the first restart is immediate, those that follow wait longer and longer") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto specs = servers(log, "a");
      spawned::Backoff backoff;
      backoff.first = 100ms;
      backoff.most = 300ms;
      backoff.jitter = 0;
      specs[0].backoff(backoff);
      auto sup = co_await up(with(RestartStrategy::one_for_one, 100), std::move(specs));
      auto ref = co_await get(sup, "a");
      for (auto const pause : {0ms, 100ms, 200ms, 300ms, 300ms}) {
        (void)co_await ref.request<Fail>();
        auto const begin = sp::now();
        auto alive = co_await ref.request<Ping>();
        CHECK(alive.has_value());
        CHECK(sp::now() - begin >= pause);
        CHECK(sp::now() - begin < pause + 50ms);
      }
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
}
