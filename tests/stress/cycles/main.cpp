// Cycles of requests, pending replies and blocking waits: each true one is found, or somebody waits
// for ever, and nothing else is taken for one.
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include <spawned/tasks.hpp>

#include "support/stress.hpp"

namespace sp = spawned::tasks;

namespace {

using Kind = sp::ActorError::Kind;
std::atomic<std::uint64_t> asked{0};
std::atomic<std::uint64_t> found{0};

struct Ping {};
/// Ask somebody the same, `hops` times, as the digits of `how` say.
struct Ask {
  std::uint64_t how;
  unsigned hops;
};
struct AskBack {
  sp::ActorRef<class Node> whom;
};
struct PingPong {
  sp::ActorRef<class Node> with;
  unsigned yields;
};

/// The actors that ask each other; set before the first of them is asked.
class Board {
 public:
  static constexpr std::size_t places = 5;
  [[nodiscard]] sp::ActorRef<Node> const& at(std::uint64_t i) const;
  void add(sp::ActorRef<Node> node);

 private:
  std::vector<sp::ActorRef<Node>> nodes_;
};

class Node : public sp::Actor<Node> {
 public:
  Node(Board const* board, bool blocks) : board_(board), blocks_(blocks) {}

  int handle_request(Ping /*request*/) { return 1; }

  sp::Task<bool> handle_request(Ask ask) {
    if (ask.hops == 0) co_return true;
    sp::ActorRef<Node> const next = board_->at(ask.how / 4);
    std::uint64_t const how = stress::Random(ask.how).next();
    unsigned const hops = ask.hops - 1;
    asked.fetch_add(1);
    if (ask.how % 4 == 0) {
      auto reply = co_await next.request_with_timeout<Ask>(sp::no_timeout, how, hops);
      co_return told(reply);
    }
    auto pending = next.start_request<Ask>(how, hops);
    if (ask.how % 4 == 1) {
      for (int i = 0; i < 3; ++i) co_await sp::yield_now();
    }
    if (blocks_ && ask.how % 4 == 2) {
      auto reply = pending.wait_blocking();
      co_return told(reply);
    }
    auto reply = co_await pending;
    co_return told(reply);
  }

  // The other answers, and asks back: it waits while the answer is taken here.
  sp::Task<bool> handle_request(PingPong order, sp::Context<Node>& context) {
    auto pending = order.with.start_request<Ping>();
    order.with.send<AskBack>(context.self());
    for (unsigned i = 0; i < order.yields; ++i) co_await sp::yield_now();
    auto reply = co_await pending;
    co_return reply.has_value();
  }
  sp::Task<void> handle_message(AskBack order) {
    auto reply = co_await order.whom.request_with_timeout<Ping>(sp::no_timeout);
    stress::check(reply.has_value(), "a cycle that is none");
  }

 private:
  template <typename Reply>
  static bool told(Reply const& reply) {
    if (reply) return *reply;
    stress::check(reply.error() == Kind::deadlock, "neither an answer nor a cycle");
    found.fetch_add(1);
    return false;
  }
  Board const* board_;
  bool blocks_;
};

sp::ActorRef<Node> const& Board::at(std::uint64_t i) const { return nodes_[i % nodes_.size()]; }
void Board::add(sp::ActorRef<Node> node) { nodes_.push_back(std::move(node)); }

sp::Task<void> ask(stress::Run& run, Board const& board, std::uint64_t stream) {
  stress::Random random = run.random(stream);
  while (run.time_left(0.5)) {
    auto reply = co_await board.at(random.next())
                     .request_with_timeout<Ask>(sp::no_timeout, random.next(),
                                                static_cast<unsigned>(1 + random.below(6)));
    stress::check(reply.has_value(), "the first of a chain did not answer");
    run.beat();
  }
}

sp::Task<void> play(stress::Run& run, std::uint64_t stream) {
  stress::Random random = run.random(stream);
  auto left = Node(nullptr, false).start();
  auto right = Node(nullptr, false).start();
  while (run.time_left()) {
    auto reply = co_await left.request_with_timeout<PingPong>(
        sp::no_timeout, right, static_cast<unsigned>(random.below(3)));
    stress::check(reply && *reply, "a cycle that is none");
    auto asked_back = co_await right.request_with_timeout<Ping>(sp::no_timeout);
    stress::check(asked_back.has_value(), "the other does not answer");
    run.beat();
  }
}

sp::Task<void> all(std::vector<sp::JoinHandle<void>> handles) {
  for (auto& handle : handles) {
    auto done = co_await handle;
    stress::check(done.has_value(), "a client failed");
  }
}

}  // namespace

int main() {
  stress::Run run("cycles");
  sp::RuntimeOptions options;
  options.workers = 3;
  options.detect_cycles = true;
  sp::Runtime runtime(options);
  Board board;
  for (std::size_t i = 0; i < Board::places; ++i) {
    bool const blocks = i % 2 == 1;
    board.add(
        Node(&board, blocks)
            .start_on(runtime, {.backend = blocks ? sp::Backend::Thread : sp::Backend::Async}));
  }
  std::vector<sp::JoinHandle<void>> clients;
  for (std::uint64_t i = 0; i < 4; ++i) {
    clients.push_back(runtime.spawn(ask(run, board, i)));
  }
  runtime.block_on(all(std::move(clients)));
  stress::check(found > 0, "no cycle was found");
  clients.clear();
  for (std::uint64_t i = 10; i < 14; ++i) {
    clients.push_back(runtime.spawn(play(run, i)));
  }
  runtime.block_on(all(std::move(clients)));
  std::printf("  %llu requests by actors, %llu cycles\n", static_cast<unsigned long long>(asked),
              static_cast<unsigned long long>(found));
  return 0;
}
