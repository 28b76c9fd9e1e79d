#include <chrono>
#include <memory>
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

struct Set {
  sp::ActorRef<class Alpha> next;
};
/// Ask the next one the same, `hops` times; the last one answers, or says what error it got.
struct Ask {
  int hops;
  std::chrono::milliseconds pause = {};
};
struct AskTwo {
  sp::ActorRef<class Alpha> other;
};
struct WaitForEnd {};
struct StopNext {};
struct Ping {};

class Alpha : public sp::Actor<Alpha> {
 public:
  void handle_request(Set set) {
    next_ = std::make_unique<sp::ActorRef<Alpha>>(std::move(set.next));
  }
  int handle_request(Ping /*request*/) { return 1; }
  sp::Task<std::string> handle_request(Ask ask) {
    if (ask.pause != 0ms) co_await sp::sleep(ask.pause);
    if (ask.hops == 0) co_return "answer";
    auto reply = co_await next_->request_with_timeout<Ask>(1h, ask.hops - 1, ask.pause);
    if (reply) co_return std::move(*reply);
    co_return reply.error() == Kind::deadlock ? reply.error().what()
                                              : spawned::to_string(reply.error().kind());
  }
  sp::Task<std::string> handle_request(WaitForEnd /*request*/) {
    co_await sp::sleep(20ms);
    auto reason = co_await next_->wait_exit();
    co_return reason ? "ended" : reason.error().what();
  }
  sp::Task<std::string> handle_request(StopNext /*request*/) {
    co_await sp::sleep(20ms);
    auto reason = co_await next_->stop_and_wait();
    co_return reason ? "ended" : reason.error().what();
  }

 private:
  // No optional: g++ 12 with -fsanitize=undefined takes an empty one that is moved for
  // uninitialised.
  std::unique_ptr<sp::ActorRef<Alpha>> next_;
};

/// Answers later, and asks others meanwhile.
class Deferrer : public sp::Actor<Deferrer> {
 public:
  struct Question {};
  struct AskBack {
    sp::ActorRef<class Asker> caller;
  };
  explicit Deferrer(test::Gate asked) : asked_(std::move(asked)) {}

  sp::RequestResponse<int> handle_request(Question /*request*/, sp::Context<Deferrer>& context) {
    (void)sp::spawn(answer(context.defer<int>()));
    asked_.open();
    return sp::RequestResponse<int>::deferred();
  }
  sp::Task<std::string> handle_request(AskBack order);

 private:
  static sp::Task<void> answer(sp::ReplyTo<int> to) {
    co_await sp::sleep(50ms);
    (void)to.reply(42);
  }
  test::Gate asked_;
};

class Asker : public sp::Actor<Asker> {
 public:
  struct Begin {
    sp::ActorRef<Deferrer> of;
  };
  sp::Task<std::string> handle_request(Begin begin) {
    auto reply = co_await begin.of.request<Deferrer::Question>();
    co_return reply ? std::to_string(*reply) : reply.error().what();
  }
  struct BeginPending {
    sp::ActorRef<Deferrer> of;
    std::chrono::milliseconds pause;
  };
  sp::Task<std::string> handle_request(BeginPending begin) {
    auto pending = begin.of.start_request<Deferrer::Question>();
    co_await sp::sleep(begin.pause);
    auto reply = co_await pending;
    co_return reply ? std::to_string(*reply) : reply.error().what();
  }
  int handle_request(Ping /*request*/) { return 1; }
};

sp::Task<std::string> Deferrer::handle_request(AskBack order) {
  auto reply = co_await order.caller.request<Ping>();
  co_return reply ? std::to_string(*reply) : reply.error().what();
}

sp::Task<std::vector<sp::ActorRef<Alpha>>> ring(std::size_t size) {
  std::vector<sp::ActorRef<Alpha>> actors;
  for (std::size_t i = 0; i < size; ++i) actors.push_back(Alpha().start());
  for (std::size_t i = 0; i < size; ++i) {
    auto set = co_await actors[i].request<Set>(actors[(i + 1) % size]);
    CHECK(set.has_value());
  }
  co_return actors;
}

sp::RuntimeOptions detecting(bool detects = true) {
  sp::RuntimeOptions options = test::virtual_time();
  options.detect_cycles = detects;
  return options;
}

std::string name(sp::ActorRef<Alpha> const& actor) {
  return "Alpha#" + std::to_string(actor.id().value);
}
bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE("actors/cycle") {
  TEST_CASE("the request that closes a cycle gets deadlock at once, with the names of all") {
    auto body = [](std::size_t size, std::chrono::milliseconds pause) -> sp::Task<void> {
      auto actors = co_await ring(size);
      auto const before = sp::now();
      auto reply = co_await actors[0].request_with_timeout<Ask>(1h, 1000, pause);
      std::string const text = reply.value();
      CHECK(sp::now() - before < 1s);
      for (auto const& actor : actors) CHECK(contains(text, name(actor)));
      CHECK(text.rfind(name(actors.back())) > text.find(name(actors.front())));
      auto alive = co_await actors[0].request<Ping>();
      CHECK(alive.has_value());
    };
    for (auto const size : {std::size_t{2}, std::size_t{3}, std::size_t{10}}) {
      sp::run(body(size, 0ms), detecting());
      sp::run(body(size, 5ms), detecting());
    }
  }

  TEST_CASE("without detection the cycle ends by its time limit") {
    auto body = []() -> sp::Task<void> {
      auto actors = co_await ring(2);
      auto const before = sp::now();
      auto reply = co_await actors[0].request_with_timeout<Ask>(10s, 1000);
      CHECK(reply.error() == Kind::timeout);
      CHECK(sp::now() - before >= 10s);
    };
    sp::run(body(), detecting(false));
  }

  TEST_CASE("a long chain that is no cycle is none, nor are actors that ask one after another") {
    auto body = []() -> sp::Task<void> {
      auto actors = co_await ring(20);
      for (int i = 0; i < 50; ++i) {
        auto reply = co_await actors[0].request<Ask>(19, 1ms);
        CHECK(reply.value() == "answer");
      }
    };
    sp::run(body(), detecting());
  }

  TEST_CASE(
      "two that close a cycle from both sides at once: one at least hears of it, none hangs") {
    auto body = []() -> sp::Task<void> {
      auto actors = co_await ring(2);
      for (int i = 0; i < 300; ++i) {
        auto left = actors[0].start_request<Ask>(1);
        auto right = actors[1].start_request<Ask>(1);
        auto first = co_await left.wait_for(20s);
        auto second = co_await right.wait_for(20s);
        CHECK(first.has_value());
        CHECK(second.has_value());
        CHECK((*first == "answer" || contains(*first, "cycle")));
        CHECK((*second == "answer" || contains(*second, "cycle")));
      }
    };
    sp::RuntimeOptions options;
    options.detect_cycles = true;
    sp::run(body(), options);
  }

  TEST_CASE("an actor that has deferred its reply may ask the one that waits for it: no deadlock") {
    auto body = []() -> sp::Task<void> {
      test::Gate const asked;
      auto deferrer = Deferrer(asked).start();
      auto asker = Asker().start();
      auto first = asker.start_request<Asker::Begin>(deferrer);
      co_await asked.opened();
      auto back = co_await deferrer.request<Deferrer::AskBack>(asker);
      CHECK(back.value() == "1");
      auto reply = co_await first;
      CHECK(reply.value() == "42");
    };
    sp::run(body(), detecting());
  }

  TEST_CASE("no cycle: the reply is deferred, before the wait begins or while it lasts") {
    auto body = [](std::chrono::milliseconds pause) -> sp::Task<void> {
      test::Gate const asked;
      auto deferrer = Deferrer(asked).start();
      auto asker = Asker().start();
      auto first = asker.start_request<Asker::BeginPending>(deferrer, pause);
      co_await asked.opened();
      auto back = co_await deferrer.request<Deferrer::AskBack>(asker);
      CHECK(back.value() == "1");
      auto reply = co_await first;
      CHECK(reply.value() == "42");
    };
    sp::run(body(0ms), detecting());
    sp::run(body(10ms), detecting());
    sp::run(body(100ms), detecting());
  }

  TEST_CASE("waiting for the end of an actor that waits for the reply is a cycle too") {
    auto body = []() -> sp::Task<void> {
      auto actors = co_await ring(2);
      auto pending = actors[0].start_request<Ask>(1, 10ms);
      auto end = co_await actors[1].request<WaitForEnd>();
      CHECK(contains(end.value(), name(actors[1]) + " -> "));
      auto again = actors[0].start_request<Ask>(1, 10ms);
      auto stop = co_await actors[1].request<StopNext>();
      CHECK(contains(stop.value(), name(actors[1]) + " -> "));
      CHECK(actors[0].is_alive());
      auto reply = co_await pending;
      CHECK(reply.has_value());
      auto reply_again = co_await again;
      CHECK(reply_again.has_value());
    };
    sp::run(body(), detecting());
  }
}
