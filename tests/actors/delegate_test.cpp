#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using Kind = sp::ActorError::Kind;

namespace {

struct Find {
  std::string key;
};
struct Fetch {  // asks the front actor, which has the shard answer
  std::string key;
};
struct FetchByProtocol {
  std::string key;
};
struct FetchLater {
  std::string key;
};
struct Ping {};
struct Wrong {};

class Shard : public sp::Actor<Shard> {
 public:
  explicit Shard(std::chrono::milliseconds time) : time_(time) {}
  sp::Task<std::string> handle_request(Find find) {
    if (find.key == "throw") throw std::runtime_error("no such key");
    co_await sp::sleep(time_);
    co_return "value of " + find.key;
  }

 private:
  std::chrono::milliseconds time_;
};

using FindProtocol = sp::Protocol<std::string(Find)>;
using Response = sp::RequestResponse<std::string>;

class Front : public sp::Actor<Front> {
 public:
  explicit Front(sp::ActorRef<Shard> shard) : shard_(std::move(shard)) {}
  Response handle_request(Fetch fetch, sp::Context<Front>& context) {
    return context.delegate<Find>(shard_, std::move(fetch.key));
  }
  auto handle_request(FetchByProtocol fetch, sp::Context<Front>& context) {
    return context.delegate<Find>(FindProtocol(shard_), fetch.key);
  }
  sp::Task<Response> handle_request(FetchLater fetch, sp::Context<Front>& context) {
    co_await sp::yield_now();
    co_return context.delegate<Find>(shard_, fetch.key);
  }
  int handle_request(Ping /*request*/) { return 1; }
  bool handle_request(Wrong /*request*/, sp::Context<Front>& context) {
    try {
      (void)context.delegate<Find>(shard_, "key");
      return false;
    } catch (sp::DeferRefused const&) {
      return true;
    }
  }

 private:
  sp::ActorRef<Shard> shard_;
};

}  // namespace

TEST_SUITE("actors/delegate") {
  TEST_CASE("the reply of the actor that a request is delegated to goes to the caller") {
    auto body = []() -> sp::Task<void> {
      auto front = sp::start<Front>(sp::start<Shard>(0ms));
      auto plain = co_await front.request<Fetch>("a");
      CHECK(plain.value() == "value of a");
      auto by_protocol = co_await front.request<FetchByProtocol>("b");
      CHECK(by_protocol.value() == "value of b");
      auto later = co_await front.request<FetchLater>("c");
      CHECK(later.value() == "value of c");
    };
    sp::run(body());
  }

  TEST_CASE("an actor that has delegated a request goes on at once") {
    auto body = []() -> sp::Task<void> {
      auto front = sp::start<Front>(sp::start<Shard>(1000ms));
      auto begin = sp::now();
      auto slow = front.start_request<Fetch>("slow");
      auto ping = co_await front.request<Ping>();
      CHECK(ping.value() == 1);
      CHECK(sp::now() - begin < 1000ms);
      auto reply = co_await slow;
      CHECK(reply.value() == "value of slow");
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("the target's errors go to the caller: its failure, and its being dead at once") {
    test::LogCapture const log;
    auto body = []() -> sp::Task<void> {
      auto shard = sp::start<Shard>(0ms);
      auto front = sp::start<Front>(shard);
      auto failed = co_await front.request<Fetch>("throw");
      CHECK(failed.error() == Kind::handler_failed);
      auto dead = co_await front.request<Fetch>("a");
      CHECK(dead.error() == Kind::no_such_actor);
      auto dead_by_protocol = co_await front.request<FetchByProtocol>("a");
      CHECK(dead_by_protocol.error() == Kind::no_such_actor);
      auto ping = co_await front.request<Ping>();
      CHECK(ping.value() == 1);
    };
    sp::run(body());
  }

  TEST_CASE("a caller that gives up leaves a delegated request to itself") {
    auto body = []() -> sp::Task<void> {
      auto front = sp::start<Front>(sp::start<Shard>(1000ms));
      auto late = co_await front.request_with_timeout<Fetch>(10ms, "a");
      CHECK(late.error() == Kind::timeout);
      auto reply = co_await front.request<Fetch>("b");
      CHECK(reply.value() == "value of b");
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("the actor that delegated may end before the reply comes") {
    auto body = []() -> sp::Task<void> {
      auto front = sp::start<Front>(sp::start<Shard>(1000ms));
      auto pending = front.start_request<Fetch>("a");
      (void)co_await front.stop_and_wait();
      auto reply = co_await pending;
      CHECK(reply.value() == "value of a");
    };
    sp::run(body(), test::virtual_time());
  }

  TEST_CASE("to delegate where the request in work has another reply throws DeferRefused") {
    auto body = []() -> sp::Task<void> {
      auto front = sp::start<Front>(sp::start<Shard>(0ms));
      auto refused = co_await front.request<Wrong>();
      CHECK(refused.value());
    };
    sp::run(body());
  }
}
