#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using Kind = sp::ActorError::Kind;

namespace {

struct Fail {};

class Worker : public sp::Actor<Worker> {
 public:
  void handle_message(Fail /*message*/) { throw 3; }
};

}  // namespace

TEST_SUITE("actors/join") {
  TEST_CASE("any number of tasks wait for one end, and each is told the reason") {
    auto waits = [](sp::ActorRef<Worker> worker, bool by_join) -> sp::Task<std::string> {
      if (by_join) {
        auto reason = co_await worker.join();
        co_return reason.value().to_string();
      }
      auto reason = co_await worker.wait_exit();
      co_return reason.value().to_string();
    };
    sp::Runtime runtime;
    auto worker = Worker().start_on(runtime);
    std::vector<sp::JoinHandle<std::string>> tasks;
    for (int i = 0; i < 100; ++i) tasks.push_back(runtime.spawn(waits(worker, i % 2 == 0)));
    worker.stop(sp::ExitReason::custom("done"));
    for (auto& task : tasks) CHECK(task.join_blocking().value() == "custom: done");
  }

  TEST_CASE("waiting for an actor that has ended does not suspend") {
    auto body = []() -> sp::Task<void> {
      auto worker = Worker().start();
      (void)co_await worker.stop_and_wait();
      auto reason = co_await worker.wait_exit(0ms);
      CHECK(reason.value() == sp::ExitReason::normal());
      CHECK(worker.exit_reason() == sp::ExitReason::normal());
    };
    sp::run(body());
  }

  TEST_CASE("a wait with a limit says timeout and can be repeated") {
    auto body = []() -> sp::Task<void> {
      auto worker = Worker().start();
      for (int i = 0; i < 3; ++i) {
        auto const begin = sp::now();
        auto none = co_await worker.wait_exit(50ms);
        CHECK(none.error() == Kind::timeout);
        CHECK(sp::now() - begin >= 50ms);
      }
      CHECK(worker.is_alive());
      worker.stop();
      auto reason = co_await worker.wait_exit(50ms);
      CHECK(reason.has_value());
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("a crash is a reason like any other to those who wait") {
    test::LogCapture log;
    auto body = []() -> sp::Task<void> {
      auto worker = Worker().start();
      worker.send<Fail>();
      auto reason = co_await worker.wait_exit();
      CHECK(reason.value().kind() == sp::ExitReason::Kind::error);
      CHECK(reason.value().text() == "int 3");
    };
    sp::run(body());
  }

  TEST_CASE("a wait through a temporary ref is safe") {
    auto body = []() -> sp::Task<void> {
      auto reason = co_await sp::start<Worker>().stop_and_wait();
      CHECK(reason.has_value());
    };
    sp::run(body());
  }
}
