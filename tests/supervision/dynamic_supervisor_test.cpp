#include <spawned/supervision/dynamic_supervisor.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/supervision/supervisor.hpp>
#include <spawned/tasks.hpp>

#include "support/actors.hpp"
#include "support/servers.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using spawned::child;
using spawned::child_template;
using spawned::ChildCounts;
using spawned::ChildRef;
using spawned::ChildSpec;
using spawned::ChildState;
using spawned::DynamicOptions;
using spawned::DynamicSupervisor;
using spawned::Restart;
using spawned::Shutdown;
using spawned::Supervisor;
using spawned::SupervisorError;
using Reason = sp::ExitReason;
using Kind = SupervisorError::Kind;
using test::boom;
using test::Crash;
using test::End;
using test::Fail;
using test::Log;
using test::LogPtr;
using test::Ping;
using test::Server;
using test::server;
using test::Slow;
using test::Texts;

namespace {

using Sup = sp::ActorRef<DynamicSupervisor>;

DynamicOptions with(int intensity, std::size_t max_children = 1'000'000) {
  DynamicOptions options;
  options.intensity = intensity;
  options.max_children = max_children;
  return options;
}

/// simple_one_for_one over servers that are named by the call.
spawned::ChildTemplate servers(LogPtr const& log) {
  return child_template<std::string>([log](std::string const& id) { return Server(id, log); });
}

sp::Task<ChildCounts> counts(Sup sup) {
  auto result = co_await sup.request<DynamicSupervisor::CountChildren>();
  co_return result.value();
}
sp::Task<spawned::Result<ChildRef, SupervisorError>> add(Sup sup, ChildSpec spec) {
  auto result = co_await sup.request<DynamicSupervisor::StartChild>(spec);
  co_return std::move(result.value());
}
sp::Task<sp::ActorRef<Server>> add_server(Sup sup, ChildSpec spec) {
  auto ref = co_await add(sup, std::move(spec));
  co_return ref.value().as<Server>().value();
}
sp::Task<sp::ActorRef<Server>> add_with(Sup sup, std::string id) {
  auto ref = co_await sup.request<DynamicSupervisor::StartWith>(id);
  co_return ref.value().value().as<Server>().value();
}
/// Crashes it and waits until its supervisor has dealt with that.
sp::Task<void> crash(Sup sup, sp::ActorRef<Server> ref) {
  (void)co_await ref.request<Fail>();
  (void)co_await counts(sup);
}

/// Its start fails as often as it is told to.
struct Attempts {
  int left = 0;
  int made = 0;
};

}  // namespace

TEST_SUITE("supervision/dynamic_supervisor") {
  TEST_CASE("DYN-01: a dynamic supervisor begins with nothing") {
    auto body = []() -> sp::Task<void> {
      auto sup = DynamicSupervisor().start();
      auto count = co_await counts(sup);
      CHECK(count == ChildCounts{});
      auto log = std::make_shared<Log>();
      (void)co_await add(sup, server("a", log));
      (void)co_await add(sup, server("a", log));  // ids need not be unique
      (void)co_await add(sup, child([] { return Supervisor({}, {}); }));
      count = co_await counts(sup);
      CHECK(count == ChildCounts{3, 3, 1, 2});
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("DYN-02: max_children refuses one more until one has gone") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = DynamicSupervisor(with(3, 1)).start();
      auto a = co_await add_server(sup, server("a", log));
      auto refused = co_await add(sup, server("b", log));
      CHECK(refused.error() == Kind::max_children);
      CHECK(log->events.take() == Texts{"start a"});
      auto done = co_await sup.request<DynamicSupervisor::TerminateChild>(a);
      CHECK(done.value().has_value());
      auto again = co_await add(sup, server("b", log));
      CHECK(again.has_value());
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("DYN-03: a child that was terminated is not found any more") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = DynamicSupervisor().start();
      auto a = co_await add_server(sup, server("a", log));
      auto first = co_await sup.request<DynamicSupervisor::TerminateChild>(a);
      CHECK(first.value().has_value());
      CHECK(log->events.take() == Texts{"start a", "term a shutdown"});
      auto second = co_await sup.request<DynamicSupervisor::TerminateChild>(a);
      CHECK(second.value().error() == Kind::not_found);
      auto info = co_await sup.request<DynamicSupervisor::GetChild>(a.id());
      CHECK(info.value().error() == Kind::not_found);
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("DYN-04: three restarts in five seconds are allowed unless told otherwise") {
    auto body = []() -> sp::Task<void> {
      CHECK(DynamicOptions().intensity == 3);
      CHECK(DynamicOptions().period == 5s);
      auto log = std::make_shared<Log>();
      auto sup = DynamicSupervisor().start();
      auto a = co_await add_server(sup, server("a", log));
      auto b = co_await add_server(sup, server("b", log));
      for (int i = 0; i < 3; ++i) co_await crash(sup, a);
      CHECK(sup.is_alive());
      (void)co_await b.request<Fail>();
      auto end = co_await sup.wait_exit();
      CHECK(end.value() == Reason::shutdown());
      CHECK_FALSE(a.is_alive());
      CHECK_THROWS_AS(DynamicSupervisor(with(-1)), sp::InvalidOptions);
      DynamicOptions no_period;
      no_period.period = 0s;
      CHECK_THROWS_AS((DynamicSupervisor(no_period)), sp::InvalidOptions);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("DYN-05: of a child that does not start, or has no actor, nothing is kept") {
    auto body = []() -> sp::Task<void> {
      auto sup = DynamicSupervisor().start();
      auto throws =
          co_await add(sup, child("a", []() -> Server { throw std::runtime_error("no"); }));
      CHECK(throws.error() == Kind::start_failed);
      CHECK(throws.error().reason().to_string() == "error: std::runtime_error: no");
      auto ignores =
          co_await add(sup, child([]() -> std::optional<Server> { return std::nullopt; }));
      CHECK_FALSE(ignores.value());
      auto count = co_await counts(sup);
      CHECK(count == ChildCounts{});
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("DYN-06: a spec that makes no sense is refused at the caller's") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto negative = server("a", log).shutdown(-1ms);
      CHECK_THROWS_AS(DynamicSupervisor::StartChild{negative}, sp::InvalidOptions);
      auto significant = server("a", log).restart(Restart::transient).significant();
      CHECK_THROWS_AS(DynamicSupervisor::StartChild{significant}, sp::InvalidOptions);
      auto sup = DynamicSupervisor().start();
      (void)co_await sup.stop_and_wait();
      CHECK_THROWS_AS((void)sup.start_request<DynamicSupervisor::StartChild>(negative),
                      sp::InvalidOptions);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("DYN-07: children that are killed, given time or waited for end together") {
    auto body = []() -> sp::Task<void> {
      auto sup = DynamicSupervisor().start();
      std::vector<ChildRef> refs;
      for (Shutdown const how : {Shutdown::infinity(), Shutdown::brutal_kill(), Shutdown(100ms),
                                 Shutdown(2s), Shutdown::infinity()}) {
        auto ref = co_await add(sup, child([] { return Slow(1s); }).shutdown(how));
        refs.push_back(ref.value());
      }
      auto const begin = sp::now();
      (void)co_await sup.stop_and_wait();
      CHECK(sp::now() - begin >= 1s);
      CHECK(sp::now() - begin < 1500ms);
      auto reason = [&refs](std::size_t i) { return refs[i].as<Slow>()->exit_reason(); };
      CHECK(reason(0) == Reason::shutdown());
      CHECK(reason(1) == Reason(Reason::Kind::killed));
      CHECK(reason(2) == Reason(Reason::Kind::killed));
      CHECK(reason(3) == Reason::shutdown());
      CHECK(reason(4) == Reason::shutdown());
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("children that are about to be restarted count against max_children") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto fail = std::make_shared<bool>(false);
      auto spec = child([log, fail] {
        if (*fail) throw std::runtime_error("not now");
        return Server("a", log);
      });
      spawned::Backoff pauses;
      pauses.first = 1s;
      pauses.jitter = 0;
      spec.backoff(pauses);
      auto sup = DynamicSupervisor(with(100, 1)).start();
      auto a = co_await add_server(sup, spec);
      *fail = true;
      (void)co_await a.request<Fail>();
      co_await sp::sleep(500ms);
      auto count = co_await counts(sup);
      CHECK(count == ChildCounts{1, 0, 0, 1});
      auto info = co_await sup.request<DynamicSupervisor::GetChild>(a.id());
      CHECK(info.value().value().state == ChildState::restarting);
      auto refused = co_await add(sup, server("b", log));
      CHECK(refused.error() == Kind::max_children);
      *fail = false;
      auto served = co_await a.request<Ping>();
      CHECK(served.has_value());
      count = co_await counts(sup);
      CHECK(count == ChildCounts{1, 1, 0, 1});
      *fail = true;
      (void)co_await a.request<Fail>();
      auto done = co_await sup.request<DynamicSupervisor::TerminateChild>(a);
      CHECK(done.value().has_value());  // while it is restarting
      count = co_await counts(sup);
      CHECK(count == ChildCounts{});
      CHECK_FALSE(a.is_alive());
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("SOFO-01: the specs of a supervisor with a template are one") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = DynamicSupervisor({}, servers(log)).start();
      auto count = co_await counts(sup);
      CHECK(count == ChildCounts{1, 0, 0, 0});
      (void)co_await add_with(sup, "a");
      (void)co_await add_with(sup, "b");
      count = co_await counts(sup);
      CHECK(count == ChildCounts{1, 2, 0, 2});
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SOFO-02: a restart has the arguments of the start") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = DynamicSupervisor({}, servers(log)).start();
      auto a = co_await add_with(sup, "a");
      auto b = co_await add_with(sup, "b");
      log->events.take();
      co_await crash(sup, b);
      CHECK(log->events.take() == Texts{"term b " + boom, "start b"});
      auto info = co_await sup.request<DynamicSupervisor::GetChild>(b.id());
      CHECK(info.value().value().restarts == 1);
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SOFO-03: terminate by ref; what is no child, or none any more, is not found") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = DynamicSupervisor({}, servers(log)).start();
      auto a = co_await add_with(sup, "a");
      auto done = co_await sup.request<DynamicSupervisor::TerminateChild>(a);
      CHECK(done.value().has_value());
      auto again = co_await sup.request<DynamicSupervisor::TerminateChild>(a);
      CHECK(again.value().error() == Kind::not_found);
      auto stranger = Server("stranger", log).start();
      auto refused = co_await sup.request<DynamicSupervisor::TerminateChild>(stranger);
      CHECK(refused.value().error() == Kind::not_found);
      CHECK(stranger.is_alive());
      (void)co_await stranger.stop_and_wait();
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SOFO-04: what does not start of a template is not kept") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto make = [log](int what) -> std::optional<Server> {
        if (what == 0) throw std::runtime_error("no");
        if (what == 1) return std::nullopt;
        return Server("a", log);
      };
      auto sup = DynamicSupervisor({}, child_template<int>(make)).start();
      auto failed = co_await sup.request<DynamicSupervisor::StartWith>(0);
      CHECK(failed.value().error() == Kind::start_failed);
      auto ignored = co_await sup.request<DynamicSupervisor::StartWith>(1);
      CHECK_FALSE(ignored.value().value());
      auto count = co_await counts(sup);
      CHECK(count == ChildCounts{1, 0, 0, 0});
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SOFO-05: five children that need 300 ms each are stopped at once") {
    auto body = []() -> sp::Task<void> {
      auto sup = DynamicSupervisor({}, child_template<>([] { return Slow(300ms); })).start();
      for (int i = 0; i < 5; ++i) (void)co_await sup.request<DynamicSupervisor::StartWith>();
      auto const begin = sp::now();
      (void)co_await sup.stop_and_wait();
      CHECK(sp::now() - begin >= 300ms);
      CHECK(sp::now() - begin < 1s);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SOFO-06: a temporary child that crashes is forgotten") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = DynamicSupervisor(with(0), servers(log).restart(Restart::temporary)).start();
      auto a = co_await add_with(sup, "a");
      co_await crash(sup, a);
      (void)co_await a.wait_exit();
      auto count = co_await counts(sup);
      CHECK(count == ChildCounts{1, 0, 0, 0});
      CHECK(sup.is_alive());
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SOFO-08: StartWith and StartChild are refused by the supervisor of the other kind") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto plain = DynamicSupervisor().start();
      auto with_text = co_await plain.request<DynamicSupervisor::StartWith>("a");
      CHECK(with_text.value().error() == Kind::invalid_spec);
      auto sup = DynamicSupervisor({}, servers(log)).start();
      auto spec = co_await add(sup, server("a", log));
      CHECK(spec.error() == Kind::invalid_spec);
      auto number = co_await sup.request<DynamicSupervisor::StartWith>(7);
      CHECK(number.value().error() == Kind::invalid_spec);
      CHECK(number.value().error().what().find("int") != std::string::npos);
      auto text = co_await sup.request<DynamicSupervisor::StartWith>("a");
      CHECK(text.value().has_value());
      CHECK_THROWS_AS(DynamicSupervisor({}, servers(log).shutdown(-1s)), sp::InvalidOptions);
      (void)co_await sup.stop_and_wait();
      (void)co_await plain.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SOFO-10: which_children tells of all, temporary ones too") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = DynamicSupervisor({}, servers(log).restart(Restart::temporary)).start();
      std::vector<spawned::ActorId> ids;
      for (int i = 0; i < 100; ++i) {
        auto ref = co_await add_with(sup, std::to_string(i));
        ids.push_back(ref.id());
      }
      auto all = co_await sup.request<DynamicSupervisor::WhichChildren>();
      std::vector<spawned::ActorId> told;
      for (auto const& info : all.value()) {
        told.push_back(info.ref.id());
        CHECK(info.state == ChildState::running);
        CHECK(info.restart == Restart::temporary);
      }
      std::sort(told.begin(), told.end());
      std::sort(ids.begin(), ids.end());
      CHECK(told == ids);
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a restart that gives no actor drops the child silently") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto starts = std::make_shared<int>(0);
      auto make = [log, starts]() -> std::optional<Server> {
        if (++*starts > 1) return std::nullopt;
        return Server("a", log);
      };
      auto sup = DynamicSupervisor({}, child_template<>(make)).start();
      auto started = co_await sup.request<DynamicSupervisor::StartWith>();
      auto a = started.value().value().as<Server>().value();
      co_await crash(sup, a);
      auto count = co_await counts(sup);
      CHECK(count == ChildCounts{1, 0, 0, 0});
      CHECK_FALSE(a.is_alive());
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a start that fails is tried again, and each attempt counts") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto attempts = std::make_shared<Attempts>();
      auto make = [log, attempts](std::string const& id, spawned::RestartInfo const& why) {
        ++attempts->made;
        if (why.count == 1 && attempts->left-- > 0) {
          throw std::runtime_error("not yet");
        }
        return Server(id, log);
      };
      auto sup = DynamicSupervisor(with(3), child_template<std::string>(make)).start();
      auto a = co_await add_with(sup, "a");
      attempts->left = 2;
      (void)co_await a.request<Fail>();
      auto alive = co_await a.request<Ping>();
      CHECK(alive.has_value());
      CHECK(attempts->made == 4);
      attempts->left = 100;
      auto const b = co_await add_with(sup, "b");
      (void)co_await b.request<Fail>();
      auto end = co_await sup.wait_exit();
      CHECK(end.value() == Reason::shutdown());
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a dynamic supervisor that is killed takes its children with it, one in its init too") {
    auto body = []() -> sp::Task<void> {
      struct Late : sp::Actor<Late> {
        explicit Late(LogPtr to) : log(std::move(to)) {}
        ~Late() {
          if (log) log->events.add("late gone");
        }
        Late(Late&&) noexcept = default;
        Late& operator=(Late&&) = delete;
        sp::Task<void> init() { co_await sp::sleep(10s); }
        void handle_message(Ping) {}
        LogPtr log;
      };
      auto log = std::make_shared<Log>();
      auto sup = DynamicSupervisor().start();
      auto a = co_await add_server(sup, server("a", log));
      auto late = child([log] { return Late(log); });
      auto waits = sup.start_request<DynamicSupervisor::StartChild>(late);
      co_await sp::sleep(1s);
      sup.kill();
      auto end = co_await a.wait_exit();
      CHECK(end.value() == Reason::Kind::killed);
      auto answer = co_await std::move(waits);
      CHECK_FALSE(answer.has_value());
      co_await sp::sleep(1s);
      CHECK(log->events.take().back() == "late gone");
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("any order of starts and ends leaves every child to be found by its ref") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = DynamicSupervisor({}, servers(log)).start();
      std::vector<sp::ActorRef<Server>> refs;
      std::size_t next = 1;
      for (int i = 0; i < 1000; ++i) {
        next = next * 7919 % 10007;
        if (refs.empty() || next % 5 < 3) {
          auto ref = co_await add_with(sup, "x");
          refs.push_back(std::move(ref));
        } else {
          std::swap(refs[next % refs.size()], refs.back());
          auto ref = refs.back();
          refs.pop_back();
          auto done = co_await sup.request<DynamicSupervisor::TerminateChild>(ref);
          CHECK(done.value().has_value());
        }
      }
      for (auto const& ref : refs) {
        auto info = co_await sup.request<DynamicSupervisor::GetChild>(ref.id());
        CHECK(info.value().value().ref.id() == ref.id());
      }
      auto count = co_await counts(sup);
      CHECK(count.active == refs.size());
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
}
