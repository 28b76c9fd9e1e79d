#include <chrono>
#include <cstddef>
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

enum class How { request, pending, late, blocking };

struct Set {
  sp::ActorRef<class Node> next;
};
/// Ask the next one the same in the way that `hows` says; after the last the answer is "answer".
struct Ask {
  std::vector<How> hows;
  std::size_t at = 0;
};
struct Ping {};
struct PingSlowly {};
/// Ask the next one and keep what is under way if it is not answered.
struct Try {};
struct TakeKept {};
struct AskMyself {};
/// Asks for Pings at once, and has the next one ask back.
struct PingPong {};
struct AskBack {
  sp::ActorRef<class Node> whom;
};
struct WaitForOther {
  sp::PendingReply<int> pending;
};
struct AskAll {
  std::vector<sp::ActorRef<class Node>> whom;
};
struct AskFirst {
  std::vector<sp::ActorRef<class Node>> whom;
};
struct BearChild {};
/// Be between the look whether the reply is there and the wait for it, with the edge published.
struct StayBetween {
  bool asked_back_before;
};

template <typename Reply>
std::string told(Reply const& reply) {
  if (reply) return "answer";
  return reply.error() == Kind::deadlock ? reply.error().what()
                                         : spawned::to_string(reply.error().kind());
}

class Node : public sp::Actor<Node> {
 public:
  void handle_request(Set set) {
    next_ = std::make_unique<sp::ActorRef<Node>>(std::move(set.next));
  }
  int handle_request(Ping /*request*/) { return 1; }
  sp::Task<int> handle_request(PingSlowly /*request*/) {
    co_await sp::sleep(20ms);
    co_return 1;
  }

  sp::Task<std::string> handle_request(Ask ask) {
    if (ask.at == ask.hows.size()) co_return "answer";
    How const how = ask.hows[ask.at];
    std::size_t const at = ask.at + 1;
    if (how == How::request) {
      auto reply = co_await next_->request_with_timeout<Ask>(1h, std::move(ask.hows), at);
      co_return reply ? *reply : told(reply);
    }
    auto pending = next_->start_request<Ask>(std::move(ask.hows), at);
    if (how == How::blocking) {
      auto reply = pending.wait_for_blocking(1h);
      co_return reply ? *reply : told(reply);
    }
    if (how == How::late) co_await sp::sleep(5ms);
    auto reply = co_await pending.wait_for(1h);
    co_return reply ? *reply : told(reply);
  }

  sp::Task<std::string> handle_request(Try /*request*/) {
    keep(next_->start_request<Ping>());
    co_await sp::sleep(5ms);
    auto reply = co_await *kept_;
    co_return told(reply);
  }
  sp::Task<std::string> handle_request(AskMyself /*request*/, sp::Context<Node>& context) {
    keep(context.self().start_request<Ping>());
    auto reply = co_await *kept_;
    co_return told(reply);
  }
  sp::Task<std::string> handle_request(TakeKept /*request*/) {
    auto reply = co_await *kept_;
    co_return told(reply);
  }

  sp::Task<std::string> handle_request(PingPong /*request*/, sp::Context<Node>& context) {
    auto pending = next_->start_request<Ping>();
    next_->send<AskBack>(context.self());
    auto reply = co_await pending;
    co_return told(reply);
  }
  sp::Task<void> handle_message(AskBack order) {
    auto reply = co_await order.whom.request<Ping>();
    CHECK(told(reply) == "answer");
  }

  // What a thread does that is interrupted there, and meanwhile the reply comes.
  sp::Task<bool> handle_request(StayBetween order, sp::Context<Node>& context) {
    namespace detail = spawned::detail;
    auto pending = next_->start_request<Ping>();
    auto* const request = std::move(pending).release();
    if (order.asked_back_before) next_->send<AskBack>(context.self());
    co_await sp::sleep(5ms);
    detail::SlotWait wait(detail::Slot::empty);
    detail::WaitTarget const target(next_->cell());
    auto* edge = detail::WaitEdge::enter(context.self().cell(), target,
                                         {.wait = &wait, .slot = &request->slot});
    if (edge == nullptr) co_return false;
    bool const closes = edge->closes_cycle();
    if (!order.asked_back_before) next_->send<AskBack>(context.self());
    co_await sp::sleep(5ms);
    detail::WaitEdge::leave(edge);
    request->destroy();
    co_return !closes;
  }

  sp::Task<std::string> handle_request(WaitForOther order) {
    auto reply = co_await order.pending;
    co_return told(reply);
  }
  sp::Task<std::vector<std::string>> handle_request(AskAll order) {
    auto replies = co_await sp::request_all<PingSlowly>(order.whom);
    std::vector<std::string> all;
    for (auto const& reply : replies) all.push_back(told(reply));
    co_return all;
  }
  sp::Task<std::string> handle_request(AskFirst order) {
    auto reply = co_await sp::request_first<PingSlowly>(order.whom);
    co_return told(reply);
  }
  sp::Task<std::string> handle_request(BearChild /*request*/, sp::Context<Node>& context);

 private:
  void keep(sp::PendingReply<int> pending) {
    kept_ = std::make_unique<sp::PendingReply<int>>(std::move(pending));
  }
  std::unique_ptr<sp::ActorRef<Node>> next_;
  std::unique_ptr<sp::PendingReply<int>> kept_;
};

/// Its init asks whoever starts it.
class Child : public sp::Actor<Child> {
 public:
  explicit Child(sp::ActorRef<Node> parent) : parent_(std::move(parent)) {}
  sp::Task<sp::InitResult> init() {
    co_await sp::sleep(5ms);
    auto reply = co_await parent_.request<Ping>();
    if (reply) co_return sp::InitResult::success();
    co_return sp::InitResult::error(sp::ExitReason::custom(told(reply)));
  }
  int handle_request(Ping /*request*/) { return 1; }

 private:
  sp::ActorRef<Node> parent_;
};

sp::Task<std::string> Node::handle_request(BearChild /*request*/, sp::Context<Node>& context) {
  auto child = co_await Child(context.self()).start_and_wait();
  co_return child ? "up" : child.error().what();
}

sp::RuntimeOptions detecting(bool detects = true) {
  sp::RuntimeOptions options = test::virtual_time();
  options.detect_cycles = detects;
  return options;
}

sp::Task<std::vector<sp::ActorRef<Node>>> ring(std::size_t size,
                                               sp::Backend backend = sp::Backend::Async) {
  std::vector<sp::ActorRef<Node>> actors;
  for (std::size_t i = 0; i < size; ++i) actors.push_back(Node().start_with_backend(backend));
  for (std::size_t i = 0; i < size; ++i) {
    auto set = co_await actors[i].request<Set>(actors[(i + 1) % size]);
    CHECK(set.has_value());
  }
  co_return actors;
}

std::string name(sp::ActorRef<Node> const& actor) {
  return "Node#" + std::to_string(actor.id().value);
}
bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}
/// One of the steps of the cycle that `text` names.
bool has_step(std::string const& text, sp::ActorRef<Node> const& from,
              sp::ActorRef<Node> const& to) {
  std::string const arrow = name(from) + " -> ";
  auto const begin = text.find(arrow);
  if (begin == std::string::npos) return false;
  std::string const rest = text.substr(begin + arrow.size());
  return contains(rest.substr(0, rest.find_first_of(";>")), name(to));
}

/// Goes once round a ring of as many actors as there are `hows`; the last one closes it.
sp::Task<void> goes_round(std::vector<How> hows, sp::Backend backend = sp::Backend::Async) {
  auto actors = co_await ring(hows.size(), backend);
  auto const before = sp::now();
  auto reply = co_await actors[0].request_with_timeout<Ask>(1h, std::move(hows));
  CHECK(sp::now() - before < 1s);
  std::string const text = reply.value();
  for (auto const& actor : actors) CHECK(contains(text, name(actor)));
  CHECK(has_step(text, actors.back(), actors.front()));
  for (auto const& actor : actors) {
    auto alive = co_await actor.request<Ping>();
    CHECK(alive.has_value());
  }
}

}  // namespace

TEST_SUITE("actors/cycle_pending") {
  TEST_CASE("the wait for a PendingReply that closes a cycle gets deadlock at once, naming all") {
    sp::run(goes_round({How::pending, How::pending}), detecting());
    sp::run(goes_round({How::late, How::late}), detecting());
    sp::run(goes_round({How::pending, How::pending, How::pending}), detecting());
    sp::run(goes_round({How::late, How::pending, How::late}), detecting());
    sp::run(goes_round(std::vector<How>(10, How::late)), detecting());
  }

  TEST_CASE("requests and pending replies may be mixed in a cycle, whoever closes it") {
    sp::run(goes_round({How::request, How::pending}), detecting());
    sp::run(goes_round({How::pending, How::request}), detecting());
    sp::run(goes_round({How::late, How::request, How::pending}), detecting());
    sp::run(goes_round({How::request, How::late, How::request}), detecting());
    sp::run(goes_round({How::request, How::request, How::late}), detecting());
  }

  TEST_CASE("blocking waits for a PendingReply are part of a cycle as well") {
    for (auto const backend : {sp::Backend::Blocking, sp::Backend::Thread}) {
      sp::run(goes_round({How::blocking, How::blocking}, backend), detecting());
      sp::run(goes_round({How::request, How::blocking, How::pending}, backend), detecting());
      sp::run(goes_round({How::pending, How::request, How::blocking}, backend), detecting());
    }
  }

  TEST_CASE("without detection a wait for a PendingReply in a cycle ends by its time limit") {
    auto body = []() -> sp::Task<void> {
      auto actors = co_await ring(2);
      auto const before = sp::now();
      auto reply =
          co_await actors[0].request_with_timeout<Ask>(10s, std::vector<How>(2, How::pending));
      CHECK(reply.error() == Kind::timeout);
      CHECK(sp::now() - before >= 10s);
    };
    sp::run(body(), detecting(false));
  }

  TEST_CASE("after deadlock the PendingReply lives on and brings the reply later") {
    auto body = []() -> sp::Task<void> {
      auto actors = co_await ring(2);
      auto first = actors[0].start_request<Ask>(std::vector<How>(2, How::request));
      auto second = co_await actors[1].request<Try>();
      CHECK(has_step(second.value(), actors[1], actors[0]));
      auto reply = co_await first;
      CHECK(reply.has_value());
      auto taken = co_await actors[1].request<TakeKept>();
      CHECK(taken.value() == "answer");
    };
    sp::run(body(), detecting());
  }

  TEST_CASE(
      "an actor that awaits its own request gets deadlock, detection or not, and it lives on") {
    auto body = []() -> sp::Task<void> {
      auto actor = Node().start();
      auto reply = co_await actor.request<AskMyself>();
      CHECK(contains(reply.value(), "an actor asked itself"));
      auto taken = co_await actor.request<TakeKept>();
      CHECK(taken.value() == "answer");
    };
    sp::run(body(), detecting());
    sp::run(body(), detecting(false));
  }

  TEST_CASE("the actor that waits is in the cycle, not the one that has started the request") {
    auto body = []() -> sp::Task<void> {
      auto actors = co_await ring(2);
      // The task starts the request, the second actor waits for the first, which waits for it.
      auto first = actors[0].start_request<Ask>(std::vector<How>(1, How::late));
      auto second = co_await actors[1].request<WaitForOther>(actors[0].start_request<Ping>());
      CHECK(second.value() == "answer");  // the first went on with its deadlock
      auto reply = co_await first;
      CHECK(has_step(reply.value(), actors[0], actors[1]));
    };
    sp::run(body(), detecting());
  }

  TEST_CASE("no cycle: a reply is there already, or comes while the wait begins") {
    auto body = []() -> sp::Task<void> {
      auto actors = co_await ring(2);
      for (int i = 0; i < 1000; ++i) {
        auto reply = co_await actors[0].request<PingPong>();
        CHECK(reply.value() == "answer");
        auto asked_back = co_await actors[1].request<Ping>();
        CHECK(asked_back.has_value());
      }
    };
    for (unsigned const workers : {1U, 2U, 4U}) {
      sp::RuntimeOptions options;
      options.detect_cycles = true;
      options.workers = workers;
      sp::run(body(), options);
    }
  }

  TEST_CASE(
      "no cycle: a reply comes after the look for it, before the wait, and whoever sent it asks") {
    auto body = [](bool before) -> sp::Task<void> {
      auto actors = co_await ring(2);
      auto open = co_await actors[0].request<StayBetween>(before);
      CHECK(open.value());
      auto asked_back = co_await actors[1].request<Ping>();
      CHECK(asked_back.has_value());
    };
    sp::run(body(true), detecting());
    sp::run(body(false), detecting());
  }

  TEST_CASE("an actor may wait for the reply of one that is gone, memory and all") {
    auto body = []() -> sp::Task<void> {
      auto waiter = Node().start();
      auto gone = std::make_unique<sp::ActorRef<Node>>(Node().start());
      auto sleeps = gone->start_request<PingSlowly>();
      auto unread = gone->start_request<Ping>();
      gone->stop();
      auto answered = waiter.start_request<WaitForOther>(std::move(sleeps));
      (void)co_await sp::yield_now();
      gone.reset();
      auto reply = co_await answered;
      CHECK(reply.value() == "answer");
      auto last = co_await waiter.request<WaitForOther>(std::move(unread));
      CHECK(last.value() == "answer");
    };
    sp::run(body(), detecting());
  }

  TEST_CASE("start_and_wait waits for its child: an init that asks the parent gets deadlock") {
    auto body = []() -> sp::Task<void> {
      auto parent = Node().start();
      auto reply = co_await parent.request<BearChild>();
      CHECK(contains(reply.value(), "Child#"));
      CHECK(contains(reply.value(), name(parent) + " -> "));
    };
    sp::run(body(), detecting());
  }

  TEST_CASE("request_all looks at each target when its turn comes, request_first at none") {
    auto body = []() -> sp::Task<void> {
      auto actors = co_await ring(2);
      auto other = Node().start();
      std::vector<sp::ActorRef<Node>> const both{other, actors[0]};
      // The first actor waits for the second, and so cannot answer it.
      auto waits = actors[0].start_request<Ask>(std::vector<How>(1, How::late));
      auto all = co_await actors[1].request<AskAll>(both);
      CHECK(all.value().at(0) == "answer");
      CHECK(has_step(all.value().at(1), actors[1], actors[0]));
      (void)co_await waits;
      auto waits_again = actors[0].start_request<Ask>(std::vector<How>(1, How::late));
      auto first = co_await actors[1].request<AskFirst>(both);
      CHECK(first.value() == "answer");
      auto reply = co_await waits_again;
      CHECK(reply.value() == "answer");
    };
    sp::run(body(), detecting());
  }
}
