#include <spawned/actors/testing/probe.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/actors/testing/peek.hpp>
#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/simulation/stepper.hpp>
#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
namespace sim = spawned::simulation;
namespace testing = spawned::testing;
using namespace std::chrono_literals;

namespace probe_test {

struct Said {
  std::string text;
};
struct Left {};
struct CountMembers {};
struct Parcel {
  std::unique_ptr<int> content;
};

}  // namespace probe_test

namespace {

using probe_test::CountMembers;
using probe_test::Left;
using probe_test::Parcel;
using probe_test::Said;

// Tells a listener what it hears, later.
class Echo : public sp::Actor<Echo> {
 public:
  struct Say {
    std::string text;
    std::chrono::milliseconds after;
  };
  struct Ask {};

  using Listener = sp::Protocol<Said, int(CountMembers)>;
  explicit Echo(Listener listener) : listener_(std::move(listener)) {}

  sp::Task<void> handle_message(Say say) {
    co_await sp::sleep(say.after);
    listener_.send<Said>(std::move(say.text));
  }
  sp::Task<int> handle_request(Ask /*request*/) {
    auto const count = co_await listener_.request<CountMembers>();
    co_return count.has_value() ? *count : -1;
  }

 private:
  Listener listener_;
};

using Member = testing::Probe<Said, Left, int(CountMembers)>;

// The same program on the real runtime, with time that jumps, and in simulations.
void everywhere(sp::Task<void> (*program)()) {
  CHECK_NOTHROW(sp::run(program, test::virtual_time()));
  sim::ExploreOptions options;
  options.seeds = 50;
  options.clock = sim::ClockMode::idle;
  auto const findings = sim::explore(options, program);
  CHECK_MESSAGE(findings.passed(), findings.to_string());
}

// What the failure says on the real runtime.
std::string failure_of(sp::Task<void> (*program)()) {
  try {
    sp::run(program, test::virtual_time());
  } catch (testing::ExpectationFailed const& failed) {
    std::string const text = failed.what();
    auto const file = text.find("probe_test.cpp:");
    return file == std::string::npos ? text : text.substr(text.find(' ', file) + 1);
  }
  return "no failure";
}

}  // namespace

TEST_SUITE("actors/probe") {
  TEST_CASE("a probe stands for an actor, and gives what it has got in order") {
    everywhere([]() -> sp::Task<void> {
      Member member;
      auto echo = Echo(member).start();
      echo.send<Echo::Say>("one", 10ms);
      echo.send<Echo::Say>("two", 10ms);
      auto const one = co_await member.expect<Said>();
      auto const two = co_await member.expect<Said>(1s);
      if (one.text != "one" || two.text != "two") throw std::runtime_error("wrong order");
      if (!member.waiting().empty()) throw std::runtime_error(member.waiting());
    });
  }

  TEST_CASE("a request waits until the test has answered it") {
    everywhere([]() -> sp::Task<void> {
      Member member;
      auto echo = Echo(member).start();
      auto count = echo.start_request<Echo::Ask>();
      auto asked = co_await member.expect_request<CountMembers>();
      if (count.is_ready()) throw std::runtime_error("answered too early");
      if (asked.reply(7) != sp::ReplyResult::sent) throw std::runtime_error("nobody waits");
      auto const answer = co_await count;
      if (answer.value() != 7) throw std::runtime_error("another answer");
      auto failing = echo.start_request<Echo::Ask>();
      auto again = co_await member.expect_request<CountMembers>();
      (void)again.fail(sp::ActorError(sp::ActorError::Kind::unused));
      auto const failed = co_await failing;
      if (failed.value() != -1) throw std::runtime_error("no error");
    });
  }

  TEST_CASE("a request that the test drops, or leaves to the end, is unanswered") {
    everywhere([]() -> sp::Task<void> {
      auto member = std::make_unique<Member>();
      auto echo = Echo(*member).start();
      auto first = echo.start_request<Echo::Ask>();
      {
        auto asked = co_await member->expect_request<CountMembers>();
      }
      auto const one = co_await first;
      if (one.value() != -1) throw std::runtime_error("answered");
      auto second = echo.start_request<Echo::Ask>();
      co_await sp::sleep(1s);
      member.reset();
      auto const other = co_await second;
      if (other.value() != -1) throw std::runtime_error("answered");
    });
  }

  TEST_CASE("expect takes messages that cannot be copied") {
    everywhere([]() -> sp::Task<void> {
      testing::Probe<Parcel> probe;
      sp::Recipient<Parcel> const recipient = probe;
      recipient.send<Parcel>(std::make_unique<int>(42));
      auto const parcel = co_await probe.expect<Parcel>();
      if (*parcel.content != 42) throw std::runtime_error("another parcel");
    });
  }

  TEST_CASE("fish takes out what comes before") {
    everywhere([]() -> sp::Task<void> {
      Member member;
      for (char const* text : {"one", "two", "three"}) member.ref().send<Said>(text);
      auto const three =
          co_await member.fish<Said>([](Said const& said) { return said.text.size() == 5; });
      if (three.text != "three") throw std::runtime_error(three.text);
      co_await member.expect_nothing(1s);
    });
  }

  TEST_CASE("expect_no lets the time pass and keeps the others") {
    everywhere([]() -> sp::Task<void> {
      Member member;
      auto const begin = sp::now();
      member.ref().send<Said>("hello");
      co_await member.expect_no<Left>(30s);
      if (sp::now() - begin < 30s) throw std::runtime_error("too early");
      auto const said = co_await member.expect<Said>();
      if (said.text != "hello") throw std::runtime_error(said.text);
    });
  }

  TEST_CASE("within returns what the task does in time") {
    everywhere([]() -> sp::Task<void> {
      auto const work = []() -> sp::Task<int> {
        co_await sp::sleep(5s);
        co_return 3;
      };
      auto const three = co_await testing::within(4s, 6s, work());
      if (three != 3) throw std::runtime_error("another value");
    });
  }

  TEST_CASE("a failure says where, what was expected and what came instead") {
    auto const instead = failure_of([]() -> sp::Task<void> {
      Member member;
      member.ref().send<Left>();
      auto const said = co_await member.expect<Said>();
      (void)said;
    });
    CHECK(instead ==
          "expect<probe_test::Said>: instead came "
          "probe_test::Left");
    auto const nothing = failure_of([]() -> sp::Task<void> {
      Member member;
      auto asked = co_await member.expect_request<CountMembers>(2s);
    });
    CHECK(nothing == "expect_request<probe_test::CountMembers>: nothing came within 2 s");
    auto const fished = failure_of([]() -> sp::Task<void> {
      Member member;
      member.ref().send<Left>();
      member.ref().send<Said>("no");
      auto const said = co_await member.fish<Said>([](Said const&) { return false; }, 250ms);
      (void)said;
    });
    CHECK(fished ==
          "fish<probe_test::Said>: nothing came within 250 ms, but before it "
          "probe_test::Left, probe_test::Said");
    auto const unwanted = failure_of([]() -> sp::Task<void> {
      Member member;
      member.ref().send<Said>("hello");
      co_await member.expect_no<Said>(1s);
    });
    CHECK(unwanted ==
          "expect_no<probe_test::Said>: instead came "
          "probe_test::Said");
    auto const anything = failure_of([]() -> sp::Task<void> {
      Member member;
      member.ref().send<Left>();
      co_await member.expect_nothing(1s);
    });
    CHECK(anything == "expect_nothing: instead came probe_test::Left");
  }

  TEST_CASE("within fails for too much time and for too little") {
    auto const late = failure_of([]() -> sp::Task<void> {
      auto const work = []() -> sp::Task<void> { co_await sp::sleep(5s); };
      co_await testing::within(0s, 4s, work());
    });
    CHECK(late == "within: it takes more than 4 s");
    auto const early = failure_of([]() -> sp::Task<void> {
      auto const work = []() -> sp::Task<void> { co_await sp::sleep(5s); };
      co_await testing::within(6s, 10s, work());
    });
    CHECK(early == "within: it takes only 5 s, less than 6 s");
  }

  TEST_CASE("in a simulation a message that never comes is a deadlock") {
    auto const report = sim::run(1, []() -> sp::Task<void> {
      Member member("the member");
      auto const said = co_await member.expect<Said>();
      (void)said;
    });
    CHECK(report.outcome == sim::Outcome::deadlock);
    CHECK(report.problem.find("the member") != std::string::npos);
  }

  TEST_CASE("a probe can be started outside of its runtime") {
    spawned::Runtime runtime(test::virtual_time());
    Member member(runtime);
    member.ref().send<Said>("hello");
    auto const body = [](Member& probe) -> sp::Task<std::string> {
      auto said = co_await probe.expect<Said>();
      co_return said.text;
    };
    CHECK(runtime.block_on(body(member)) == "hello");
    CHECK_THROWS_AS(Member(), sp::NoRuntime);
  }

  TEST_CASE("a stepper delivers messages one by one, to whom the test says") {
    sim::Stepper stepper;
    Member one("one");
    Member other("other");
    stepper.run_until_idle();
    one.ref().send<Said>("a");
    one.ref().send<Said>("b");
    other.ref().send<Said>("c");
    stepper.deliver_to(other.ref());
    CHECK(other.waiting() == "probe_test::Said");
    CHECK(one.waiting().empty());
    stepper.deliver_to(one.ref());
    CHECK(one.waiting() == "probe_test::Said");
    REQUIRE(stepper.ready_count() == 1);
    CHECK(stepper.ready()[0].find("(1 message)") != std::string::npos);
    CHECK_THROWS_WITH_AS(stepper.deliver_to(other.ref()), doctest::Contains("has nothing to do"),
                         sim::CannotStep);
    stepper.deliver_to(sp::Recipient<Said>(one));
    CHECK(stepper.is_idle());
    auto const b = [](Member& probe) -> sp::Task<std::string> {
      auto said = co_await probe.fish<Said>([](Said const& it) { return it.text == "b"; });
      co_return said.text;
    };
    CHECK(stepper.block_on(b(one)) == "b");
  }

  TEST_CASE("a timer's message comes when a stepper moves time") {
    sim::Stepper stepper;
    Member member;
    auto const timer = sp::send_after<Said>(30s, member.ref(), "late");
    stepper.run_for(29s);
    CHECK(member.waiting().empty());
    stepper.run_for(1s);
    CHECK(member.waiting() == "probe_test::Said");
  }

  TEST_CASE("peek looks into an actor between steps, and only in a simulation") {
    class Vault : public sp::Actor<Vault> {
     public:
      struct Set {
        int value;
      };
      void handle_message(Set set) { balance = set.value; }
      int balance = 100;
    };
    {
      sim::Stepper stepper;
      auto const vault = Vault{}.start();
      vault.send<Vault::Set>(1);
      CHECK(testing::peek(vault)->balance == 100);
      stepper.run_until_idle();
      CHECK(testing::peek(vault)->balance == 1);
      vault.stop();
      stepper.run_until_idle();
      CHECK(testing::peek(vault) == nullptr);
    }
    spawned::Runtime runtime;
    auto const vault = Vault{}.start_on(runtime);
    CHECK_THROWS_AS((void)testing::peek(vault), sim::OnlySimulated);
  }
}
