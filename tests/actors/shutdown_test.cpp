#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"
#include "support/blocked.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

namespace {

class Part : public sp::Actor<Part> {
 public:
  struct Work {
    std::string what;
  };
  struct Wait {};
  struct StartChild {
    std::string name;
  };
  struct Block {
    test::Bolt* bolt;
  };
  struct Hold {
    test::Gate begun;
    test::Gate gate;
  };

  Part(std::string name, test::Events& events) : name_(std::move(name)), events_(&events) {}

  void handle_message(Work const& work) { events_->add(name_ + " " + work.what); }
  sp::Task<void> handle_message(Wait /*order*/) {
    co_await sp::sleep(1h);
    events_->add(name_ + " waited");
  }
  void handle_message(Block order) { order.bolt->pass(); }
  sp::Task<void> handle_message(Hold hold) {
    hold.begun.open();
    co_await hold.gate.opened();
    events_->add(name_ + " held");
  }
  void handle_request(StartChild const& order) { (void)Part(order.name, *events_).start(); }
  void teardown() { events_->add(name_ + " ended"); }

 private:
  std::string name_;
  test::Events* events_;
};

}  // namespace

TEST_SUITE("actors/shutdown") {
  TEST_CASE("shutdown stops root actors in the reverse order of their start, then their children") {
    test::Events events;
    sp::Runtime runtime;
    auto first = Part("first", events).start_on(runtime);
    auto second = Part("second", events).start_on(runtime);
    auto third = Part("third", events).start_on(runtime);
    (void)first.request_blocking<Part::StartChild>("child");
    auto const report = runtime.shutdown({.deadline = 60s, .mail = sp::UnreadMail::drain});
    CHECK(report.in_time);
    CHECK(report.late.empty());
    CHECK(events.all() ==
          test::Strings{"third ended", "second ended", "first ended", "child ended"});
  }

  TEST_CASE("the end of a runtime that nobody shut down keeps the order too") {
    test::Events events;
    {
      sp::Runtime runtime;
      for (int i = 0; i < 100; ++i) {
        (void)Part(std::to_string(i), events).start_on(runtime);
      }
    }
    auto const all = events.all();
    REQUIRE(all.size() == 100);
    for (std::size_t i = 0; i < 100; ++i) REQUIRE(all[i] == std::to_string(99 - i) + " ended");
  }

  TEST_CASE("drain: the handler in work and the mail behind it are handled before the end") {
    test::Events events;
    test::Gate const begun;
    test::Gate const gate;
    sp::Runtime runtime;
    auto part = Part("part", events).start_on(runtime);
    part.send<Part::Hold>(begun, gate);
    part.send<Part::Work>("a");
    part.send<Part::Work>("b");
    auto opener = [](test::Gate door, test::Gate at) -> sp::Task<void> {
      co_await at.opened();
      door.open();
    };
    auto other = runtime.spawn(opener(gate, begun));
    CHECK(runtime.shutdown({.deadline = 60s, .mail = sp::UnreadMail::drain}).in_time);
    CHECK(events.all() == test::Strings{"part held", "part a", "part b", "part ended"});
  }

  TEST_CASE("discard: the handler in work ends, the mail behind it is not handled") {
    test::Events events;
    test::Gate const begun;
    test::Gate const gate;
    sp::Runtime runtime;
    auto part = Part("part", events).start_on(runtime);
    auto newer = Part("newer", events).start_on(runtime);
    part.send<Part::Hold>(begun, gate);
    part.send<Part::Work>("a");
    auto unread = part.start_request<Part::StartChild>("never");
    while (!begun.is_open()) std::this_thread::yield();  // else it is told before it takes any mail
    // When the newer one has ended, the older one has been told: only then may it go on.
    auto opener = [](sp::ActorRef<Part> watched, test::Gate door) -> sp::Task<void> {
      (void)co_await watched.wait_exit();
      co_await sp::sleep(1ms);
      door.open();
    };
    auto other = runtime.spawn(opener(newer, gate));
    CHECK(runtime.shutdown({.deadline = 60s, .mail = sp::UnreadMail::discard}).in_time);
    CHECK(events.all() == test::Strings{"newer ended", "part held", "part ended"});
    CHECK(unread.wait_blocking().error() == sp::ActorError::Kind::stopped);
  }

  TEST_CASE("what has not ended at the deadline is cancelled, and named in log and report") {
    test::LogCapture const log;
    test::Events events;
    sp::Runtime runtime;
    auto part = Part("part", events).start_on(runtime);
    part.send<Part::Wait>();
    auto const report = runtime.shutdown({.deadline = 20ms, .mail = sp::UnreadMail::drain});
    CHECK_FALSE(report.in_time);
    REQUIRE(report.late.size() == 1);
    std::string const name = "Part#" + std::to_string(part.id().value);
    CHECK(report.late[0].find(name + " in ") != std::string::npos);
    CHECK(report.late[0].find("Part::Wait, suspended") != std::string::npos);
    CHECK(log.count("cannot end", "Part#") == 1);
    CHECK(events.all() == test::Strings{"part ended"});
  }

  TEST_CASE("the report names the message of a handler that blocks its worker, too") {
    test::LogCapture const log;
    test::Events events;
    test::Bolt bolt;
    sp::Runtime runtime;
    auto part = Part("part", events).start_on(runtime);
    part.send<Part::Block>(&bolt);
    while (bolt.arrived() == 0) std::this_thread::yield();
    std::thread opener([&log, &bolt] {
      while (log.count("cannot end", "Part#") == 0) std::this_thread::yield();
      bolt.open();
    });
    auto const report = runtime.shutdown({.deadline = 20ms, .mail = sp::UnreadMail::drain});
    opener.join();
    REQUIRE(report.late.size() == 1);
    CHECK(report.late[0].find("Part::Block") != std::string::npos);
    CHECK(report.late[0].find("suspended") == std::string::npos);
  }

  TEST_CASE("from the beginning of a shutdown on nothing is started from outside") {
    test::Events events;
    test::Gate const begun;
    test::Gate const gate;
    sp::Runtime runtime;
    auto part = Part("part", events).start_on(runtime);
    part.send<Part::Hold>(begun, gate);
    auto refused = [](sp::Runtime& home, test::Events& seen, test::Gate door) -> sp::Task<void> {
      try {
        for (;;) {
          (void)Part("late", seen).start_on(home);
          co_await sp::sleep(1ms);
        }
      } catch (sp::RuntimeEnded const&) {
        seen.add("refused");
      }
      door.open();
    };
    sp::Runtime other;
    auto watcher = other.spawn(refused(runtime, events, gate));
    (void)runtime.shutdown({.deadline = 60s, .mail = sp::UnreadMail::drain});
    CHECK(watcher.join_blocking().has_value());
    auto const all = events.all();
    CHECK(std::count(all.begin(), all.end(), "refused") == 1);
    CHECK(std::count(all.begin(), all.end(), "part held") == 1);
  }

  TEST_CASE("a negative deadline throws InvalidOptions; shutting down twice is allowed") {
    sp::Runtime runtime;
    CHECK_THROWS_AS((void)runtime.shutdown({.deadline = -1s}), sp::InvalidOptions);
    CHECK(runtime.shutdown({}).in_time);
    CHECK(runtime.shutdown({}).in_time);
  }
}
