// What a program leaves behind: each leak is found by the default search where its option is set,
// not without it, and not in a program that cleans up.
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/simulation/replay.hpp>
#include <spawned/runtime/threads.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
namespace sim = spawned::simulation;
using namespace std::chrono_literals;

namespace {

using Option = bool sim::Options::*;

sim::Findings search(Option option, sim::Program const& program) {
  sim::ExploreOptions options;
  options.seeds = 1000;
  options.*option = true;
  return sim::explore(options, program);
}

// The text of the leak, which is found with the option and is none without it.
std::string leak(Option option, sim::Program const& program) {
  sim::ExploreOptions options;
  options.seeds = 100;
  CHECK(sim::explore(options, program).passed());
  sim::Findings const findings = search(option, program);
  CHECK(findings.report.outcome == sim::Outcome::leak);
  CHECK(findings.shrunk.outcome == sim::Outcome::leak);
  return findings.shrunk.problem;
}

bool says(std::string const& text, char const* part) {
  INFO(text);
  bool const found = text.find(part) != std::string::npos;
  CHECK(found);
  return found;
}

class Bell : public sp::Actor<Bell> {
 public:
  struct Ring {};
  struct Count {};
  void handle_message(Ring /*message*/) { ++rings_; }
  int handle_request(Count /*request*/) { return rings_; }

 private:
  int rings_ = 0;
};

enum class Clean { no, yes };

sp::Task<void> ring_later(Clean clean) {
  auto bell = Bell{}.start();
  auto timer = sp::send_after<Bell::Ring>(1h, bell);
  auto count = co_await bell.request_with_timeout<Bell::Count>(sp::no_timeout);
  (void)count.value();
  if (clean == Clean::yes) timer.cancel();
}

sp::Task<void> ring_always(Clean clean) {
  auto bell = Bell{}.start();
  (void)sp::send_interval<Bell::Ring>(1ms, bell);
  co_await sp::sleep(10ms);
  if (clean == Clean::yes) {
    auto end = co_await bell.stop_and_wait();
    (void)end.value();
  }
}

// Stops its bell, but does not wait for the end.
sp::Task<void> stop_without_waiting() {
  auto bell = Bell{}.start();
  (void)sp::send_interval<Bell::Ring>(1ms, bell);
  bell.stop();
  co_return;
}

// Keeps the questions that come in until it is closed.
class Oracle : public sp::Actor<Oracle> {
 public:
  struct Ask {};
  struct Close {};
  sp::RequestResponse<int> handle_request(Ask /*request*/, sp::Context<Oracle>& context) {
    sp::ReplyTo<int> to = context.defer<int>();
    if (!closed_) asked_.push_back(std::move(to));
    return sp::RequestResponse<int>::deferred();
  }
  void handle_message(Close /*message*/) {
    closed_ = true;
    asked_.clear();
  }

 private:
  bool closed_ = false;
  std::vector<sp::ReplyTo<int>> asked_;
};

class Pilgrim : public sp::Actor<Pilgrim> {
 public:
  struct Go {
    sp::ActorRef<Oracle> oracle;
    std::chrono::nanoseconds limit;
  };
  static constexpr unsigned line = __LINE__ + 2;
  sp::Task<void> handle_message(Go go) {
    auto answer = co_await go.oracle.request_with_timeout<Oracle::Ask>(go.limit);
    (void)answer;
  }
};

sp::Task<void> go_to_the_oracle(Clean clean, std::chrono::nanoseconds limit) {
  auto oracle = Oracle{}.start();
  auto pilgrim = Pilgrim{}.start();
  pilgrim.send<Pilgrim::Go>(oracle, limit);
  co_await sp::sleep(1s);
  if (clean == Clean::yes) oracle.send<Oracle::Close>();
}

// A circle of shared pointers that holds a ref.
struct Knot {
  explicit Knot(sp::ActorRef<Bell> ref) : bell(std::move(ref)) {}
  sp::ActorRef<Bell> bell;
  std::shared_ptr<Knot> self;
};

// Unties what was tied, for leak checkers.
struct Knots {
  std::vector<std::weak_ptr<Knot>> all;
  ~Knots() {
    for (auto const& each : all) {
      if (auto const knot = each.lock()) knot->self.reset();
    }
  }
};

sp::Task<void> tie_a_knot(Knots& knots, Clean clean) {
  auto knot = std::make_shared<Knot>(Bell{}.start());
  knot->self = knot;
  knots.all.push_back(knot);
  auto count = co_await knot->bell.request_with_timeout<Bell::Count>(sp::no_timeout);
  (void)count.value();
  if (clean == Clean::yes) knot->self.reset();
}

sp::Task<int> answer() { co_return 42; }

}  // namespace

TEST_SUITE("actors/simulation/leak") {
  TEST_CASE("a timer that is armed when the program has ended is found, if asked for") {
    Option const option = &sim::Options::armed_timer_is_failure;
    std::string const once = leak(option, [] { return ring_later(Clean::no); });
    says(once, "send_after of ");
    says(once, "Bell::Ring to actor ");
    std::string const always = leak(option, [] { return ring_always(Clean::no); });
    says(always, "send_interval of ");
    says(always, "Bell::Ring to actor ");
    CHECK(search(option, [] { return ring_later(Clean::yes); }).passed());
    CHECK(search(option, [] { return ring_always(Clean::yes); }).passed());
    CHECK(search(option, &stop_without_waiting).passed());
  }

  TEST_CASE("an actor that lives when the program has ended is found, if asked for") {
    Option const option = &sim::Options::living_is_failure;
    says(leak(option, [] { return ring_always(Clean::no); }), "Bell#1");
    CHECK(search(option, [] { return ring_always(Clean::yes); }).passed());
    CHECK(search(option, &stop_without_waiting).passed());
  }

  TEST_CASE("a request that nobody will answer any more is found, if asked for, with its line") {
    Option const option = &sim::Options::unanswered_is_failure;
    std::string const text =
        leak(option, [] { return go_to_the_oracle(Clean::no, sp::no_timeout); });
    says(text, "Pilgrim#2 awaits Oracle::Ask of Oracle#1 at leak_test.cpp:");
    says(text, (":" + std::to_string(Pilgrim::line)).c_str());
    CHECK(search(option, [] { return go_to_the_oracle(Clean::yes, sp::no_timeout); }).passed());
    CHECK(search(option, [] { return go_to_the_oracle(Clean::no, 1h); }).passed());
  }

  TEST_CASE("memory of the run that something keeps is found, if asked for, with who took it") {
    Option const option = &sim::Options::memory_is_failure;
    Knots knots;
    std::string const text = leak(option, [&knots] { return tie_a_knot(knots, Clean::no); });
    says(text, "blocks 1, bytes ");
    says(text, "in step 1 by program");
    CHECK(search(option, [&knots] { return tie_a_knot(knots, Clean::yes); }).passed());
  }

  TEST_CASE("a coroutine that is kept is memory, too") {
    Option const option = &sim::Options::memory_is_failure;
    std::unique_ptr<sp::Task<int>> kept;  // that of the run before goes when the next one is made
    auto const program = [&kept]() -> sp::Task<void> {
      kept = std::make_unique<sp::Task<int>>(answer());
      co_return;
    };
    says(leak(option, program), "in step 1 by program");
    auto const awaits = []() -> sp::Task<void> {
      auto task = answer();
      (void)co_await std::move(task);
    };
    CHECK(search(option, awaits).passed());
  }

  TEST_CASE("blocks that threads of the run take and give back are no leak") {
    sim::ExploreOptions options;
    options.seeds = 200;
    options.memory_is_failure = true;
    auto const program = []() -> sp::Task<void> {
      auto bell = Bell{}.start({.backend = sp::Backend::Blocking});
      auto job = spawned::spawn_blocking([] { return std::make_unique<int>(7); });
      bell.send<Bell::Ring>();
      auto made = co_await job;
      (void)made;
      auto count = co_await bell.request_with_timeout<Bell::Count>(sp::no_timeout);
      if (count.value() != 1) throw std::runtime_error("it has not rung");
    };
    CHECK(sim::explore(options, program).to_string() == "200 runs passed");
  }

  TEST_CASE("a leak is replayed from its trace") {
    sim::ExploreOptions options;
    options.name = "leaky";
    options.armed_timer_is_failure = true;
    sim::Findings const findings = sim::explore(options, [] { return ring_later(Clean::no); });
    sim::Report const again = sim::replay(findings.trace, static_cast<sim::Options const&>(options),
                                          [] { return ring_later(Clean::no); });
    CHECK(again.outcome == sim::Outcome::leak);
  }
}
