#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/registry/groups.hpp>
#include <spawned/registry/topics.hpp>
#include <spawned/tasks.hpp>

#include "registry/group_actors.hpp"
#include "support/log_capture.hpp"
#include "support/stress.hpp"

namespace sp = spawned::tasks;
namespace groups = spawned::groups;
using groups::Group;
using groups::Scope;
using test::Sum;
using test::Tick;
using test::Worker;

namespace {

constexpr unsigned rounds = 400;
constexpr unsigned group_count = 3;
constexpr unsigned immortals = 8;

/// The groups as their events tell of them.
class Model : public sp::Actor<Model> {
 public:
  struct Members {
    unsigned group;
  };
  using Counts = std::map<std::uint64_t, int>;
  void handle_message(groups::GroupEvent const& event) {
    Counts& counts = counts_[event.group.name()];
    int const by = event.change == groups::GroupEvent::Change::joined ? 1 : -1;
    for (sp::ActorId const id : event.group.ids()) {
      wrong_ = (counts[id.value] += by) < 0 || wrong_;
      if (counts[id.value] == 0) counts.erase(id.value);
    }
  }
  Counts handle_request(Members members) {
    if (wrong_) return {{0, 0}};
    return counts_[std::to_string(members.group)];
  }

 private:
  std::map<std::string, Counts> counts_;
  bool wrong_ = false;
};

struct World {
  World() : runtime(options()), model(Model{}.start_on(runtime)) {
    for (unsigned i = 0; i < group_count; ++i) all_groups.emplace_back(std::to_string(i));
    for (unsigned i = 0; i < immortals; ++i) workers.push_back(Worker{}.start_on(runtime));
  }
  static sp::RuntimeOptions options() {
    sp::RuntimeOptions result;
    result.workers = 2;
    return result;
  }

  sp::Runtime runtime;
  Scope scope;
  std::vector<Group<Worker>> all_groups;
  std::vector<sp::ActorRef<Worker>> workers;
  sp::ActorRef<Model> model;
};

// Joins and leaves; lets mortals join and kills them while they do.
void come_and_go(World& world, stress::Random random) {
  for (unsigned i = 0; i < rounds; ++i) {
    Group<Worker> const& group = world.all_groups[random.below(group_count)];
    sp::ActorRef<Worker> const& worker = world.workers[random.below(immortals)];
    switch (random.below(4)) {
      case 0:
        (void)world.scope.leave(group, worker);
        break;
      case 1: {
        auto const mortal = Worker{}.start_on(world.runtime);
        (void)world.scope.join(group, mortal);
        mortal.kill();
        (void)world.scope.join(group, mortal);
        if (random.one_in(2)) (void)world.scope.leave(group, mortal);
        break;
      }
      default:
        world.scope.join(group, worker).value();
    }
    (void)world.scope.broadcast<Tick>(group, 1U);
    if (random.one_in(16)) (void)world.scope.members(group);
    if (random.one_in(32)) (void)world.scope.which_groups();
  }
}

}  // namespace

TEST_SUITE("registry/groups_threads") {
  TEST_CASE("three threads join, leave, kill and broadcast; members and events agree in the end") {
    test::LogCapture const log;  // of dead letters
    World world;
    auto monitored = world.scope.monitor_scope(world.model).value();
    CHECK(monitored.groups.empty());
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < 3; ++i) {
      threads.emplace_back([&world, i] { come_and_go(world, stress::Random(i + 1)); });
    }
    for (std::thread& thread : threads) thread.join();

    // The killed may be at their ends still: until then they are members.
    for (unsigned i = 0; i < group_count; ++i) {
      for (;;) {
        Model::Counts expected;
        bool settled = true;
        for (auto const& member : world.scope.members(world.all_groups[i])) {
          settled = settled && member.is_alive();
          ++expected[member.id().value];
        }
        auto const seen = world.model.request_blocking<Model::Members>(i);
        if (settled && seen.value() == expected) break;
        std::this_thread::yield();  // a wrong model ends in the test's time limit
      }
    }
    for (auto const& worker : world.workers) {
      auto const alive = worker.request_blocking<test::Alive>();
      CHECK(alive.has_value());
    }
  }

  TEST_CASE("who comes and goes many times leaves nothing behind") {
    test::LogCapture const log;  // of dead letters
    World world;
    Group<Worker> const& group = world.all_groups.front();
    world.scope.join(group, world.workers.back()).value();
    auto const churn = [&] {
      for (unsigned i = 0; i < 2000; ++i) {
        world.scope.join(group, world.workers[i % 4]).value();
        (void)world.scope.leave(group, world.workers[i % 4]).value();
      }
    };
    churn();
    auto const before = spawned::detail::pool_bytes_reserved();
    churn();
    CHECK(spawned::detail::pool_bytes_reserved() <= before + 4096);  // an array of other size
    CHECK(world.scope.members(group).size() == 1);
  }

  TEST_CASE("three threads publish, subscribe and kill; in the end nobody subscribes") {
    test::LogCapture const log;  // of dead letters
    World world;
    for (auto const slow : {sp::SlowSubscriber::drop_newest, sp::SlowSubscriber::drop_oldest,
                            sp::SlowSubscriber::unsubscribe}) {
      sp::Topic<Tick> const topic({.in_flight = 3, .slow = slow, .retain_last = true});
      std::vector<std::thread> threads;
      for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        threads.emplace_back([&world, topic, seed] {
          stress::Random random(seed);
          std::vector<sp::Subscription> subscriptions;
          for (unsigned i = 0; i < rounds; ++i) {
            topic.publish(1U);
            if (random.one_in(3)) {
              subscriptions.push_back(
                  topic.subscribe(world.workers[random.below(immortals)]).value());
            }
            if (random.one_in(5)) subscriptions.clear();
            if (random.one_in(4)) {
              auto const mortal = Worker{}.start_on(world.runtime);
              auto subscription = topic.subscribe(mortal);
              if (subscription && random.one_in(2)) {
                subscriptions.push_back(std::move(subscription).value());
              }
              topic.publish(1U);
              mortal.kill();
            }
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      CHECK(topic.subscribers() == 0);
      auto const counters = topic.counters();
      CHECK(counters.published >= 3 * rounds);
      for (auto const& worker : world.workers) {
        CHECK(worker.request_blocking<test::Alive>().has_value());
      }
    }
  }
}
