#include <spawned/runtime/simulation.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "registry/support.hpp"

using namespace names;
namespace sim = spawned::simulation;

namespace {

void must(bool holds, char const* what) {
  if (!holds) throw std::runtime_error(what);
}

std::string random_name() { return "name" + std::to_string(sp::random_below(4)); }

// One actor's life, with names and a death, beside others: an actor whose end was awaited has none.
sp::Task<void> live_and_die(Registry all) {
  auto holder = Holder().start();
  for (auto i = sp::random_below(3); i != 0; --i) {
    auto registered = all.register_name(random_name(), holder);
    must(registered.has_value() || registered.error() != Kind::wrong_type, "an odd refusal");
    co_await sp::yield_now();
  }
  if (sp::random_chance(0.5)) {
    holder.kill();
  } else {
    holder.stop();
  }
  auto ended = co_await holder.wait_exit();
  must(ended.has_value(), "it has ended");
  for (auto const& each : all.registered()) must(each.actor != holder.id(), "a name of the dead");
}

sp::Task<void> start_and_stop(Registry all) {
  auto started = co_await all.start_registered<Holder>("started");
  must(started.has_value(), "a start failed");
  if (started->started_now) started->ref.kill();
}

sp::Task<void> look_up(Registry all) {
  for (int i = 0; i < 5; ++i) {
    auto const name = random_name();
    if (auto found = all.whereis<Holder>(name)) found->send<Say>("hello");
    if (sp::random_chance(0.2)) (void)all.unregister(name);
    co_await sp::yield_now();
  }
}

sp::Task<void> wait_for(Registry all) {
  auto found = co_await all.wait_until_registered<Holder>("started");
  must(found.has_value(), "a wait without a time limit failed");
}

sp::Task<void> chaos() {
  Registry all;
  std::vector<sp::JoinHandle<void>> tasks;
  auto waiting = sp::spawn(wait_for(all));
  for (int i = 0; i < 3; ++i) {
    tasks.push_back(sp::spawn(live_and_die(all)));
    tasks.push_back(sp::spawn(start_and_stop(all)));
    tasks.push_back(sp::spawn(look_up(all)));
  }
  for (auto& each : tasks) {
    auto joined = co_await each;
    (void)joined.value();
  }
  while (auto left = all.whereis<Holder>("started")) {
    auto ended = co_await left->wait_exit();
    must(ended.has_value(), "it has ended");
  }
  must(all.registered().empty(), "names that stay");
  auto last = co_await all.start_registered<Holder>("started");
  must(last.has_value() && last->started_now, "the name is free");
  auto joined = co_await waiting;
  (void)joined.value();
  last->ref.stop();
}

// Leaves the order of everything to the registry.
sp::Task<void> order(std::string& text) {
  Registry all({.keys = registry::Keys::duplicate});
  std::vector<sp::ActorRef<Holder>> holders;
  for (int i = 0; i < 8; ++i) {
    holders.push_back(Holder().start());
    auto registered = all.register_name("name" + std::to_string(i * 5 % 8), holders.back());
    auto again = all.register_name("all", holders.back());
    must(registered.has_value() && again.has_value(), "they are registered");
  }
  for (auto const& each : all.registered()) text += each.name + std::to_string(each.actor.value);
  (void)all.dispatch<Holder>("all", [&](auto const& ref) {
    text += std::to_string(ref.id().value);
    ref.template send<Say>("hello");
  });
  co_return;
}

}  // namespace

TEST_SUITE("registry/simulation") {
  TEST_CASE("names, look-ups, waits, starts and deaths in any order: no name of a dead actor") {
    sim::ExploreOptions options;
    options.seeds = 300;
    options.clock = sim::ClockMode::idle;  // no start takes five seconds
    auto const findings = sim::explore(options, chaos);
    CHECK_MESSAGE(findings.report.passed(), findings.report.problem);
    CHECK(findings.runs == 300);
  }
  TEST_CASE("no order depends on addresses or on chance") {
    std::array<std::string, 2> seen;
    for (auto& text : seen) {
      auto const report = sim::run(7, [&] { return order(text); });
      CHECK(report.passed());
    }
    CHECK(seen[0] == seen[1]);
    std::string ignored;
    sim::check_determinism(7, [&] {
      ignored.clear();
      return order(ignored);
    });
    sim::check_determinism(7, chaos);
  }
}
