// See README.md.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <spawned/registry/registry.hpp>
#include <spawned/tasks.hpp>

#include "support/stress.hpp"

namespace {

namespace sp = spawned::tasks;
using sp::registry::Keys;
using sp::registry::Registry;
using Kind = sp::registry::RegistryError::Kind;

std::atomic<std::int64_t> alive{0};

struct Hit {};
struct Hits {};

class Target : public sp::Actor<Target> {
 public:
  Target() { alive.fetch_add(1); }
  Target(Target&&) noexcept { alive.fetch_add(1); }
  Target& operator=(Target&&) = delete;
  ~Target() { alive.fetch_sub(1); }
  void handle_message(Hit) { ++hits_; }
  int handle_request(Hits) { return hits_; }

 private:
  int hits_ = 0;
};

/// Of no name.
class Stranger : public sp::Actor<Stranger> {
 public:
  void handle_message(Hit) {}
};

constexpr std::uint64_t name_count = 6;
std::string name_of(std::uint64_t i) { return "name" + std::to_string(i); }

struct World {
  sp::Runtime& runtime;
  Registry unique;
  sp::registry::BasicRegistry<std::string> duplicate{{.keys = Keys::duplicate}};
};

void check_gone(World& world, sp::ActorId id) {
  for (auto const& each : world.unique.registered()) {
    stress::check(each.actor != id, "an actor that has ended is registered");
  }
  for (std::uint64_t i = 0; i != name_count; ++i) {
    auto const found = world.unique.whereis<Target>(name_of(i));
    stress::check(!found || found->id() != id, "an actor that has ended was found");
  }
  for (auto const& each : world.duplicate.registered()) {
    stress::check(each.actor != id, "an actor that has ended has a duplicate key");
  }
}

/// One actor's life: names, and a death by whoever is the first.
void live_and_die(World& world, stress::Random& random) {
  auto target = Target().start_on(world.runtime);
  for (std::uint64_t i = random.below(4); i != 0; --i) {
    auto const name = name_of(random.below(name_count));
    auto const registered = world.unique.register_name(name, target);
    if (!registered) {
      auto const kind = registered.error().kind();
      stress::check(kind == Kind::name_taken || kind == Kind::no_such_actor, "an odd refusal");
    }
    auto const also = world.duplicate.register_name(name, target, name);
    stress::check(also || also.error() == Kind::no_such_actor, "a duplicate key was refused");
  }
  if (random.one_in(3)) (void)world.duplicate.unregister(name_of(random.below(name_count)), target);
  if (random.one_in(2)) {
    target.kill();
  } else {
    target.stop();
  }
  (void)target.wait_exit_blocking();
  check_gone(world, target.id());
  auto const late = world.unique.register_name("late", target);
  stress::check(!late && late.error() != Kind::name_taken, "an ended actor was registered");
}

void look_up(World& world, stress::Random& random) {
  auto const name = name_of(random.below(name_count));
  switch (random.below(6)) {
    case 0: {
      auto const wrong = world.unique.whereis<Stranger>(name);
      stress::check(!wrong, "found as another type");
      break;
    }
    case 1:
      (void)world.unique.unregister(name);
      break;
    case 2:
      (void)world.duplicate.dispatch<Target>(name, [&](auto const& ref, auto const& value) {
        stress::check(value == name, "another entry's value");
        ref.template send<Hit>();
      });
      break;
    case 3: {
      auto const found = world.unique.whereis<Target>(name);
      if (found && random.one_in(4)) found->kill();
      break;
    }
    case 4:
      (void)world.duplicate.update_value(name, [](std::string const& old) { return old; });
      break;
    default:
      auto const found = world.unique.whereis<Target>(name);
      if (found) found->send<Hit>();
  }
}

sp::Task<bool> start_named(World& world, std::string name) {
  auto started = co_await world.unique.start_registered<Target>(name);
  stress::check(started.has_value(), "a start under a name failed");
  co_return started->started_now;
}

// Starts under one name, the same from each task; others may take it and die in between.
sp::Task<void> starts(World& world, std::string name) {
  std::vector<sp::JoinHandle<bool>> tasks;
  for (int i = 0; i < 3; ++i) tasks.push_back(sp::spawn(start_named(world, name)));
  int started = 0;
  for (auto& each : tasks) {
    auto joined = co_await each;
    started += joined.value() ? 1 : 0;
  }
  stress::check(started >= 1, "nobody started under a name that nobody had");
  auto found = world.unique.whereis<Target>(name);
  stress::check(found.has_value(), "the started one has no name");
  stress::check(started == 1, "two have started under one name");
  auto ended = co_await found->stop_and_wait();
  stress::check(ended.has_value(), "the started one has ended before");
  check_gone(world, found->id());
}

sp::Task<void> waits(World& world, std::string name) {
  auto found = co_await world.unique.wait_until_registered<Target>(name);
  stress::check(found.has_value(), "a wait without a time limit failed");
}

void round_of(World& world, stress::Run& run, std::uint64_t round) {
  auto waiter = world.runtime.spawn(waits(world, "awaited" + std::to_string(round)));
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i != 2; ++i) {
    threads.emplace_back([&, i] {
      auto random = run.random(round * 8 + i);
      for (int step = 0; step != 20; ++step) live_and_die(world, random);
    });
    threads.emplace_back([&, i] {
      auto random = run.random(round * 8 + 4 + i);
      for (int step = 0; step != 400; ++step) look_up(world, random);
    });
  }
  for (int i = 0; i != 5; ++i) {
    world.runtime.block_on(starts(world, "started" + std::to_string(i)));
  }
  auto target = Target().start_on(world.runtime);
  auto const registered = world.unique.register_name("awaited" + std::to_string(round), target);
  stress::check(registered.has_value(), "a fresh name was taken");
  stress::check(waiter.join_blocking().has_value(), "the waiter failed");
  target.stop();
  (void)target.wait_exit_blocking();
  for (std::thread& each : threads) each.join();
  run.beat();
}

}  // namespace

int main() {
  stress::Run run("registry");
  sp::RuntimeOptions two;
  two.workers = 2;
  std::optional<Registry> left;
  {
    sp::Runtime runtime(two);
    run.on_hang([&] { return stress::describe(runtime); });
    World world{runtime, Registry::of(runtime)};
    for (std::uint64_t round = 0; run.time_left(); ++round) round_of(world, run, round);
    stress::check(world.duplicate.registered().empty(), "duplicate keys that stay");
    left = world.unique;
    run.on_hang({});
  }
  stress::check(left->registered().empty(), "names that stay");
  stress::check_equal(static_cast<std::uint64_t>(alive.load()), 0, "states that stay");
  return 0;
}
