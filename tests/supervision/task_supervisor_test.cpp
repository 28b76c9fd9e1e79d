#include <spawned/supervision/task_supervisor.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/actors/links.hpp>
#include <spawned/tasks.hpp>

#include "support/actors.hpp"
#include "support/servers.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using spawned::Restart;
using spawned::SupervisorError;
using Reason = sp::ExitReason;
using Kind = SupervisorError::Kind;
using test::boom;
using test::Log;
using test::LogPtr;
using test::Ping;
using test::servers;
using test::Texts;
using test::with;

using spawned::DynamicSupervisor;
using spawned::TaskSupervisor;
using Error = sp::ActorError::Kind;

namespace {

struct Go {};
struct Fails {};

/// Awaits linked tasks.
class Caller : public sp::Actor<Caller> {
 public:
  explicit Caller(TaskSupervisor tasks) : tasks_(std::move(tasks)) {}
  sp::Task<int> handle_request(Go, sp::Context<Caller>& context) {
    auto task = co_await tasks_.async(context, [] { return 42; });
    auto result = co_await task.value().await();
    co_return result.value();
  }
  sp::Task<int> handle_request(Fails, sp::Context<Caller>& context) {
    auto fails = []() -> sp::Task<int> {
      co_await sp::sleep(10ms);
      throw std::runtime_error("boom");
    };
    auto task = co_await tasks_.async(context, fails);
    auto result = co_await task.value().await();
    co_return result.has_value() ? 1 : 0;
  }
  /// A task that is linked, and ended by its caller, who goes on.
  sp::Task<int> handle_request(Ping, sp::Context<Caller>& context) {
    auto sleeps = []() -> sp::Task<int> {
      co_await sp::sleep(1h);
      co_return 1;
    };
    auto task = co_await tasks_.async(context, sleeps);
    auto result = co_await task.value().shutdown(context);
    co_return result.has_value() ? 1 : 0;
  }
  sp::Task<void> handle_message(Go, sp::Context<Caller>& context) {
    auto sleeps = []() -> sp::Task<void> { co_await sp::sleep(1h); };
    auto task = co_await tasks_.async(context, sleeps);
    (void)co_await task.value().await(2h);
  }

 private:
  TaskSupervisor tasks_;
};

class Watcher : public sp::Actor<Watcher> {
 public:
  explicit Watcher(LogPtr log) : log_(std::move(log)) {}
  void handle_request(spawned::ChildRef const& ref, sp::Context<Watcher>& context) {
    (void)context.monitor(ref);
  }
  void handle_message(spawned::Down const& down) {
    log_->events.add("down " + down.reason.to_string());
  }

 private:
  LogPtr log_;
};

TaskSupervisor task_supervisor() { return TaskSupervisor(DynamicSupervisor().start()); }

sp::Task<int> later(std::chrono::milliseconds time, int value) {
  co_await sp::sleep(time);
  co_return value;
}
auto value_after(std::chrono::milliseconds time, int value) {
  return [time, value] { return later(time, value); };
}
sp::Task<std::size_t> running(TaskSupervisor tasks) {
  auto count = co_await tasks.supervisor().request<DynamicSupervisor::CountChildren>();
  co_return count.value().active;
}
sp::Task<void> stop(TaskSupervisor tasks) { (void)co_await tasks.supervisor().stop_and_wait(); }

}  // namespace

TEST_SUITE("supervision/task_supervisor") {
  TEST_CASE(
      "TASK-01, TASK-09: a task gives its value; one that fails ends the caller it is linked to") {
    auto body = []() -> sp::Task<void> {
      auto tasks = task_supervisor();
      auto caller = Caller(tasks).start();
      auto value = co_await caller.request<Go>();
      CHECK(value.value() == 42);
      auto failed = co_await caller.request<Fails>();
      CHECK_FALSE(failed.has_value());
      auto end = co_await caller.wait_exit();
      CHECK(end.value().to_string() == boom);
      auto left = co_await running(tasks);
      CHECK(left == 0);
      co_await stop(tasks);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a linked task ends with its caller, and a caller that ends its task goes on") {
    auto body = []() -> sp::Task<void> {
      auto tasks = task_supervisor();
      auto caller = Caller(tasks).start();
      auto ended = co_await caller.request<Ping>();
      CHECK(ended.value() == 0);
      caller.send<Go>();
      co_await sp::sleep(1ms);
      auto now = co_await running(tasks);
      CHECK(now == 1);
      caller.exit(Reason::custom("enough"));
      (void)co_await caller.wait_exit();
      co_await sp::sleep(1ms);
      now = co_await running(tasks);
      CHECK(now == 0);
      co_await stop(tasks);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("TASK-02: an await that is over leaves nothing behind when the task answers later") {
    auto body = []() -> sp::Task<void> {
      auto tasks = task_supervisor();
      auto task = co_await tasks.async_nolink(value_after(1s, 7));
      auto early = co_await task.value().await(10ms);
      CHECK(early.error().kind() == Error::timeout);
      auto value = co_await task.value().await();
      CHECK(value.value() == 7);
      auto twice = co_await task.value().await();
      CHECK(twice.error().kind() == Error::unanswered);
      co_await stop(tasks);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("TASK-03, TASK-04: yield gives the failure, or nothing yet, and then the value") {
    auto body = []() -> sp::Task<void> {
      auto tasks = task_supervisor();
      auto fails = []() -> int { throw std::runtime_error("boom"); };
      auto bad = co_await tasks.async_nolink(fails);
      auto failure = co_await bad.value().yield(1s);
      CHECK(failure.value().error().kind() == Error::handler_failed);
      CHECK(failure.value().error().reason().to_string() == boom);
      auto good = co_await tasks.async_nolink(value_after(100ms, 1));
      auto nothing = co_await good.value().yield(10ms);
      CHECK_FALSE(nothing.has_value());
      auto value = co_await good.value().yield(1s);
      CHECK(value.value().value() == 1);
      co_await stop(tasks);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("TASK-05, TASK-06: shutdown and kill end a task; one that was done gives its value") {
    auto body = []() -> sp::Task<void> {
      auto tasks = task_supervisor();
      auto slow = co_await tasks.async_nolink(value_after(1h, 1));
      auto none = co_await slow.value().shutdown();
      CHECK_FALSE(none.has_value());
      CHECK_FALSE(slow.value().ref().cell().exit_reason().is_abnormal());
      auto slower = co_await tasks.async_nolink(value_after(1h, 1));
      none = co_await slower.value().kill();
      CHECK_FALSE(none.has_value());
      auto done = co_await tasks.async_nolink(value_after(1ms, 1));
      co_await sp::sleep(10ms);
      auto value = co_await done.value().shutdown();
      CHECK(value.value().value() == 1);
      auto killed = co_await tasks.async_nolink(value_after(1h, 1));
      killed.value().ref().cell().exit(Reason::Kind::kill);
      auto reason = co_await killed.value().shutdown();
      CHECK(reason.value().error().kind() == Error::stopped);
      CHECK(reason.value().error().reason() == Reason(Reason::Kind::killed));
      co_await stop(tasks);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("TASK-07: a stream gives its results in the order of the items, so many at a time") {
    auto body = []() -> sp::Task<void> {
      auto tasks = task_supervisor();
      std::vector<int> items{50, 40, 30, 20, 10, 0};
      auto busy = std::make_shared<std::pair<int, int>>();
      auto work = [busy](int item) -> sp::Task<int> {
        busy->second = std::max(busy->second, ++busy->first);
        co_await sp::sleep(std::chrono::milliseconds(item));
        --busy->first;
        co_return item * 2;
      };
      spawned::TaskStreamOptions options;
      options.max_concurrency = 3;
      auto stream = tasks.async_stream(items, work, options);
      std::vector<int> results;
      for (;;) {
        auto next = co_await stream.next();
        if (!next) break;
        results.push_back(next->value());
      }
      CHECK(results == std::vector<int>{100, 80, 60, 40, 20, 0});
      CHECK(busy->second == 3);
      options.max_concurrency = 0;
      CHECK_THROWS_AS((void)tasks.async_stream(items, work, options), sp::InvalidOptions);
      co_await stop(tasks);
    };
    auto options = test::virtual_time();
    options.workers = 1;
    sp::run(body(), options);
  }
  TEST_CASE("a stream kills what takes too long, and what is left when it goes") {
    auto body = []() -> sp::Task<void> {
      auto tasks = task_supervisor();
      spawned::TaskStreamOptions options;
      options.max_concurrency = 2;
      options.timeout = 1s;
      auto work = [](int item) { return later(std::chrono::milliseconds(item), item); };
      {
        auto stream = tasks.async_stream(std::vector<int>{5000, 1, 60'000, 60'000}, work, options);
        auto late = co_await stream.next();
        CHECK(late->error().kind() == Error::timeout);
        auto next = co_await stream.next();
        CHECK(next->value() == 1);
      }
      co_await sp::sleep(1ms);
      auto left = co_await running(tasks);
      CHECK(left == 0);
      co_await stop(tasks);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("TASK-10: a task that fails without a link is told of by its monitor") {
    auto body = []() -> sp::Task<void> {
      auto log = std::make_shared<Log>();
      auto tasks = task_supervisor();
      auto fails = []() -> sp::Task<void> {
        co_await sp::sleep(10ms);
        throw std::runtime_error("boom");
      };
      auto task = co_await tasks.async_nolink(fails);
      auto watcher = Watcher(log).start();
      auto const& ref = task.value().ref();
      (void)co_await watcher.request<spawned::ChildRef>(ref);
      co_await test::seen(log, 1);
      CHECK(log->events.take() == Texts{"down " + boom});
      CHECK(tasks.supervisor().is_alive());
      (void)co_await watcher.stop_and_wait();
      co_await stop(tasks);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("TASK-11: a task that is killed is not begun again, unless it was to be") {
    auto body = []() -> sp::Task<void> {
      auto tasks = task_supervisor();
      auto begun = std::make_shared<int>(0);
      auto work = [begun]() -> sp::Task<void> {
        ++*begun;
        co_await sp::sleep(1h);
      };
      auto once = co_await tasks.start_child(work);
      co_await sp::sleep(1ms);
      once.value().cell().exit(Reason::Kind::kill);
      co_await sp::sleep(1ms);
      CHECK(*begun == 1);
      auto left = co_await running(tasks);
      CHECK(left == 0);
      auto again = co_await tasks.start_child(work, Restart::transient);
      co_await sp::sleep(1ms);
      again.value().cell().exit(Reason::Kind::kill);
      co_await sp::sleep(1ms);
      CHECK(*begun == 3);
      co_await stop(tasks);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("TASK-12: yield_many gives what there is in time") {
    auto body = []() -> sp::Task<void> {
      auto tasks = task_supervisor();
      std::vector<spawned::SupervisedTask<int>> all;
      auto one = co_await tasks.async_nolink([]() -> sp::Task<int> { co_return 1; });
      all.push_back(std::move(one.value()));
      auto two = co_await tasks.async_nolink([]() -> sp::Task<int> {
        co_await sp::sleep(1h);
        co_return 2;
      });
      all.push_back(std::move(two.value()));
      auto three = co_await tasks.async_nolink([]() -> sp::Task<int> {
        throw std::runtime_error("boom");
        co_return 3;
      });
      all.push_back(std::move(three.value()));
      auto const begin = sp::now();
      auto results = co_await spawned::yield_many(all, 100ms);
      CHECK(sp::now() - begin < 150ms);
      CHECK(results[0].value().value() == 1);
      CHECK_FALSE(results[1].has_value());
      CHECK(results[2].value().error().kind() == Error::handler_failed);
      co_await stop(tasks);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a task under a supervisor that has ended, or is full, is refused") {
    auto body = []() -> sp::Task<void> {
      spawned::DynamicOptions options;
      options.max_children = 0;
      TaskSupervisor full(DynamicSupervisor(options).start());
      auto refused = co_await full.async_nolink([] {});
      CHECK(refused.error() == Kind::max_children);
      auto stream = full.async_stream(std::vector<int>{1}, [](int i) { return i; });
      auto item = co_await stream.next();
      CHECK(item->error().kind() == Error::init_failed);
      co_await stop(full);
      auto gone = co_await full.async_nolink([] {});
      CHECK(gone.error() == Kind::shutting_down);
      auto nothing = co_await full.start_child([] {});
      CHECK(nothing.error() == Kind::shutting_down);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("tasks end with their supervisor") {
    auto body = []() -> sp::Task<void> {
      auto tasks = task_supervisor();
      auto task = co_await tasks.async_nolink(value_after(1h, 1));
      co_await stop(tasks);
      auto result = co_await task.value().await();
      CHECK(result.error().kind() == Error::stopped);
      CHECK(result.error().reason() == Reason::shutdown());
    };
    sp::run(body(), test::virtual_time());
  }
}
