// Actors that link, unlink, monitor and die at random, on several workers and simulated.
#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/random.hpp>
#include <spawned/runtime/simulation.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
namespace sim = spawned::simulation;

namespace {

class Node;
using Nodes = std::vector<sp::ActorRef<Node>>;
using Faults = std::shared_ptr<std::atomic<int>>;

struct Step {
  sp::ActorRef<Node> peer;
  std::uint64_t what;
};
struct Clear {
  std::shared_ptr<Nodes const> all;
};
struct Pending {};
struct Crash {};

class Node : public sp::Actor<Node> {
 public:
  Node(bool traps, Faults faults) : traps_(traps), faults_(std::move(faults)) {}
  void init(sp::Context<Node>& context) {
    if (traps_) (void)context.trap_exit(true);
  }
  void handle_request(Step const& step, sp::Context<Node>& context) {
    switch (step.what % 16) {
      case 0:
        return context.stop(sp::ExitReason::custom("stopped"));
      case 1:
        return context.exit(sp::ExitReason::custom("exited"));
      case 2:
        return step.peer.exit(sp::ExitReason::custom("signal"));
      case 3:
        return step.peer.kill();
      case 4:
      case 5:
        return take_back(context, step.what % 32 < 16 ? sp::Flush::yes : sp::Flush::no);
      case 6:
      case 7:
      case 8:
        return (void)context.unlink(step.peer);
      case 9:
      case 10:
      case 11:
        monitors_.push_back({context.monitor(step.peer), step.peer.id() == context.id(), false});
        return;
      default:
        return (void)context.link(step.peer);
    }
  }
  void handle_message(sp::Exit const& exit, sp::Context<Node>& context) {
    bool const by_hand = exit.reason == sp::ExitReason::custom("signal") ||
                         exit.reason == sp::ExitReason::custom("exited");
    if (exit.from == context.id() && !by_hand) fault();  // there is no link to oneself
  }
  void handle_message(sp::Down const& down) {
    for (auto& monitor : monitors_) {
      if (monitor.ref != down.monitor) continue;
      if (monitor.done) fault();  // a second one, or one that was taken back
      monitor.done = true;
      return;
    }
    fault();
  }
  void handle_request(Clear const& clear, sp::Context<Node>& context) {
    for (auto const& node : *clear.all) (void)context.unlink(node);
    for (auto& monitor : monitors_) {
      if (context.demonitor(monitor.ref)) monitor.done = true;
    }
  }
  std::size_t handle_request(Pending) {
    std::size_t count = 0;
    for (auto const& monitor : monitors_) count += monitor.done || monitor.of_itself ? 0 : 1;
    return count;
  }

 private:
  struct Mine {
    sp::MonitorRef ref;
    bool of_itself;
    bool done;  // its Down has come, or never will
  };
  void fault() { faults_->fetch_add(1); }
  void take_back(sp::Context<Node>& context, sp::Flush flush) {
    if (monitors_.empty()) return;
    auto& monitor = monitors_[sp::random_below(monitors_.size())];
    if (context.demonitor(monitor.ref, flush) || flush == sp::Flush::yes) monitor.done = true;
  }

  bool traps_;
  Faults faults_;
  std::vector<Mine> monitors_;
};

sp::ActorRef<Node> node(Faults faults) {
  return Node(sp::random_below(2) == 0, std::move(faults)).start();
}

// Everybody it knows, those included that have ended and were replaced.
sp::Task<Nodes> drive(Nodes nodes, Faults faults, int steps) {
  Nodes gone;
  for (int i = 0; i < steps; ++i) {
    auto& actor = nodes[sp::random_below(nodes.size())];
    auto const& peer = nodes[sp::random_below(nodes.size())];
    auto done = co_await actor.request<Step>(peer, sp::random_bits());
    if (done) continue;
    gone.push_back(actor);  // it may still be telling others
    actor = node(faults);
  }
  nodes.insert(nodes.end(), gone.begin(), gone.end());
  co_return nodes;
}

void expect(bool good, char const* what) {
  if (!good) throw std::runtime_error(what);
}

sp::Task<void> storm(int count, int drivers, int steps) {
  auto const faults = std::make_shared<std::atomic<int>>(0);
  auto all = std::make_shared<Nodes>();
  for (int i = 0; i < count; ++i) all->push_back(node(faults));
  std::vector<sp::JoinHandle<Nodes>> handles;
  for (int i = 0; i < drivers; ++i) handles.push_back(sp::spawn(drive(*all, faults, steps)));
  for (auto& handle : handles) {
    auto more = co_await handle;
    all->insert(all->end(), more.value().begin(), more.value().end());
  }
  Nodes living;
  for (auto const& actor : *all) {
    auto cleared = co_await actor.request<Clear>(all);
    if (cleared) {
      living.push_back(actor);
    } else {
      (void)co_await actor.wait_exit();
    }
  }
  for (auto const& actor : living) {
    auto pending = co_await actor.request<Pending>();
    if (pending) expect(*pending == 0, "a Down was lost");
  }
  for (auto const& actor : *all) {
    if (actor.is_alive()) {
      expect(actor.cell().waiters().guest_count() == 0, "somebody is left in a list");
    }
  }
  for (auto const& actor : *all) actor.kill();
  for (auto const& actor : *all) {
    (void)co_await actor.wait_exit();
    expect(actor.cell().waiters().guest_count() == 0, "somebody is left in the list of the dead");
  }
  expect(faults->load() == 0, "a message came twice, late, or to the wrong one");
}

}  // namespace

TEST_SUITE("actors/links_storm") {
  TEST_CASE("actors that link, watch and die on three workers: no message twice, no list left") {
    for (int i = 0; i < 10; ++i) {
      sp::RuntimeOptions options;
      options.workers = 3;
      CHECK_NOTHROW(sp::run(storm(30, 4, 400), std::move(options)));
    }
  }
  TEST_CASE("simulated: the same in some hundred interleavings") {
    sim::ExploreOptions options;
    options.seeds = 300;
    options.clock = sim::ClockMode::idle;  // no request times out
    auto const findings = sim::explore(options, [] { return storm(5, 3, 12); });
    CHECK_MESSAGE(findings.passed(), findings.to_string());
    CHECK(findings.runs == 300);
  }
}
