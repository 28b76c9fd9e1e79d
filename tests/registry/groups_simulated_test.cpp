#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/registry/groups.hpp>
#include <spawned/registry/topics.hpp>
#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/simulation/test_case.hpp>
#include <spawned/tasks.hpp>

#include "registry/group_actors.hpp"

namespace sp = spawned::tasks;
namespace sim = spawned::simulation;
namespace groups = spawned::groups;
using groups::Group;
using groups::Scope;
using test::Sum;
using test::Tick;
using test::Worker;

namespace {

using Ids = std::vector<std::uint64_t>;

void require(bool condition, char const* what) {
  if (!condition) throw std::runtime_error(what);
}

/// Keeps, from events alone, how often each is a member.
class Model : public sp::Actor<Model> {
 public:
  struct Begin {
    Ids ids;
  };
  struct Members {};
  void handle_message(groups::GroupEvent const& event) {
    int const by = event.change == groups::GroupEvent::Change::joined ? 1 : -1;
    for (sp::ActorId const id : event.group.ids()) {
      count_[id.value] += by;
      wrong_ = wrong_ || count_[id.value] < 0;
    }
  }
  void handle_request(Begin const& begin) {
    for (std::uint64_t const id : begin.ids) ++count_[id];
  }
  Ids handle_request(Members) {
    if (wrong_) return {0};
    Ids ids;
    for (auto const& [id, count] : count_) ids.insert(ids.end(), static_cast<unsigned>(count), id);
    return ids;
  }

 private:
  std::map<std::uint64_t, int> count_;
  bool wrong_ = false;
};

/// Counts what it gets of 12 numbers.
class Counter : public sp::Actor<Counter> {
 public:
  struct Missing {};
  void handle_message(Tick tick) {
    wrong_ = wrong_ || tick.value <= last_;
    last_ = tick.value;
    ++count_;
  }
  /// A thousand: they were out of order.
  std::uint64_t handle_request(Missing) { return wrong_ ? 1000 : 12 - count_; }
  std::uint64_t handle_request(Sum) { return last_; }

 private:
  std::uint64_t last_ = 0;
  std::uint64_t count_ = 0;
  bool wrong_ = false;
};

Ids sorted_ids(std::vector<sp::ActorRef<Worker>> const& members) {
  Ids ids;
  for (auto const& each : members) ids.push_back(each.id().value);
  std::sort(ids.begin(), ids.end());
  return ids;
}

// Joins and leaves at random, and is right about what it has done itself.
sp::Task<void> joins_and_leaves(Scope scope, Group<Worker> group, sp::ActorRef<Worker> worker) {
  unsigned joined = 0;
  for (unsigned i = 0; i < 6; ++i) {
    if (sim::choose(3) != 0) {
      auto const result = scope.join(group, worker);
      if (result) ++joined;
      require(result || result.error() == groups::GroupError::Kind::no_such_actor, "a wrong error");
    } else {
      bool const alive = worker.is_alive();
      bool const left = scope.leave(group, worker).has_value();
      require(!left || joined != 0, "it left without being in");
      require(left || joined == 0 || !alive || !worker.is_alive(), "it was in and could not leave");
      joined -= left ? 1 : 0;
    }
    co_await sp::yield_now();
  }
}
sp::Task<void> kills(sp::ActorRef<Worker> worker) {
  co_await sp::yield_now();
  worker.kill();
  (void)co_await worker.wait_exit();
}
sp::Task<void> broadcasts(Scope scope, Group<Worker> group, std::uint64_t& accepted) {
  for (unsigned i = 0; i < 6; ++i) {
    accepted += scope.broadcast<Tick>(group, 1U).accepted;
    co_await sp::yield_now();
  }
}

}  // namespace

TEST_SUITE("registry/groups_simulated") {
  SPAWNED_SIMULATION_TEST("members, events and broadcasts agree whatever joins, leaves and dies",
                          options.seeds = 300, options.clock = sim::ClockMode::idle) {
    Scope const scope;
    Group<Worker> const group("workers");
    auto const immortal = Worker{}.start();
    auto const mortal = Worker{}.start();
    auto const other = Worker{}.start();
    auto const model = Model{}.start();
    scope.join(group, immortal).value();

    std::vector<sp::JoinHandle<void>> tasks;
    std::uint64_t accepted = 0;
    tasks.push_back(sp::spawn(joins_and_leaves(scope, group, mortal)));
    tasks.push_back(sp::spawn(joins_and_leaves(scope, group, other)));
    tasks.push_back(sp::spawn(broadcasts(scope, group, accepted)));
    tasks.push_back(sp::spawn(kills(mortal)));
    co_await sp::yield_now();
    auto monitored = scope.monitor(group, model);
    Ids begin = sorted_ids(monitored.value().members);
    auto const begun = co_await model.request<Model::Begin>(sp::moved(begin));
    require(begun.has_value(), "the model is dead");
    for (auto& task : tasks) {
      auto const done = co_await task;
      (void)done.value();
    }

    Ids const members = sorted_ids(scope.members(group));
    auto const seen = co_await model.request<Model::Members>();
    require(seen.value() == members, "the events tell another story than the members");
    require(std::count(members.begin(), members.end(), mortal.id().value) == 0,
            "the dead are members");
    require(std::count(members.begin(), members.end(), immortal.id().value) == 1,
            "a member is lost");
    auto const one = co_await immortal.request<Sum>();
    auto const two = co_await other.request<Sum>();
    require(one.value() == 6, "a broadcast did not reach a member");
    require(one.value() + two.value() <= accepted, "more arrived than was sent");
    sim::sometimes(one.value() + two.value() < accepted, "the one that dies is sent something");
    sim::sometimes(members.size() > 1, "somebody else stays");
  }

  SPAWNED_SIMULATION_TEST("a topic's messages arrive in order, and what is missing was dropped",
                          options.seeds = 200, options.clock = sim::ClockMode::idle) {
    bool const oldest = sim::choose(2) == 1;
    sp::Topic<Tick> const topic(
        {.in_flight = 2,
         .slow = oldest ? sp::SlowSubscriber::drop_oldest : sp::SlowSubscriber::drop_newest});
    auto const reader = Counter{}.start();
    auto const subscription = topic.subscribe(reader).value();
    for (std::uint64_t i = 1; i <= 12; ++i) {
      topic.publish(i);
      if (sim::choose(2) == 1) co_await sp::yield_now();
    }
    auto const last = co_await reader.request<Sum>();
    auto const missing = co_await reader.request<Counter::Missing>();
    require(missing.value() == subscription.dropped(), "more is missing than was dropped");
    require(!oldest || last.value() == 12, "the newest was dropped");
    sim::sometimes(missing.value() != 0, "something is dropped");
    sim::sometimes(missing.value() == 0, "nothing is dropped");
  }
}
