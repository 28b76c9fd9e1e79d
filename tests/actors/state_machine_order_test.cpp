// The order of events of a state machine, held against the rules of gen_statem written down in a
// few lines, for programs drawn at random.
#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/simulation.hpp>
#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sim = spawned::simulation;
namespace sp = spawned::tasks;

namespace {

constexpr int states = 3;
constexpr int sent = 12;

/// What the handler of an event does, the first three times it is called.
struct Plan {
  bool postpones;
  int next_state;
  int inserts;
  std::array<bool, 4> timeouts;  // of zero: of the state, of events, and two with names
};

/// The decisions of one program; both sides ask the same questions in the same order, or differ.
class Program {
 public:
  explicit Program(std::uint64_t seed) : seed_(seed) {}
  [[nodiscard]] int new_event() { return next_event_++; }
  Plan plan(int event, int state) {
    int const attempt = attempts_[event]++;
    std::uint64_t bits =
        seed_ * 1'000'003 + static_cast<std::uint64_t>((event * 8 + state) * 8 + attempt);
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    bits ^= bits >> 31;
    if (attempt == 3) return {false, state, 0, {}};
    Plan plan{};
    plan.postpones = bits % 3 == 0;
    plan.next_state = (bits >> 8) % 3 == 0 ? static_cast<int>((bits >> 12) % states) : state;
    if (next_event_ < 40) {
      plan.inserts = (bits >> 16) % 4 == 0 ? static_cast<int>((bits >> 20) % 3) : 0;
      for (unsigned i = 0; i != 4; ++i) plan.timeouts[i] = (bits >> (24 + 4 * i)) % 6 == 0;
    }
    return plan;
  }

 private:
  std::uint64_t seed_;
  int next_event_ = 0;
  std::map<int, int> attempts_;
};

/// gen_statem's rules.
std::vector<std::string> expected(std::uint64_t seed) {
  struct Event {
    int id;
    int timeout;  // which, or -1
  };
  Program program(seed);
  std::deque<Event> front;
  std::deque<Event> mail;
  std::deque<Event> postponed;
  std::vector<std::string> log;
  int state = 0;
  auto const cancel = [&front](int timeout) {
    std::erase_if(front, [timeout](Event const& each) { return each.timeout == timeout; });
  };
  for (int i = 0; i != sent; ++i) mail.push_back({program.new_event(), -1});
  while (!front.empty() || !mail.empty()) {
    auto& from = front.empty() ? mail : front;
    Event event = from.front();
    from.pop_front();
    cancel(1);
    event.timeout = -1;  // it has fired: from now on it is an event like others
    log.push_back(std::to_string(event.id) + "@" + std::to_string(state));
    Plan const plan = program.plan(event.id, state);
    std::deque<Event> inserted;
    for (int i = 0; i != plan.inserts; ++i) inserted.push_back({program.new_event(), -1});
    if (plan.postpones) postponed.push_back(event);
    if (plan.next_state != state) {
      cancel(0);
      state = plan.next_state;
      front.insert(front.begin(), postponed.begin(), postponed.end());
      postponed.clear();
    }
    front.insert(front.begin(), inserted.begin(), inserted.end());
    for (int i = 0; i != 4; ++i) {
      if (!plan.timeouts[static_cast<unsigned>(i)]) continue;
      cancel(i);
      front.push_back({program.new_event(), i});
    }
  }
  return log;
}

class Machine : public sp::StateMachine<Machine, int> {
 public:
  struct Event {
    int id;
  };
  struct Log {};
  explicit Machine(std::uint64_t seed) : StateMachine(0), program_(seed) {
    for (int i = 0; i != sent; ++i) (void)program_.new_event();
  }
  void handle_message(Event const& event, int state) {
    log_.push_back(std::to_string(event.id) + "@" + std::to_string(state));
    Plan const plan = program_.plan(event.id, state);
    for (int i = 0; i != plan.inserts; ++i) next_event<Event>(program_.new_event());
    if (plan.postpones) postpone();
    next_state(plan.next_state);
    std::chrono::seconds const zero(0);
    if (plan.timeouts[0]) set_state_timeout<Event>(zero, program_.new_event());
    if (plan.timeouts[1]) set_event_timeout<Event>(zero, program_.new_event());
    if (plan.timeouts[2]) set_timeout<Event>(2, zero, program_.new_event());
    if (plan.timeouts[3]) set_timeout<Event>(3U, zero, program_.new_event());
  }
  test::Strings handle_request(Log /*request*/) { return log_; }

 private:
  Program program_;
  test::Strings log_;
};

sp::Task<test::Strings> observed(std::uint64_t seed) {
  auto machine = sp::start<Machine>(seed);
  for (int i = 0; i != sent; ++i) machine.send<Machine::Event>(i);
  auto log = co_await machine.request<Machine::Log>();
  machine.stop();
  (void)co_await machine.join();
  co_return log.value();
}

/// Inserts two events at each message.
class Inserter : public sp::StateMachine<Inserter, int> {
 public:
  struct Note {
    char name;
    bool inserts = true;
  };
  struct Log {};
  Inserter() : StateMachine(0) {}
  void handle_message(Note const& note) {
    log_ += note.name;
    if (!note.inserts) return;
    next_event<Note>('1', false);
    next_event<Note>('2', false);
  }
  std::string handle_request(Log /*request*/) { return log_; }

 private:
  std::string log_;
};

sp::Task<void> write_notes(sp::ActorRef<Inserter> inserter, char from) {
  for (char name = from; name != from + 3; ++name) inserter.send<Inserter::Note>(name);
  co_return;
}

}  // namespace

TEST_SUITE("actors/state_machine_order") {
  TEST_CASE("events come in the order that gen_statem's rules give, for random machines") {
    test::LogCapture const quiet;  // what stays postponed becomes dead letters
    std::size_t handled = 0;
    for (std::uint64_t seed = 0; seed != 500; ++seed) {
      CAPTURE(seed);
      auto const seen = sp::run(observed(seed));
      CHECK(seen == expected(seed));
      handled += seen.size();
    }
    CHECK(handled > 500 * sent * 2);
  }

  TEST_CASE("a simulation that reorders mail leaves inserted events in their place") {
    sim::Options options;
    options.clock = sim::ClockMode::idle;
    options.faults.reorder = 0.8;
    std::set<std::string> seen;
    std::string log;
    auto const program = [&log]() -> sp::Task<void> {
      auto inserter = Inserter().start();
      auto one = sp::spawn(write_notes(inserter, 'a'));
      auto two = sp::spawn(write_notes(inserter, 'x'));
      (void)co_await std::move(one);
      (void)co_await std::move(two);
      auto reply = co_await inserter.request<Inserter::Log>();
      log = reply.value();
    };
    for (std::uint64_t seed = 0; seed != 300; ++seed) {
      CHECK(sim::run(seed, options, program).passed());
      for (std::size_t i = 0; i < log.size(); i += 3) CHECK(log.substr(i + 1, 2) == "12");
      seen.insert(log);
    }
    CHECK(seen.size() > 5);  // the mail itself was reordered
  }
}
