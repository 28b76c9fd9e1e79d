#include <spawned/registry/groups.hpp>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>
#include <spawned/threads.hpp>

#include "registry/group_actors.hpp"
#include "support/actors.hpp"

namespace sp = spawned::tasks;
namespace groups = spawned::groups;
using groups::Group;
using groups::Scope;
using test::Crash;
using test::Heard;
using test::Strings;
using test::Sum;
using test::Tick;
using test::Watcher;
using test::Worker;
using Kind = groups::GroupError::Kind;
using Workers = std::vector<sp::ActorRef<Worker>>;

namespace {

Group<Worker> const workers("workers");

sp::Task<Strings> heard(sp::ActorRef<Watcher> watcher) {
  auto reply = co_await watcher.request<Heard>();
  co_return std::move(reply).value();
}
sp::Task<std::uint64_t> sum(sp::ActorRef<Worker> worker) {
  auto reply = co_await worker.request<Sum>();
  co_return reply.value();
}
sp::Task<void> kill(sp::ActorRef<Worker> worker) {
  worker.kill();
  (void)co_await worker.wait_exit();
}

sp::RuntimeOptions options() { return test::virtual_time(); }

/// Takes nothing while it waits at a gate, and has room for two.
class Slow : public sp::Actor<Slow> {
 public:
  struct Wait {
    test::Gate until;
  };
  static sp::ActorOptions actor_options() {
    return {.mailbox_capacity = 2, .overflow = sp::Overflow::reject};
  }
  sp::Task<void> handle_request(Wait wait) { co_await wait.until.opened(); }
  void handle_message(Tick) {}
};

/// Joins a group in its init.
class Joins : public sp::Actor<Joins> {
 public:
  struct Found {};
  sp::InitResult init(sp::Context<Joins>& context) {
    groups::join(Group<Joins>("joins"), context.self()).value();
    return sp::InitResult::success();
  }
  std::size_t handle_request(Found) { return groups::members(Group<Joins>("joins")).size(); }
};

struct TwoMonitors {
  Scope scope;
  sp::ActorRef<Worker> worker;
};

/// Monitors, and takes the monitor back while events wait in its mailbox.
class Fickle : public sp::Actor<Fickle> {
 public:
  int handle_request(TwoMonitors const& two, sp::Context<Fickle>& context) {
    auto monitored = two.scope.monitor(workers, context.self());
    two.scope.join(workers, two.worker).value();
    (void)two.scope.leave(workers, two.worker).value();
    return Scope::demonitor(monitored.value().monitor) ? 1 : 0;
  }
  void handle_message(groups::GroupEvent const&) { ++events_; }
  int handle_request(Heard) { return events_; }

 private:
  int events_ = 0;
};

class BlockingWorker : public spawned::threads::Actor<BlockingWorker> {
 public:
  void handle_message(Tick tick) { sum_ += tick.value; }
  std::uint64_t handle_request(Sum) { return sum_; }

 private:
  std::uint64_t sum_ = 0;
};

}  // namespace

TEST_SUITE("registry/groups") {
  TEST_CASE(
      "PG-01: an actor is a member as often as it joined; who leaves what it has not joined is "
      "told") {
    sp::run(
        []() -> sp::Task<void> {
          Scope const scope;
          auto const p = Worker{}.start();
          scope.join(workers, p).value();
          scope.join(workers, Workers{p, p}).value();
          CHECK(scope.members(workers).size() == 3);
          CHECK(test::group_error(scope.leave(Group<Worker>("unknown"), p)) == Kind::not_joined);
          CHECK(scope.leave(workers, Workers{p, p}).value() == 2);
          CHECK(scope.members(workers) == Workers{p});
          CHECK(scope.which_groups() == Strings{"workers"});
          CHECK(scope.leave(workers, p).value() == 1);
          CHECK(scope.members(workers).empty());
          CHECK(scope.which_groups().empty());
          CHECK(test::group_error(scope.leave(workers, p)) == Kind::not_joined);
          co_return;
        }(),
        options());
  }

  TEST_CASE("PG-02: a member that ends has left when its end is known") {
    test::LogCapture const log;
    sp::run(
        []() -> sp::Task<void> {
          Scope const scope;
          Group<Worker> const others("others");
          auto const p = Worker{}.start();
          auto const q = Worker{}.start();
          scope.join(workers, p).value();
          scope.join(others, p).value();
          scope.join(workers, q).value();
          co_await kill(p);
          CHECK(scope.members(workers) == Workers{q});
          CHECK(scope.which_groups() == Strings{"workers"});
          q.send<Crash>();
          (void)co_await q.wait_exit();
          CHECK(scope.which_groups().empty());
        }(),
        options());
  }

  TEST_CASE("PG-03: who monitors a group is told of joins and leaves until it does no more") {
    sp::run(
        []() -> sp::Task<void> {
          Scope const scope;
          auto const p = Worker{}.start();
          auto const watcher = Watcher{}.start();
          auto const monitored = scope.monitor(workers, watcher).value();
          CHECK(monitored.members.empty());
          scope.join(workers, p).value();
          scope.join(workers, Workers{p, p}).value();
          (void)scope.leave(workers, p).value();
          auto events = co_await heard(watcher);
          CHECK(events == Strings{"joined workers 1", "joined workers 2", "left workers 1"});
          CHECK(Scope::demonitor(monitored.monitor));
          CHECK_FALSE(Scope::demonitor(monitored.monitor));
          scope.join(workers, p).value();
          events = co_await heard(watcher);
          CHECK(events.empty());
        }(),
        options());
  }

  TEST_CASE("PG-04: who monitors a scope is told of all groups, also of a member's end") {
    sp::run(
        []() -> sp::Task<void> {
          Scope const scope;
          Group<Worker> const a("a");
          Group<sp::Recipient<Tick>> const b("b");
          auto const p = Worker{}.start();
          scope.join(workers, Workers{p, p}).value();
          scope.join(a, p).value();
          auto const watcher = Watcher{}.start();
          auto const monitored = scope.monitor_scope(watcher).value();
          REQUIRE(monitored.groups.size() == 2);
          CHECK(monitored.groups[0].is(a));
          CHECK(monitored.groups[0].of(a) == Workers{p});
          CHECK(monitored.groups[0].of(workers).empty());
          CHECK(monitored.groups[1].of(workers) == Workers{p, p});
          scope.join(b, p).value();
          (void)scope.leave(a, p).value();
          auto events = co_await heard(watcher);
          CHECK(events == Strings{"joined b 1", "left a 1"});
          co_await kill(p);
          events = co_await heard(watcher);
          CHECK(events == Strings{"left b 1", "left workers 1", "left workers 1"});
          CHECK(Scope::demonitor(monitored.monitor));
          scope.join(a, Worker{}.start()).value();
          events = co_await heard(watcher);
          CHECK(events.empty());
        }(),
        options());
  }

  TEST_CASE("PG-05: a group that nobody has joined has no members") {
    Scope const scope;
    CHECK(scope.members(workers).empty());
    CHECK(scope.broadcast<Tick>(workers, 1U).members == 0);
    CHECK(scope.which_groups().empty());
  }

  TEST_CASE("PG-06: two scopes know nothing of each other") {
    sp::run(
        []() -> sp::Task<void> {
          Scope const one;
          Scope const other;
          auto const p = Worker{}.start();
          one.join(workers, p).value();
          CHECK(other.members(workers).empty());
          CHECK(groups::members(workers).empty());
          CHECK(test::group_error(other.leave(workers, p)) == Kind::not_joined);
          other.join(workers, Workers{p, p}).value();
          CHECK(one.members(workers).size() == 1);
          CHECK(one != other);
          co_return;
        }(),
        options());
  }

  TEST_CASE("PG-07: a scope that is none answers no_scope") {
    std::optional<sp::ActorRef<Worker>> late;
    sp::run(
        [](std::optional<sp::ActorRef<Worker>>& ref) -> sp::Task<void> {
          Scope const scope;
          Scope const copy = scope;
          auto const p = Worker{}.start();
          auto const watcher = Watcher{}.start();
          scope.join(workers, Workers{p, p}).value();
          auto const monitored = scope.monitor(workers, watcher).value();
          copy.close();
          CHECK(test::group_error(scope.join(workers, p)) == Kind::no_scope);
          CHECK(test::group_error(scope.leave(workers, p)) == Kind::no_scope);
          CHECK(test::group_error(scope.monitor(workers, watcher)) == Kind::no_scope);
          CHECK(test::group_error(scope.monitor_scope(watcher)) == Kind::no_scope);
          CHECK(scope.members(workers).empty());
          CHECK_FALSE(Scope::demonitor(monitored.monitor));
          ref = p;
          co_return;
        }(late),
        options());
    // No runtime here.
    CHECK(test::group_error(groups::join(workers, late.value())) == Kind::no_scope);
    CHECK(groups::members(workers).empty());
  }

  TEST_CASE("PG-08: a member that joined twice and dies has left twice") {
    sp::run(
        []() -> sp::Task<void> {
          Scope const scope;
          auto const p = Worker{}.start();
          scope.join(workers, p).value();
          scope.join(workers, p).value();
          auto const watcher = Watcher{}.start();
          auto const monitored = scope.monitor(workers, watcher).value();
          CHECK(monitored.members == Workers{p, p});
          co_await kill(p);
          auto const events = co_await heard(watcher);
          CHECK(events == Strings{"left workers 1", "left workers 1"});
          auto const ids = co_await watcher.request<Watcher::Ids>();
          CHECK(ids.value() == std::vector{p.id(), p.id()});
        }(),
        options());
  }

  TEST_CASE("members are in the order in which they joined, whoever has left") {
    sp::run(
        []() -> sp::Task<void> {
          Scope const scope;
          Workers expected;
          for (int i = 0; i < 100; ++i) {
            auto const worker = Worker{}.start();
            scope.join(workers, worker).value();
            if (i % 3 != 1) expected.push_back(worker);
          }
          auto const all = scope.members(workers);
          for (std::size_t i = 1; i < all.size(); i += 3)
            (void)scope.leave(workers, all[i]).value();
          CHECK(scope.members(workers) == expected);
          for (std::size_t i = 0; i + 1 < expected.size(); ++i) co_await kill(expected[i]);
          CHECK(scope.members(workers) == Workers{expected.back()});
        }(),
        options());
  }

  TEST_CASE("leave takes back the last join") {
    sp::run(
        []() -> sp::Task<void> {
          Scope const scope;
          auto const p = Worker{}.start();
          auto const q = Worker{}.start();
          scope.join(workers, Workers{p, q, p}).value();
          (void)scope.leave(workers, p).value();
          CHECK(scope.members(workers) == Workers{p, q});
          co_return;
        }(),
        options());
  }

  TEST_CASE("a broadcast reaches each member as often as it has joined") {
    sp::run(
        []() -> sp::Task<void> {
          Scope const scope;
          auto const p = Worker{}.start();
          auto const q = Worker{}.start();
          scope.join(workers, Workers{p, q, p}).value();
          auto const sent = scope.broadcast<Tick>(workers, 5U);
          CHECK(sent.members == 3);
          CHECK(sent.accepted == 3);
          auto seen = co_await sum(p);
          CHECK(seen == 10);
          seen = co_await sum(q);
          CHECK(seen == 5);
        }(),
        options());
  }

  TEST_CASE("a group of a Recipient or a Protocol has actors of several types") {
    sp::run(
        []() -> sp::Task<void> {
          Scope const scope;
          Group<sp::Protocol<Tick, std::uint64_t(Sum)>> const adders("adders");
          Group<sp::Recipient<Tick>> const tickers("tickers");
          auto const worker = Worker{}.start();
          auto const blocking = BlockingWorker{}.start();
          scope.join(adders, worker).value();
          scope.join(adders, blocking).value();
          scope.join(tickers, scope.members(adders).front()).value();
          CHECK(scope.broadcast<Tick>(adders, 2U).accepted == 2);
          CHECK(scope.broadcast<Tick>(tickers, 1U).accepted == 1);
          std::vector<std::uint64_t> sums;
          auto const members = scope.members(adders);
          for (auto const& member : members) {
            auto const reply = co_await member.request<Sum>();
            sums.push_back(reply.value());
          }
          CHECK(sums == std::vector<std::uint64_t>{3, 2});
        }(),
        options());
  }

  TEST_CASE("a group of another type is a typed error, and can be of that type once it is empty") {
    sp::run(
        []() -> sp::Task<void> {
          Scope const scope;
          Group<sp::Recipient<Tick>> const mistaken("workers");
          auto const p = Worker{}.start();
          scope.join(workers, p).value();
          auto const joined = scope.join(mistaken, p);
          CHECK(test::group_error(joined) == Kind::another_type);
          CHECK(joined.error().what().find("Worker") != std::string::npos);
          CHECK(joined.error().asked_for().find("Tick") != std::string::npos);
          CHECK(test::group_error(scope.leave(mistaken, p)) == Kind::another_type);
          CHECK_THROWS_AS((void)scope.members(mistaken), groups::GroupFailure);
          CHECK_THROWS_AS((void)scope.broadcast<Tick>(mistaken, 1U), groups::GroupFailure);
          auto const watcher = Watcher{}.start();
          CHECK(test::group_error(scope.monitor(mistaken, watcher)) == Kind::another_type);
          CHECK(scope.members(workers) == Workers{p});
          (void)scope.leave(workers, p).value();
          scope.join(mistaken, p).value();
          CHECK(scope.members(mistaken).size() == 1);
          co_return;
        }(),
        options());
  }

  TEST_CASE("who has ended cannot join, nor can others together with it, nor can it monitor") {
    sp::run(
        []() -> sp::Task<void> {
          Scope const scope;
          auto const p = Worker{}.start();
          auto const q = Worker{}.start();
          auto const dead_watcher = Watcher{}.start();
          co_await kill(q);
          dead_watcher.kill();
          (void)co_await dead_watcher.wait_exit();
          auto const watcher = Watcher{}.start();
          auto const monitored = scope.monitor_scope(watcher).value();
          CHECK(test::group_error(scope.join(workers, q)) == Kind::no_such_actor);
          CHECK(test::group_error(scope.join(workers, Workers{p, q})) == Kind::no_such_actor);
          CHECK(test::group_error(scope.monitor(workers, dead_watcher)) == Kind::no_such_actor);
          CHECK(test::group_error(scope.monitor_scope(dead_watcher)) == Kind::no_such_actor);
          CHECK(scope.members(workers).empty());
          CHECK(scope.which_groups().empty());
          auto const events = co_await heard(watcher);
          CHECK(events.empty());
        }(),
        options());
  }

  TEST_CASE("a bounded member without room is counted, and waits for nobody") {
    sp::run(
        []() -> sp::Task<void> {
          Scope const scope;
          Group<Slow> const slows("slows");
          test::Gate const gate;
          auto const slow = Slow{}.start();
          scope.join(slows, slow).value();
          auto waits = slow.start_request<Slow::Wait>(gate);
          co_await sp::sleep(std::chrono::milliseconds(1));
          CHECK(scope.broadcast<Tick>(slows, 1U).accepted == 1);
          CHECK(scope.broadcast<Tick>(slows, 1U).accepted == 1);
          auto const third = scope.broadcast<Tick>(slows, 1U);
          CHECK(third.members == 1);
          CHECK(third.accepted == 0);
          gate.open();
          (void)co_await waits;
        }(),
        options());
  }

  TEST_CASE("each runtime has a scope of its own, which its actors use") {
    sp::Runtime runtime(options());
    sp::Runtime other(options());
    auto const joins = Joins{}.start_on(runtime);
    auto const found = joins.request_blocking<Joins::Found>();
    CHECK(found.value() == 1);
    Group<Joins> const group("joins");
    CHECK(Scope::of(runtime).members(group).size() == 1);
    CHECK(Scope::of(other).members(group).empty());
    CHECK(Scope::of(runtime) == Scope::of(runtime));
  }

  TEST_CASE("a scope outlives its runtime, without members") {
    std::optional<sp::Runtime> runtime(std::in_place, options());
    auto const joins = Joins{}.start_on(*runtime);
    (void)joins.request_blocking<Joins::Found>().value();
    Scope const scope = Scope::of(*runtime);
    runtime.reset();
    CHECK(scope.members(Group<Joins>("joins")).empty());
    CHECK(test::group_error(scope.join(Group<Joins>("joins"), joins)) == Kind::no_such_actor);
  }

  TEST_CASE("after demonitor no event is handled, not even one that waits in the mailbox") {
    sp::run(
        []() -> sp::Task<void> {
          Scope const scope;
          auto const p = Worker{}.start();
          auto const fickle = Fickle{}.start();
          auto const was_on = co_await fickle.request<TwoMonitors>(scope, p);
          CHECK(was_on.value() == 1);
          auto const events = co_await fickle.request<Heard>();
          CHECK(events.value() == 0);
        }(),
        options());
  }

  TEST_CASE("a monitor ends with its actor, and leaves nothing behind") {
    sp::run(
        []() -> sp::Task<void> {
          Scope const scope;
          Group<sp::Recipient<Tick>> const mistaken("workers");
          auto const watcher = Watcher{}.start();
          auto const monitored = scope.monitor(workers, watcher).value();
          auto const of_all = scope.monitor_scope(watcher).value();
          watcher.kill();
          (void)co_await watcher.wait_exit();
          CHECK_FALSE(Scope::demonitor(monitored.monitor));
          CHECK_FALSE(Scope::demonitor(of_all.monitor));
          // The group is gone, and with it its type.
          scope.join(mistaken, Worker{}.start()).value();
        }(),
        options());
  }

  TEST_CASE("an event has the members as what the group is of") {
    static_assert(std::is_same_v<groups::handle_t<Worker>, sp::ActorRef<Worker>>);
    static_assert(std::is_same_v<groups::handle_t<sp::Recipient<Tick>>, sp::Recipient<Tick>>);
    sp::run(
        []() -> sp::Task<void> {
          auto const p = Worker{}.start();
          groups::GroupMembers const one("workers", &spawned::detail::type_tag<Worker>,
                                         {groups::Member(p.cell(), nullptr)});
          CHECK(one.of(workers) == Workers{p});
          CHECK(one.of(Group<sp::Recipient<Tick>>("workers")).empty());
          CHECK(one.of(Group<Worker>("others")).empty());
          co_return;
        }(),
        options());
  }

  TEST_CASE("membership is no ref: an actor that stops when unreferenced does") {
    sp::run(
        []() -> sp::Task<void> {
          Scope const scope;
          sp::ActorOptions unreferenced;
          unreferenced.stop_when_unreferenced = true;
          std::optional p = Worker{}.start(unreferenced);
          scope.join(workers, *p).value();
          auto const weak = p->downgrade();
          p.reset();
          co_await sp::sleep(std::chrono::seconds(1));
          CHECK_FALSE(weak.upgrade());
          CHECK(scope.members(workers).empty());
        }(),
        options());
  }
}
