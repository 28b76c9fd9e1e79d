// That an enumeration visits what there is, counted by hand, and that the reduction leaves out only
// what repeats something.
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/runtime/simulation.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
namespace sim = spawned::simulation;
using namespace std::chrono_literals;

namespace {

// Keeps the letters that it gets, and passes each on, if it has somebody to pass it to.
class Scribe : public sp::Actor<Scribe> {
 public:
  struct Letter {
    char value;
  };
  struct Read {};
  Scribe() = default;
  explicit Scribe(sp::ActorRef<Scribe> next) : next_(std::move(next)) {}

  void handle_message(Letter letter) {
    text_ += letter.value;
    if (next_) next_->send<Letter>(letter.value);
  }
  std::string handle_request(Read /*request*/) { return text_; }

 private:
  std::string text_;
  std::optional<sp::ActorRef<Scribe>> next_;
};

void send_two(sp::ActorRef<Scribe> const& to) {
  to.send<Scribe::Letter>('1');
  to.send<Scribe::Letter>('2');
}

// Three actors, two messages each, all of them waiting before the first is handled: 6 steps, of
// which each actor's two have an order. So 6! / (2! 2! 2!) = 90 runs. With nobody to pass letters
// to, the actors have nothing to do with each other: for the reduction it is one run.
sp::Task<void> three_times_two() {
  auto a = Scribe{}.start();
  auto b = Scribe{}.start();
  auto c = Scribe{}.start();
  send_two(a);
  send_two(b);
  send_two(c);
  co_await sp::sleep(1s);  // time is idle: it moves when nobody has anything to do
}

// a and b pass one letter each on to c; d gets two letters of its own. Of the first three:
//   abCC  aCbC  baCC  bCaC        C: a step of c, which needs a letter that has been passed on
// are 4 orders, and in each of them d's two steps can be at (6 choose 2) = 15 pairs of places: 60
// runs. d has nothing to do with the others, so 4 are left by the reduction: in each of them what c
// gets first, or what is there when it looks, is different.
sp::Task<void> pass_on(std::string& text, bool with_d) {
  auto c = Scribe{}.start();
  auto a = Scribe(c).start();
  auto b = Scribe(c).start();
  auto d = Scribe{}.start();
  a.send<Scribe::Letter>('a');
  b.send<Scribe::Letter>('b');
  if (with_d) send_two(d);
  co_await sp::sleep(1s);
  auto const read = co_await c.request<Scribe::Read>();
  text = read.value();
}

// b gets letters from a and from outside, and passes all on to c, which also gets one from outside.
sp::Task<void> chain(std::string& text) {
  auto c = Scribe{}.start();
  auto b = Scribe(c).start();
  auto a = Scribe(b).start();
  auto d = Scribe(b).start();
  auto e = Scribe(c).start();
  send_two(a);
  d.send<Scribe::Letter>('3');
  e.send<Scribe::Letter>('4');
  co_await sp::sleep(1s);
  auto const at_b = co_await b.request<Scribe::Read>();
  auto const at_c = co_await c.request<Scribe::Read>();
  text = at_b.value() + "|" + at_c.value();
}

// Two actors ask a third one at the same time; replies are awaited later.
class Asker : public sp::Actor<Asker> {
 public:
  struct Ask {};
  explicit Asker(sp::ActorRef<Scribe> scribe, char own) : scribe_(std::move(scribe)), own_(own) {}
  sp::Task<std::string> handle_request(Ask /*request*/) {
    auto pending = scribe_.start_request<Scribe::Read>();
    scribe_.send<Scribe::Letter>(own_);
    auto first = co_await pending;
    auto second = co_await scribe_.request<Scribe::Read>();
    co_return first.value() + "-" + second.value();
  }

 private:
  sp::ActorRef<Scribe> scribe_;
  char own_;
};

sp::Task<void> ask(std::string& text) {
  auto scribe = Scribe{}.start();
  auto one = Asker(scribe, 'x').start();
  auto other = Asker(scribe, 'y').start();
  auto first = one.start_request<Asker::Ask>();
  auto second = other.start_request<Asker::Ask>();
  auto one_says = co_await first;
  auto other_says = co_await second;
  text = one_says.value() + "," + other_says.value();
}

sim::ExploreOptions idle(sim::Strategy strategy) {
  sim::ExploreOptions options;
  options.strategy = strategy;
  options.clock = sim::ClockMode::idle;
  options.seeds = 1'000'000;
  return options;
}

struct Outcomes {
  std::set<std::string> texts;
  sim::Findings findings;
};

// All that `program` can leave in its text.
Outcomes outcomes_of(sim::Strategy strategy, sp::Task<void> (*program)(std::string&)) {
  Outcomes result;
  std::string text;
  auto const collecting = [&]() -> sp::Task<void> {
    if (!text.empty()) result.texts.insert(std::exchange(text, {}));
    return program(text);
  };
  result.findings = sim::explore(idle(strategy), collecting);
  if (!text.empty()) result.texts.insert(text);
  return result;
}

sp::Task<void> pass_on_with_d(std::string& text) { return pass_on(text, true); }
sp::Task<void> pass_on_alone(std::string& text) { return pass_on(text, false); }

// The bug: c takes it for granted that a comes first.
sp::Task<void> take_for_granted() {
  std::string text;
  co_await pass_on(text, true);
  if (text != "ab") throw std::runtime_error("c has " + text);
}

}  // namespace

TEST_SUITE("actors/simulation/enumerate") {
  TEST_CASE("3 actors with 2 messages each: 90 runs, 1 of them with the reduction") {
    auto const all = sim::explore(idle(sim::Strategy::exhaustive), three_times_two);
    CHECK(all.passed());
    CHECK(all.coverage.complete);
    CHECK(all.runs == 90);
    CHECK(all.coverage.distinct == 90);
    auto const reduced = sim::explore(idle(sim::Strategy::reduced), three_times_two);
    CHECK(reduced.passed());
    CHECK(reduced.coverage.complete);
    CHECK(reduced.runs == 1);
    CHECK(reduced.coverage.cut == 0);
  }

  TEST_CASE("messages that cause messages: 4 orders, and 60 with two that have no part in it") {
    auto const alone = outcomes_of(sim::Strategy::exhaustive, pass_on_alone);
    CHECK(alone.findings.runs == 4);
    auto const all = outcomes_of(sim::Strategy::exhaustive, pass_on_with_d);
    CHECK(all.findings.runs == 60);
    CHECK(all.findings.coverage.complete);
    auto const reduced = outcomes_of(sim::Strategy::reduced, pass_on_with_d);
    CHECK(reduced.findings.runs == 4);
    CHECK(reduced.findings.coverage.complete);
    CHECK(all.texts == std::set<std::string>{"ab", "ba"});
    CHECK(reduced.texts == all.texts);
  }

  TEST_CASE(
      "one delay away from FIFO: a run for each step at which there is somebody to pass over") {
    // Six steps, and at the last one nobody is left to be passed over; and the run without a delay.
    auto options = idle(sim::Strategy::delay_bounded);
    options.depth = 1;
    auto const findings = sim::explore(options, three_times_two);
    CHECK(findings.runs == 6);
    CHECK(findings.coverage.complete);
    // No schedule needs more delays than 2 + 2 + 2 + 1 + 1: with so many it is all of them.
    options.depth = 8;
    CHECK(sim::explore(options, three_times_two).runs == 90);
  }

  TEST_CASE("with and without the reduction the same bugs are found, and the same is reached") {
    for (auto const strategy :
         {sim::Strategy::exhaustive, sim::Strategy::reduced, sim::Strategy::delay_bounded}) {
      auto const findings = sim::explore(idle(strategy), take_for_granted);
      CHECK(findings.report.outcome == sim::Outcome::failed);
      CHECK(findings.report.problem == "c has ba");
      CHECK(sim::replay(findings.report.choices, idle(strategy), take_for_granted).problem ==
            "c has ba");
    }
    for (auto const program : {chain, ask}) {
      auto const all = outcomes_of(sim::Strategy::exhaustive, program);
      auto const reduced = outcomes_of(sim::Strategy::reduced, program);
      CHECK(all.findings.coverage.complete);
      CHECK(reduced.findings.coverage.complete);
      CHECK(all.texts.size() > 3);
      CHECK(reduced.texts == all.texts);
      CHECK(reduced.findings.runs < all.findings.runs);
      MESSAGE(all.findings.runs, " runs, reduced ", reduced.findings.runs, " and ",
              reduced.findings.coverage.cut, " cut, ", all.texts.size(), " outcomes");
    }
  }
}
