#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using Kind = sp::ActorError::Kind;

namespace {

struct Add {
  int amount;
};
struct Hold {
  test::Gate leave;
};
struct Fail {};
struct Block {};

class Counter : public sp::Actor<Counter> {
 public:
  int handle_request(Add add) { return total_ += add.amount; }
  sp::Task<void> handle_request(Hold hold) { co_await hold.leave.opened(); }
  int handle_request(Fail /*request*/) { throw 5; }
  // A handler that would block its own worker.
  std::string handle_request(Block /*request*/, sp::Context<Counter>& context) {
    try {
      (void)context.self().request_blocking<Add>(1);
    } catch (sp::BlockingInWorker const& error) {
      return error.what();
    }
    return "blocked";
  }

 private:
  int total_ = 0;
};

}  // namespace

TEST_SUITE("actors/blocking") {
  TEST_CASE("plain threads ask and block until the reply comes") {
    sp::Runtime runtime;
    auto counter = Counter().start_on(runtime);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([counter] {
        for (int k = 0; k < 500; ++k) (void)counter.request_blocking<Add>(1).value();
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(counter.request_blocking<Add>(0).value() == 2000);
  }

  TEST_CASE("a blocking request has a time limit, after which its reply is dropped") {
    sp::Runtime runtime;
    auto counter = Counter().start_on(runtime);
    test::Gate leave;
    auto held = counter.start_request<Hold>(leave);
    CHECK(counter.request_blocking_with_timeout<Add>(1ms, 1).error() == Kind::timeout);
    CHECK(counter.request_blocking_with_timeout<Add>(0ms, 1).error() == Kind::timeout);
    leave.open();
    CHECK(counter.request_blocking_with_timeout<Add>(sp::no_timeout, 0).value() == 2);
  }

  TEST_CASE("a blocking request gets the same errors as an awaited one") {
    test::LogCapture log;
    sp::Runtime runtime;
    auto counter = Counter().start_on(runtime);
    auto const failed = counter.request_blocking<Fail>();
    CHECK(failed.error() == Kind::handler_failed);
    CHECK(failed.error().reason().text() == "int 5");
    auto const dead = counter.request_blocking<Add>(1);
    CHECK(dead.error() == Kind::no_such_actor);
  }

  TEST_CASE("a blocking request from a worker throws instead of blocking it") {
    sp::Runtime runtime;
    auto counter = Counter().start_on(runtime);
    auto const what = counter.request_blocking<Block>().value();
    CHECK(what.find("request_blocking") != std::string::npos);
    CHECK(what.find("co_await") != std::string::npos);
  }

  TEST_CASE("spawn_blocking jobs may ask, because their thread is outside the runtime") {
    auto body = []() -> sp::Task<int> {
      auto counter = Counter().start();
      auto job = [counter] { return counter.request_blocking<Add>(3).value(); };
      auto result = co_await sp::spawn_blocking(sp::moved(job));
      co_return result.value();
    };
    CHECK(sp::run(body()) == 3);
  }

  TEST_CASE("wait_exit_blocking waits for the end and says why; on a worker it throws") {
    sp::Runtime runtime;
    auto counter = Counter().start_on(runtime);
    test::Gate leave;
    auto held = counter.start_request<Hold>(leave);
    auto waits = std::async(std::launch::async, [counter] { return counter.wait_exit_blocking(); });
    counter.stop(sp::ExitReason::custom("over"));
    leave.open();
    CHECK(waits.get() == sp::ExitReason::custom("over"));
    CHECK(counter.wait_exit_blocking() == sp::ExitReason::custom("over"));
    auto body = [](sp::ActorRef<Counter> ended) -> sp::Task<void> {
      CHECK_THROWS_AS((void)ended.wait_exit_blocking(), sp::BlockingInWorker);
      co_return;
    };
    runtime.block_on(body(counter));
  }

  TEST_CASE("a thread that waits is answered when the runtime ends") {
    auto runtime = std::make_unique<sp::Runtime>();
    auto counter = Counter().start_on(*runtime);
    test::Gate leave;
    auto held = counter.start_request<Hold>(leave);
    auto waits = std::async(std::launch::async, [counter] {
      return counter.request_blocking_with_timeout<Add>(sp::no_timeout, 1);
    });
    runtime.reset();
    auto const reply = waits.get();
    CHECK(!reply.has_value());
    CHECK(reply.error().reason() == sp::ExitReason::shutdown());
  }
}
