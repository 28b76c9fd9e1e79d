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

struct After {
  std::chrono::milliseconds time;
  int value;
};
struct Ping {};
struct Wait {
  std::string text;
};
struct AskMyself {};

class Server : public sp::Actor<Server> {
 public:
  sp::Task<int> handle_request(After after) {
    co_await sp::sleep(after.time);
    if (after.value < 0) throw std::runtime_error("negative");
    co_return after.value;
  }
  void handle_request(Ping /*request*/) {}
  sp::Task<bool> handle_request(AskMyself /*request*/, sp::Context<Server>& context) {
    auto other = Server{}.start();
    sp::RequestSet<void> set;
    set.add("me", context.self().start_request<Ping>());
    set.add("other", other.start_request<Ping>());
    bool deadlock = false;
    while (auto next = co_await set.next()) {
      if (next->label == "me") deadlock = next->reply.error() == Kind::deadlock;
    }
    co_return deadlock;
  }
};

class Waiter : public sp::Actor<Waiter> {
 public:
  explicit Waiter(std::chrono::milliseconds time) : time_(time) {}
  sp::Task<std::string> handle_request(Wait wait) {
    co_await sp::sleep(time_);
    co_return wait.text + std::to_string(time_.count());
  }

 private:
  std::chrono::milliseconds time_;
};

std::vector<sp::ActorRef<Waiter>> waiters(std::vector<int> const& times) {
  std::vector<sp::ActorRef<Waiter>> all;
  for (int const time : times) all.push_back(sp::start<Waiter>(std::chrono::milliseconds(time)));
  return all;
}

}  // namespace

TEST_SUITE("actors/request_set") {
  TEST_CASE("REQ-05: replies come in the order of completion, the set shrinks, then no_request") {
    auto body = []() -> sp::Task<void> {
      auto a = Server{}.start();
      auto b = Server{}.start();
      auto c = Server{}.start();
      sp::RequestSet<int> set;
      set.add("a", a.start_request<After>(150ms, 1));
      set.add("b", b.start_request<After>(1ms, 2));
      set.add("c", c.start_request<After>(70ms, 3));
      CHECK(set.size() == 3);
      test::Strings order;
      while (auto next = co_await set.next()) {
        order.push_back(next->label + std::to_string(next->reply.value()));
        CHECK(set.size() == 3 - order.size());
      }
      CHECK(order == test::Strings{"b2", "c3", "a1"});
      auto none = co_await set.next();
      CHECK(none.error() == Kind::no_request);
      CHECK(set.is_empty());
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("a wait for the next reply that times out leaves the set as it is") {
    auto body = []() -> sp::Task<void> {
      auto server = Server{}.start();
      sp::RequestSet<int, int> set;
      set.add(1, server.start_request<After>(100ms, 7));
      auto none = co_await set.next_within(10ms);
      CHECK(none.error() == Kind::timeout);
      CHECK(set.size() == 1);
      auto next = co_await set.next_within(1000ms);
      CHECK(next->label == 1);
      CHECK(next->reply.value() == 7);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("requests that fail are in the set like others, and so are those to the dead") {
    test::LogCapture const log;
    auto body = []() -> sp::Task<void> {
      auto server = Server{}.start();
      auto dead = Server{}.start();
      (void)co_await dead.stop_and_wait();
      sp::RequestSet<int> set;
      set.add("failed", server.start_request<After>(0ms, -1));
      set.add("dead", dead.start_request<After>(0ms, 1));
      int errors = 0;
      while (auto next = co_await set.next()) {
        CHECK(next->reply.error() ==
              (next->label == "dead" ? Kind::no_such_actor : Kind::handler_failed));
        ++errors;
      }
      CHECK(errors == 2);
    };
    sp::run(body());
  }

  TEST_CASE("dropping a set gives up what has not come; a cancelled wait leaves it alive") {
    auto body = []() -> sp::Task<void> {
      auto server = Server{}.start();
      auto patient = [](sp::ActorRef<Server> asked) -> sp::Task<Kind> {
        sp::RequestSet<int> set;
        set.add("slow", asked.start_request<After>(1000ms, 1));
        auto next = co_await set.next();
        CHECK(set.size() == 1);
        co_return next.error().kind();
      };
      auto task = sp::spawn(patient(server));
      co_await sp::yield_now();
      task.cancel();
      auto kind = co_await std::move(task);
      CHECK(kind.value() == Kind::cancelled);
      auto again = co_await server.request<After>(0ms, 5);
      CHECK(again.value() == 5);
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("an actor that would wait for its own reply gets deadlock for that one") {
    auto body = []() -> sp::Task<void> {
      auto server = Server{}.start();
      auto deadlock = co_await server.request<AskMyself>();
      CHECK(deadlock.value());
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("GS-38: request_all asks several at once and gives each result in order") {
    auto body = []() -> sp::Task<void> {
      auto all = waiters({70, 1, 30});
      (void)co_await all[1].stop_and_wait();
      auto const begin = sp::now();
      auto replies = co_await sp::request_all<Wait>(all, "x");
      CHECK(sp::now() - begin < 100ms);
      REQUIRE(replies.size() == 3);
      CHECK(replies[0].value() == "x70");
      CHECK(replies[1].error() == Kind::no_such_actor);
      CHECK(replies[2].value() == "x30");
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("request_all has one time limit for all, and keeps what came before it") {
    auto body = []() -> sp::Task<void> {
      auto all = waiters({1000, 1, 2000});
      auto const begin = sp::now();
      auto replies = co_await sp::request_all_with_timeout<Wait>(all, 100ms, "x");
      CHECK(sp::now() - begin >= 100ms);
      CHECK(sp::now() - begin < 200ms);
      CHECK(replies[0].error() == Kind::timeout);
      CHECK(replies[1].value() == "x1");
      CHECK(replies[2].error() == Kind::timeout);
      std::vector<sp::Recipient<std::string(Wait)>> recipients(all.begin(), all.end());
      auto patient = co_await sp::request_all_with_timeout<Wait>(recipients, sp::no_timeout, "y");
      CHECK(patient[2].value() == "y2000");
      std::vector<sp::ActorRef<Waiter>> nobody;
      auto none = co_await sp::request_all<Wait>(nobody, "z");
      CHECK(none.empty());
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("request_all that is cancelled says so for each that has not answered") {
    auto body = []() -> sp::Task<void> {
      auto all = waiters({1000, 0, 1000});
      auto ask = [](std::vector<sp::ActorRef<Waiter>> refs) -> sp::Task<std::vector<bool>> {
        auto replies = co_await sp::request_all<Wait>(refs, "x");
        std::vector<bool> cancelled;
        for (auto const& reply : replies) {
          cancelled.push_back(!reply && reply.error() == Kind::cancelled);
        }
        co_return cancelled;
      };
      auto task = sp::spawn(ask(all));
      co_await sp::sleep(100ms);
      task.cancel();
      auto cancelled = co_await std::move(task);
      CHECK(cancelled.value() == std::vector<bool>{true, false, true});
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("request_first gives the first success, or the last error") {
    auto body = []() -> sp::Task<void> {
      auto all = waiters({70, 1, 30});
      (void)co_await all[1].stop_and_wait();
      auto first = co_await sp::request_first<Wait>(all, "x");
      CHECK(first.value() == "x30");
      auto late = co_await sp::request_first_with_timeout<Wait>(all, 10ms, "x");
      CHECK(late.error() == Kind::timeout);
      (void)co_await all[0].stop_and_wait();
      (void)co_await all[2].stop_and_wait();
      auto dead = co_await sp::request_first<Wait>(all, "x");
      CHECK(dead.error() == Kind::no_such_actor);
      std::vector<sp::ActorRef<Waiter>> nobody;
      auto none = co_await sp::request_first<Wait>(nobody, "x");
      CHECK(none.error() == Kind::no_request);
    };
    sp::run(body(), test::virtual_time());
  }
}
