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
using spawned::ChildState;
using spawned::ChildType;
using spawned::Restart;
using spawned::RestartStrategy;
using spawned::Shutdown;
using spawned::Supervisor;
using spawned::SupervisorError;
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
using test::servers;
using test::stat;
using test::Sup;
using test::Texts;
using test::up;
using test::with;

namespace {

struct Go {};
struct Link {
  Sup to;
};

/// Starts a supervisor of its own, linked, and ends with a reason.
class Boss : public sp::Actor<Boss> {
 public:
  Boss(LogPtr log, std::shared_ptr<std::optional<Sup>> sup)
      : log_(std::move(log)), sup_(std::move(sup)) {}
  sp::Task<void> handle_request(Go, sp::Context<Boss>& context) {
    auto specs = servers(log_, "abc");
    spawned::SupervisorOptions const options;
    auto started = co_await context.start_linked<Supervisor>(options, std::move(specs));
    *sup_ = started.value();
  }
  void handle_message(End const& end, sp::Context<Boss>& context) { context.stop(end.reason); }

 private:
  LogPtr log_;
  std::shared_ptr<std::optional<Sup>> sup_;
};

class Linker : public sp::Actor<Linker> {
 public:
  void handle_request(Link const& link, sp::Context<Linker>& context) {
    (void)context.link(link.to);
  }
  void handle_message(Crash) { throw std::runtime_error("boom"); }
};

/// Never listens to anybody.
class Deaf : public sp::Actor<Deaf> {
 public:
  sp::Task<void> handle_message(Go, sp::Context<Deaf>& context) {
    (void)context.trap_exit(true);
    for (;;) co_await sp::sleep(1h);
  }
  void handle_message(spawned::Exit const&) {}
};

/// Comes up after some time, if at all.
class Late : public sp::Actor<Late> {
 public:
  Late(std::chrono::milliseconds time, std::shared_ptr<bool> fails)
      : time_(time), fails_(std::move(fails)) {}
  sp::Task<sp::InitResult> init() {
    if (*fails_) co_return sp::InitResult::error(Reason::custom("not today"));
    co_await sp::sleep(time_);
    co_return sp::InitResult::success();
  }
  void handle_request(Ping) {}
  void handle_request(Fail) { throw std::runtime_error("boom"); }

 private:
  std::chrono::milliseconds time_;
  std::shared_ptr<bool> fails_;
};

spawned::Backoff pauses(std::chrono::nanoseconds first) {
  spawned::Backoff backoff;
  backoff.first = backoff.most = first;
  backoff.jitter = 0;
  return backoff;
}

/// Crashes it twice, so that it waits in its back-off.
sp::Task<sp::ActorRef<Server>> in_backoff(Sup sup, std::string id) {
  co_await crash(sup, id);
  auto ref = co_await get(sup, id);
  (void)co_await ref.request<Fail>();
  for (;;) {
    auto info = co_await sup.request<Supervisor::GetChild>(id);
    if (info.value().value().state == ChildState::restarting) break;
    co_await sp::sleep(1ms);
  }
  co_return ref;
}

}  // namespace

TEST_SUITE("supervision/supervisor_calls") {
  TEST_CASE("SUP-23: when its parent ends the supervisor stops its children and ends like it") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto place = std::make_shared<std::optional<Sup>>();
      auto boss = Boss(log, place).start();
      (void)co_await boss.request<Go>();
      Sup const sup = **place;
      log->events.take();
      boss.send<End>(Reason::custom("boss_gone"));
      auto end = co_await sup.wait_exit();
      CHECK(end.value() == Reason::custom("boss_gone"));
      CHECK(log->events.take() == Texts{"term c shutdown", "term b shutdown", "term a shutdown"});
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-24: the end of one that is linked, and neither parent nor child, is ignored") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up(with(RestartStrategy::one_for_one, 0), servers(log, "a"));
      auto other = Linker().start();
      (void)co_await other.request<Link>(sup);
      other.send<Crash>();
      (void)co_await other.wait_exit();
      auto now = co_await stat(sup);
      CHECK(now == "a+");
      CHECK(log->events.take() == Texts{"start a"});
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-27: which_children tells of the oldest first") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up({}, servers(log, "abc"));
      auto now = co_await stat(sup);
      CHECK(now == "a+b+c+");
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-28: count_children tells specs, the active, supervisors and workers apart") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto specs = servers(log, "ab");
      specs.push_back(child("sub", [] { return Supervisor({}, {}); }));
      auto sup = co_await up({}, std::move(specs));
      (void)co_await sup.request<Supervisor::TerminateChild>("a");
      auto count = co_await counts(sup);
      CHECK(count == ChildCounts{3, 2, 1, 2});
      (void)co_await sup.request<Supervisor::RestartChild>("a");
      count = co_await counts(sup);
      CHECK(count == ChildCounts{3, 3, 1, 2});
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-31: a spec is permanent and a worker with 5 s to stop unless told otherwise") {
    auto const log = std::make_shared<Log>();
    ChildSpec const worker = child("a", [log] { return Server("a", log); });
    CHECK(worker.restart() == Restart::permanent);
    CHECK(worker.type() == ChildType::worker);
    CHECK(worker.shutdown().limit_ns() == 5'000'000'000);
    CHECK_FALSE(worker.is_significant());
    ChildSpec const sub = child("sub", [] { return Supervisor({}, {}); });
    CHECK(sub.type() == ChildType::supervisor);
    CHECK(sub.shutdown().limit_ns() == Shutdown::infinity().limit_ns());
    ChildSpec const dynamic = child("dynamic", [] { return spawned::DynamicSupervisor(); });
    CHECK(dynamic.type() == ChildType::supervisor);
  }
  TEST_CASE("SUP-32: the spec of a child that does not start is dropped") {
    auto body = []() -> sp::Task<void> {
      auto sup = co_await up({}, {});
      auto const fails = std::make_shared<bool>(true);
      auto throws = child("a", []() -> Server { throw std::runtime_error("bad"); });
      auto first = co_await sup.request<Supervisor::StartChild>(throws);
      CHECK(first.value().error() == Kind::start_failed);
      CHECK(first.value().error().reason().to_string() == "error: std::runtime_error: bad");
      auto refuses = child("a", [fails] { return Late(1ms, fails); });
      auto second = co_await sup.request<Supervisor::StartChild>(refuses);
      CHECK(second.value().error().reason() == Reason::custom("not today"));
      auto count = co_await counts(sup);
      CHECK(count == ChildCounts{});
      auto restart = co_await sup.request<Supervisor::RestartChild>("a");
      CHECK(restart.value().error() == Kind::not_found);
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-33: what is asked while a child starts waits for that") {
    auto body = []() -> sp::Task<void> {
      auto sup = co_await up({}, {});
      auto const fails = std::make_shared<bool>(false);
      auto spec = child("a", [fails] { return Late(300ms, fails); });
      auto const begin = sp::now();
      auto starts = sup.start_request<Supervisor::StartChild>(spec);
      auto count = co_await counts(sup);
      CHECK(count.active == 1);
      CHECK(sp::now() - begin >= 200ms);
      auto started = co_await std::move(starts);
      CHECK(started.value().has_value());
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-34: a child that traps exits and does not listen is killed in time") {
    auto body = []() -> sp::Task<void> {
      std::vector<ChildSpec> specs;
      specs.push_back(child("a", [] { return Deaf(); }).shutdown(100ms));
      auto sup = co_await up({}, std::move(specs));
      auto info = co_await sup.request<Supervisor::GetChild>("a");
      auto ref = info.value().value().ref.as<Deaf>().value();
      ref.send<Go>();
      co_await sp::sleep(1ms);
      auto const begin = sp::now();
      auto done = co_await sup.request<Supervisor::TerminateChild>("a");
      CHECK(done.value().has_value());
      CHECK(sp::now() - begin < 1s);
      CHECK(ref.exit_reason() == Reason(Reason::Kind::killed));
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-38: a supervisor that gives up or is killed is restarted with its children") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      std::vector<ChildSpec> specs;
      specs.push_back(child("sub", [log] {
        return Supervisor(with(RestartStrategy::one_for_one, 0), servers(log, "ab"));
      }));
      auto sup = co_await up(with(RestartStrategy::one_for_one, 2), std::move(specs));
      auto info = co_await sup.request<Supervisor::GetChild>("sub");
      auto sub = info.value().value().ref.as<Supervisor>().value();
      log->events.take();
      auto a = co_await get(sub, "a");
      (void)co_await a.request<Fail>();
      (void)co_await a.wait_exit();
      auto now = co_await stat(sub);  // waits through its restart
      CHECK(now == "a+b+");
      CHECK(log->events.take() == Texts{"term a " + boom, "term b shutdown", "start a", "start b"});
      auto b = co_await get(sub, "b");
      sub.kill();
      (void)co_await b.wait_exit();
      CHECK(b.exit_reason() == Reason(Reason::Kind::killed));
      now = co_await stat(sub);
      CHECK(now == "a+b+");
      CHECK(sup.is_alive());
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-40: calls on a child that tries to restart; terminate ends its attempts") {
    auto body = []() -> sp::Task<void> {
      auto fails = std::make_shared<bool>(false);
      std::vector<ChildSpec> specs;
      specs.push_back(child("a", [fails] { return Late(0ms, fails); }).backoff(pauses(5ms)));
      auto sup = co_await up(with(RestartStrategy::one_for_one, 1'000'000), std::move(specs));
      auto info = co_await sup.request<Supervisor::GetChild>("a");
      auto ref = info.value().value().ref.as<Late>().value();
      *fails = true;
      (void)co_await ref.request<Fail>();
      co_await sp::sleep(20ms);
      auto restart = co_await sup.request<Supervisor::RestartChild>("a");
      CHECK(restart.value().error() == Kind::restarting);
      auto gone = co_await sup.request<Supervisor::DeleteChild>("a");
      CHECK(gone.value().error() == Kind::restarting);
      auto now = co_await stat(sup);
      CHECK(now == "a~");
      auto count = co_await counts(sup);
      CHECK(count == ChildCounts{1, 0, 0, 1});
      auto done = co_await sup.request<Supervisor::TerminateChild>("a");
      CHECK(done.value().has_value());
      *fails = false;
      co_await sp::sleep(1min);
      now = co_await stat(sup);
      CHECK(now == "a-");
      CHECK_FALSE(ref.is_alive());
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-42: a supervisor that has ended answers no_such_actor") {
    auto body = []() -> sp::Task<void> {
      auto sup = co_await up({}, {});
      (void)co_await sup.stop_and_wait();
      auto count = co_await sup.request<Supervisor::CountChildren>();
      CHECK(count.error().kind() == sp::ActorError::Kind::no_such_actor);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-44: a child that crashes runs its teardown with the error, then restarts") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up({}, servers(log, "a"));
      auto ref = co_await get(sup, "a");
      ref.send<Crash>();
      co_await seen(log, 3);
      CHECK(log->events.take() == Texts{"start a", "term a " + boom, "start a"});
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-46: a constructor that throws is a start failure like any other") {
    auto body = []() -> sp::Task<void> {
      struct Throws : sp::Actor<Throws> {
        Throws() { throw std::runtime_error("oops"); }
        void handle_message(Ping) {}
      };
      std::vector<ChildSpec> specs;
      specs.push_back(child("a", [] { return Throws(); }));
      auto started = co_await Supervisor({}, std::move(specs)).start_and_wait();
      CHECK(started.error().reason().text() ==
            "failed to start child a: error: std::runtime_error: oops");
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-47, SUP-52: a child that is killed keeps its ref, its id and its mail") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto sup = co_await up({}, servers(log, "a"));
      auto ref = co_await get(sup, "a");
      ref.kill();
      ref.send<Note>("kept");
      auto notes = co_await ref.request<Ping>();
      CHECK(notes.value() == Texts{"kept"});
      auto again = co_await get(sup, "a");
      CHECK(again.id() == ref.id());
      CHECK(log->events.take() == Texts{"start a", "start a"});
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("SUP-54: killed is abnormal: a transient child is restarted each time") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto specs = servers(log, "a");
      specs[0].restart(Restart::transient);
      auto sup = co_await up(with(RestartStrategy::one_for_one, 9), std::move(specs));
      auto ref = co_await get(sup, "a");
      for (int i = 0; i < 3; ++i) {
        ref.kill();
        auto alive = co_await ref.request<Ping>();
        CHECK(alive.has_value());
      }
      auto info = co_await sup.request<Supervisor::GetChild>("a");
      CHECK(info.value().value().restarts == 3);
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("a child that waits in its back-off: a signal finds nobody, and it comes back") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto specs = servers(log, "a");
      specs[0].backoff(pauses(1s));
      auto sup = co_await up(with(RestartStrategy::one_for_one, 9), std::move(specs));
      auto ref = co_await in_backoff(sup, "a");
      ref.kill();
      ref.exit(Reason::custom("too"));
      auto alive = co_await ref.request<Ping>();
      CHECK(alive.has_value());
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a child that is terminated in its back-off ends, and what waits for it is told") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto specs = servers(log, "a");
      specs[0].backoff(pauses(1s));
      auto sup = co_await up(with(RestartStrategy::one_for_one, 9), std::move(specs));
      auto ref = co_await in_backoff(sup, "a");
      auto waits = ref.start_request<Ping>();
      (void)co_await sup.request<Supervisor::TerminateChild>("a");
      auto answer = co_await std::move(waits);
      CHECK(answer.error().kind() == sp::ActorError::Kind::stopped);
      CHECK_FALSE(ref.is_alive());
      auto started = co_await sup.request<Supervisor::RestartChild>("a");
      CHECK(started.value().has_value());
      CHECK(started.value().value().id() != ref.id());
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a child that ends as soon as it is up has started, and is restarted") {
    auto body = []() -> sp::Task<void> {
      struct Brief : sp::Actor<Brief> {
        explicit Brief(std::shared_ptr<int> to) : starts(std::move(to)) {}
        void init(sp::Context<Brief>& context) {
          if (++*starts < 4) context.continue_with<Crash>();
        }
        void handle_message(Crash) { throw std::runtime_error("boom"); }
        void handle_request(Ping) {}
        std::shared_ptr<int> starts;
      };
      auto starts = std::make_shared<int>(0);
      std::vector<ChildSpec> specs;
      specs.push_back(child("a", [starts] { return Brief(starts); }));
      auto sup = co_await up(with(RestartStrategy::one_for_one, 3), std::move(specs));
      auto info = co_await sup.request<Supervisor::GetChild>("a");
      auto ref = info.value().value().ref.as<Brief>().value();
      auto alive = co_await ref.request<Ping>();
      CHECK(alive.has_value());
      info = co_await sup.request<Supervisor::GetChild>("a");
      CHECK(info.value().value().restarts == 3);
      (void)co_await sup.stop_and_wait();
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a supervisor that is killed while it restarts a child leaves nothing behind") {
    auto body = []() -> sp::Task<void> {
      auto fails = std::make_shared<bool>(false);
      std::vector<ChildSpec> specs;
      specs.push_back(child("a", [fails] { return Late(3s, fails); }));
      auto sup = co_await up({}, std::move(specs));
      auto info = co_await sup.request<Supervisor::GetChild>("a");
      auto ref = info.value().value().ref.as<Late>().value();
      (void)co_await ref.request<Fail>();
      co_await sp::sleep(1s);
      sup.kill();
      auto end = co_await ref.wait_exit();
      CHECK(end.value() == Reason(Reason::Kind::killed));
      auto const begin = sp::now();
      (void)co_await sup.wait_exit();
      CHECK(sp::now() - begin < 1s);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a supervisor that is killed takes a child in its back-off with it") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto specs = servers(log, "a");
      specs[0].backoff(pauses(1h));
      auto sup = co_await up(with(RestartStrategy::one_for_one, 9), std::move(specs));
      auto ref = co_await in_backoff(sup, "a");
      sup.kill();
      (void)co_await ref.wait_exit();
      CHECK_FALSE(ref.is_alive());
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a runtime ends while children wait in their back-off") {
    auto log = std::make_shared<Log>();
    std::optional<sp::ActorRef<Server>> ref;
    auto body = [](LogPtr to, std::optional<sp::ActorRef<Server>>* out) -> sp::Task<void> {
      auto specs = servers(to, "a");
      specs[0].backoff(pauses(1h));
      auto sup = co_await up(with(RestartStrategy::one_for_one, 9), std::move(specs));
      auto found = co_await in_backoff(sup, "a");
      *out = std::move(found);
    };
    sp::run(body(log, &ref), test::virtual_time());
    CHECK_FALSE(ref->is_alive());
  }
  TEST_CASE("a tree is stopped by the end of its runtime") {
    auto log = std::make_shared<Log>();
    auto body = [](LogPtr to) -> sp::Task<void> {
      auto specs = servers(to, "a");
      specs.push_back(child("sub", [to] { return Supervisor({}, servers(to, "bc")); }));
      (void)co_await up({}, std::move(specs));
      to->events.take();
    };
    sp::run(body(log), test::virtual_time());
    auto events = log->events.take();
    CHECK(events.size() == 3);
  }

  TEST_CASE("a child that owns a thread, and one whose handlers may block, are restarted too") {
    struct OnThread : spawned::threads::Actor<OnThread> {
      void init() { ++count; }
      int handle_request(Ping) { return count; }
      void handle_request(Fail) { throw std::runtime_error("boom"); }
      int count = 0;
    };
    struct Blocks : sp::Actor<Blocks> {
      static sp::ActorOptions actor_options() {
        sp::ActorOptions options;
        options.backend = sp::Backend::Blocking;
        return options;
      }
      void init() { ++count; }
      int handle_request(Ping) { return count; }
      void handle_request(Fail) { throw std::runtime_error("boom"); }
      int count = 0;
    };
    auto body = []() -> sp::Task<void> {
      std::vector<ChildSpec> specs;
      specs.push_back(child("thread", [] { return OnThread(); }));
      specs.push_back(child("blocks", [] { return Blocks(); }));
      auto sup = co_await up(with(RestartStrategy::one_for_all, 9), std::move(specs));
      auto info = co_await sup.request<Supervisor::GetChild>("thread");
      auto thread = info.value().value().ref.as<OnThread>().value();
      info = co_await sup.request<Supervisor::GetChild>("blocks");
      auto blocks = info.value().value().ref.as<Blocks>().value();
      for (int i = 0; i < 3; ++i) {
        (void)co_await thread.request<Fail>();
        auto one = co_await thread.request<Ping>();
        CHECK(one.value() == 1);
        (void)co_await blocks.request<Fail>();
        auto other = co_await blocks.request<Ping>();
        CHECK(other.value() == 1);
      }
      (void)co_await sup.stop_and_wait();
      CHECK_FALSE(blocks.is_alive());
    };
    sp::run(body());
  }
}
