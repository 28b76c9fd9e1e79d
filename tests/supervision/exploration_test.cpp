// A tree under random crashes, kills, terminations and restarts, beside a model of it.
#include <chrono>
#include <cstddef>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/simulation/test.hpp>
#include <spawned/supervision/dynamic_supervisor.hpp>
#include <spawned/supervision/supervisor.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
namespace simulation = spawned::simulation;
using namespace std::chrono_literals;
using spawned::child;
using spawned::ChildCounts;
using spawned::ChildSpec;
using spawned::DynamicSupervisor;
using spawned::Restart;
using spawned::RestartStrategy;
using spawned::Supervisor;

namespace {

struct Crash {};
struct End {};
struct Ping {};

using Token = std::shared_ptr<int>;  // whose count is that of the states and factories there are

class Unit : public sp::Actor<Unit> {
 public:
  explicit Unit(Token token) : token_(std::move(token)) {}
  sp::Task<void> init() {
    if (simulation::choose(4) == 3) co_await sp::sleep(1ms);
  }
  sp::Task<void> teardown() {
    if (simulation::choose(4) == 3) co_await sp::sleep(1ms);
  }
  void handle_message(Crash) { throw std::runtime_error("crash"); }
  void handle_message(End, sp::Context<Unit>& context) { context.stop(); }
  void handle_request(Ping) {}

 private:
  Token token_;
};
using UnitRef = sp::ActorRef<Unit>;

ChildSpec unit(std::string id, Token const& token) {
  auto spec = child(std::move(id), [token] { return Unit(token); });
  if (simulation::choose(3) == 2) {
    spawned::Backoff backoff;
    backoff.first = 2ms;
    spec.backoff(backoff);
  }
  return spec;
}

constexpr int enough = 1'000'000;
std::string const names = "abcd";

void require(bool holds, char const* what) {
  if (!holds) throw std::runtime_error(what);
}

/// The tree: root of `group`, a supervisor of four, and `dynamic`.
class World {
 public:
  sp::Task<void> open() {
    auto const strategy = static_cast<RestartStrategy>(simulation::choose(3));
    one_for_one_ = strategy == RestartStrategy::one_for_one;
    spawned::SupervisorOptions options;
    options.intensity = enough;
    std::vector<ChildSpec> specs;
    specs.push_back(child("group", [token = token_, options, strategy] {
      auto own = options;
      own.strategy = strategy;
      std::vector<ChildSpec> members;
      for (char const name : names) members.push_back(unit(std::string(1, name), token));
      return Supervisor(own, std::move(members));
    }));
    specs.push_back(child("dynamic", [] {
      spawned::DynamicOptions own;
      own.intensity = enough;
      return DynamicSupervisor(own);
    }));
    auto started = co_await Supervisor(options, std::move(specs)).start_and_wait();
    root_.emplace(started.value());
    auto group = co_await root_->request<Supervisor::GetChild>("group");
    group_.emplace(group.value().value().ref.as<Supervisor>().value());
    auto dynamic = co_await root_->request<Supervisor::GetChild>("dynamic");
    dynamic_.emplace(dynamic.value().value().ref.as<DynamicSupervisor>().value());
  }

  sp::Task<void> act() {
    switch (simulation::choose(9)) {
      case 0:
        co_await start_dynamic();
        break;
      case 1:
        co_await hurt_member(false);
        break;
      case 2:
        co_await hurt_member(true);
        break;
      case 3:
        co_await terminate_member();
        break;
      case 4:
        co_await restart_member();
        break;
      case 5:
        hurt_dynamic();
        break;
      case 6:
        co_await terminate_dynamic();
        break;
      case 7:
        if (simulation::choose(3) != 2) break;
        group_->kill();
        stopped_.clear();
        (void)co_await group_->request<Supervisor::CountChildren>();
        break;
      case 8:
        if (simulation::choose(3) != 2) break;
        dynamic_->kill();
        for (auto& [id, member] : dynamics_) gone_.push_back(member.ref);
        dynamics_.clear();
        (void)co_await dynamic_->request<DynamicSupervisor::CountChildren>();
        break;
    }
  }

  /// Everything comes to rest, and is what the model says.
  sp::Task<void> compare() {
    for (UnitRef const& ref : gone_) (void)co_await ref.wait_exit();
    gone_.clear();
    for (char const name : names) {
      if (stopped_.count(name) != 0) continue;
      auto ref = co_await member(name);
      auto alive = co_await ref.request<Ping>();
      require(alive.has_value(), "a member does not answer");
    }
    for (auto const& [id, each] : dynamics_) {
      auto alive = co_await each.ref.request<Ping>();
      require(alive.has_value(), "a dynamic child does not answer");
    }
    co_await compare_counts();
  }

  sp::Task<void> close() {
    (void)co_await root_->stop_and_wait();
    require(!group_->is_alive() && !dynamic_->is_alive(), "a supervisor outlives its own");
    // Children of a supervisor that was killed have a signal, which they may still have to see.
    for (UnitRef const& ref : seen_) (void)co_await ref.wait_exit();
    for (int i = 0; i < 20 && token_.use_count() != 1; ++i) co_await sp::sleep(1ms);
    require(token_.use_count() == 1, "a state or a factory is left");
  }

 private:
  struct Dynamic {
    UnitRef ref;
    Restart restart;
  };

  // The last crash may be served before the supervisor has heard of the restart: the counts follow.
  sp::Task<void> compare_counts() {
    std::size_t const active = names.size() - stopped_.size();
    ChildCounts const expected{names.size(), active, 0, names.size()};
    std::size_t const many = dynamics_.size();
    ChildCounts const expected_dynamic{many, many, 0, many};
    for (int i = 0;; ++i) {
      auto counts = co_await group_->request<Supervisor::CountChildren>();
      auto dynamic = co_await dynamic_->request<DynamicSupervisor::CountChildren>();
      if (counts.value() == expected && dynamic.value() == expected_dynamic) break;
      require(i < 20, "the counts are not those of the model");
      co_await sp::sleep(1ms);
    }
    auto all = co_await dynamic_->request<DynamicSupervisor::WhichChildren>();
    for (auto const& info : all.value()) {
      require(dynamics_.count(info.ref.id()) != 0, "a dynamic child that should not be");
    }
  }

  sp::Task<UnitRef> member(char name) {
    std::string const id(1, name);
    auto info = co_await group_->request<Supervisor::GetChild>(id);
    auto ref = info.value().value().ref.as<Unit>().value();
    seen_.push_back(ref);
    co_return ref;
  }
  static char any_name() { return names[simulation::choose(4)]; }

  sp::Task<void> hurt_member(bool kills) {
    char const name = any_name();
    if (stopped_.count(name) != 0) co_return;
    auto ref = co_await member(name);
    simulation::sometimes(kills, "a member is killed");
    if (kills) {
      ref.kill();
    } else {
      simulation::choose(2) == 0 ? (void)ref.send<Crash>() : (void)ref.send<End>();
    }
  }
  // With the other strategies the crash of another one would start it.
  sp::Task<void> terminate_member() {
    if (!one_for_one_) co_return;
    char const name = any_name();
    std::string const id(1, name);
    auto done = co_await group_->request<Supervisor::TerminateChild>(id);
    require(done.value().has_value(), "a member cannot be terminated");
    stopped_.insert(name);
  }
  sp::Task<void> restart_member() {
    char const name = any_name();
    std::string const id(1, name);
    auto done = co_await group_->request<Supervisor::RestartChild>(id);
    bool const was_stopped = stopped_.erase(name) != 0;
    // With the other strategies it may be stopped for the restart of another one.
    bool const as_expected = done.value().has_value() == was_stopped;
    require(as_expected || !one_for_one_, "restart_child: another answer");
  }

  sp::Task<void> start_dynamic() {
    auto const restart = static_cast<Restart>(simulation::choose(3));
    auto spec = unit("", token_).restart(restart);
    auto started = co_await dynamic_->request<DynamicSupervisor::StartChild>(spec);
    auto ref = started.value().value().as<Unit>().value();
    seen_.push_back(ref);
    dynamics_.emplace(ref.id(), Dynamic{ref, restart});
  }
  auto any_dynamic() {
    auto place = dynamics_.begin();
    std::advance(place, simulation::choose(static_cast<std::uint32_t>(dynamics_.size())));
    return place;
  }
  void hurt_dynamic() {
    if (dynamics_.empty()) return;
    auto const place = any_dynamic();
    auto const& [ref, restart] = place->second;
    bool ends = restart == Restart::temporary;
    std::uint32_t const how = simulation::choose(3);
    if (how == 0) {
      ref.send<Crash>();
    } else if (how == 1) {
      ref.send<End>();
      ends = restart != Restart::permanent;
    } else if (restart != Restart::transient) {  // whose normal end it may overtake
      ref.kill();
    } else {
      return;
    }
    if (!ends) return;
    gone_.push_back(ref);
    dynamics_.erase(place);
  }
  sp::Task<void> terminate_dynamic() {
    if (dynamics_.empty()) co_return;
    auto const place = any_dynamic();
    auto done = co_await dynamic_->request<DynamicSupervisor::TerminateChild>(place->second.ref);
    require(done.value().has_value(), "a dynamic child cannot be terminated");
    require(!place->second.ref.is_alive(), "a dynamic child lives after its termination");
    dynamics_.erase(place);
  }

  Token token_ = std::make_shared<int>(0);
  bool one_for_one_ = false;
  std::optional<sp::ActorRef<Supervisor>> root_;
  std::optional<sp::ActorRef<Supervisor>> group_;
  std::optional<sp::ActorRef<DynamicSupervisor>> dynamic_;
  std::set<char> stopped_;
  std::map<spawned::ActorId, Dynamic> dynamics_;
  std::vector<UnitRef> gone_;  // told to end, for good
  std::vector<UnitRef> seen_;
};

sp::Task<void> live() {
  World world;
  co_await world.open();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 12; ++i) co_await world.act();
    co_await world.compare();
  }
  co_await world.close();
}

}  // namespace

TEST_SUITE("supervision/exploration") {
  TEST_CASE(
      "a tree under random crashes, kills, terminations and restarts is what its model says") {
    simulation::ExploreOptions options;
    options.seeds = 300;
    options.clock = simulation::ClockMode::idle;  // the requests have time limits
    auto const findings = simulation::test("supervision", options, &live);
    INFO(findings.to_string());
    CHECK(findings.passed());
  }
}
