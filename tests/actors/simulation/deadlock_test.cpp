// What the report of a deadlock says: who waits for whom, for what, and at which line.
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/runtime/oneshot.hpp>
#include <spawned/runtime/simulation.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
namespace sim = spawned::simulation;

namespace {

class Right;

// How the second half of the circle waits.
enum class Way { request, pending, end, blocking };

class Left : public sp::Actor<Left> {
 public:
  struct Count {};
  struct Meet {
    sp::ActorRef<Left> left;
    sp::ActorRef<Right> right;
    Way way;
  };
  sp::Task<std::string> handle_request(Meet meet);
  int handle_request(Count /*request*/) { return 1; }
};

class Right : public sp::Actor<Right> {
 public:
  struct Weigh {
    sp::ActorRef<Left> left;
    Way way;
  };
  sp::Task<std::string> handle_request(Weigh weigh);
};

std::string told(sp::Result<int, sp::ActorError> const& count) {
  return count ? std::to_string(*count) : count.error().what();
}

constexpr unsigned left_line = __LINE__ + 3;
sp::Task<std::string> Left::handle_request(Meet meet) {
  // clang-format off
  auto told = co_await meet.right.request_with_timeout<Right::Weigh>(sp::no_timeout, meet.left, meet.way);
  // clang-format on
  co_return told ? *told : told.error().what();
}

constexpr unsigned request_line = __LINE__ + 3;
sp::Task<std::string> Right::handle_request(Weigh weigh) {
  if (weigh.way == Way::request) {
    auto count = co_await weigh.left.request_with_timeout<Left::Count>(sp::no_timeout);
    co_return told(count);
  }
  if (weigh.way == Way::pending) {
    auto pending = weigh.left.start_request<Left::Count>();
    auto count = co_await pending;
    co_return told(count);
  }
  if (weigh.way == Way::end) {
    auto end = co_await weigh.left.wait_exit();
    co_return end ? "ended" : end.error().what();
  }
  auto const count = weigh.left.request_blocking_with_timeout<Left::Count>(sp::no_timeout);
  co_return told(count);
}
constexpr unsigned pending_line = request_line + 5;
constexpr unsigned end_line = request_line + 9;
constexpr unsigned program_line = __LINE__ + 6;

sp::Task<void> ask_each_other(Way way) {
  auto left = Left{}.start();
  auto const backend = way == Way::blocking ? sp::Backend::Blocking : sp::Backend::Async;
  auto right = Right{}.start({.backend = backend});
  auto met = co_await left.request_with_timeout<Left::Meet>(sp::no_timeout, left, right, way);
  (void)met.value();
}

std::string at(unsigned line) { return "deadlock_test.cpp:" + std::to_string(line); }

std::string problem_of(Way way) {
  sim::ExploreOptions options;
  options.seeds = 100;
  options.detect_cycles = false;
  sim::Findings const findings = sim::explore(options, [way] { return ask_each_other(way); });
  CHECK(findings.report.outcome == sim::Outcome::deadlock);
  INFO(findings.report.problem);
  CHECK(findings.report.problem.find("awaits Left::Meet of Left#1 at " + at(program_line)) !=
        std::string::npos);
  return findings.report.problem;
}

std::string circle(std::string const& second) {
  return "a circle: Left#1 awaits Right::Weigh of Right#2 at " + at(left_line) +
         ", Right#2 awaits " + second;
}

}  // namespace

TEST_SUITE("actors/simulation/deadlock") {
  TEST_CASE("a deadlock names the circle with the messages and the lines of the awaits") {
    std::string const problem = problem_of(Way::request);
    INFO(problem);
    CHECK(problem.find(circle("Left::Count of Left#1 at " + at(request_line))) !=
          std::string::npos);
  }

  TEST_CASE("so it does if one of them awaits a PendingReply") {
    std::string const problem = problem_of(Way::pending);
    INFO(problem);
    CHECK(problem.find(circle("Left::Count of Left#1 at " + at(pending_line))) !=
          std::string::npos);
  }

  TEST_CASE("so it does if one of them awaits the other's end") {
    std::string const problem = problem_of(Way::end);
    INFO(problem);
    CHECK(problem.find(circle("the end of Left#1 at " + at(end_line))) != std::string::npos);
  }

  TEST_CASE("a blocking request has its message in it, and no line") {
    std::string const problem = problem_of(Way::blocking);
    INFO(problem);
    CHECK(problem.ends_with(circle("Left::Count of Left#1")));
  }

  TEST_CASE("what is over is not told: a request that was answered, one that was never sent") {
    auto const program = []() -> sp::Task<void> {
      auto left = Left{}.start();
      auto count = co_await left.request_with_timeout<Left::Count>(sp::no_timeout);
      (void)count.value();
      auto ended = co_await left.stop_and_wait();
      (void)ended.value();
      auto refused = co_await left.request_with_timeout<Left::Count>(sp::no_timeout);
      (void)refused;
      auto never = spawned::oneshot<int>();
      (void)co_await never.receiver;
    };
    sim::Report const report = sim::run(1, program);
    INFO(report.problem);
    CHECK(report.outcome == sim::Outcome::deadlock);
    CHECK(report.problem.find("awaits") == std::string::npos);
  }

  TEST_CASE("the error of a cycle names the lines of the awaits, too") {
    for (auto const& [way, line] :
         {std::pair(Way::request, request_line), std::pair(Way::end, end_line)}) {
      std::string what;
      auto const program = [&what, way]() -> sp::Task<void> {
        auto left = Left{}.start();
        auto right = Right{}.start();
        auto met = co_await left.request_with_timeout<Left::Meet>(sp::no_timeout, left, right, way);
        what = met.value();
      };
      sim::Options options;
      options.detect_cycles = true;
      CHECK(sim::run(1, options, program).passed());
      INFO(what);
      CHECK(what.find("Right#2 -> ") != std::string::npos);
      CHECK(what.find("Left#1 -> ") != std::string::npos);
      CHECK(what.find("Right#2, at " + at(line) + ", " + at(left_line)) != std::string::npos);
    }
  }
}
