// A tour in numbers, each measured just now on this machine: a million actors started and asked,
// messages round a ring, the round trip of a request.
//
// Run    ./tools/dev demo, or build/release/examples/tour
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

// waiver G23: the tour measures real time; a program would ask sp::now().
using Timer = std::chrono::steady_clock;

double seconds_since(Timer::time_point start) {
  return std::chrono::duration<double>(Timer::now() - start).count();
}
Timer::time_point start_timer() { return Timer::now(); }

class Citizen : public sp::Actor<Citizen> {
 public:
  struct Age {};
  explicit Citizen(int age) : age_(age) {}
  int handle_request(Age /*question*/) const { return age_; }

 private:
  int age_;
};

class RingNode : public sp::Actor<RingNode> {
 public:
  struct Next {
    sp::ActorRef<RingNode> node;
  };
  struct Token {
    std::int64_t hops_left;
  };

  void handle_message(Next next) { next_.emplace(std::move(next.node)); }
  void handle_message(Token token, sp::Context<RingNode>& context) {
    if (token.hops_left == 0) {
      context.stop();
    } else {
      next_->send<Token>(token.hops_left - 1);
    }
  }

 private:
  std::optional<sp::ActorRef<RingNode>> next_;
};

sp::Task<void> million_actors() {
  constexpr int count = 1'000'000;
  std::printf("Starting a million actors ...\n");
  std::fflush(stdout);
  std::vector<sp::ActorRef<Citizen>> citizens;
  citizens.reserve(count);
  auto const started = start_timer();
  for (int i = 0; i < count; ++i) citizens.push_back(Citizen(i % 100).start());
  double const start_seconds = seconds_since(started);

  auto const asked = start_timer();
  std::int64_t total = 0;
  for (auto& citizen : citizens) {
    auto age = co_await citizen.request<Citizen::Age>();
    total += age.value();
  }
  double const ask_seconds = seconds_since(asked);
  std::printf("  started in %.2f s (%.0f ns each), all asked in %.2f s (%.0f ns each), sum %lld\n",
              start_seconds, start_seconds * 1e9 / count, ask_seconds, ask_seconds * 1e9 / count,
              static_cast<long long>(total));

  auto const stopped = start_timer();
  for (auto& citizen : citizens) citizen.stop();
  for (auto& citizen : citizens) (void)co_await citizen.wait_exit();
  std::printf("  and stopped in %.2f s\n", seconds_since(stopped));
}

sp::Task<void> ring() {
  constexpr std::int64_t hops = 20'000'000;
  std::printf("Sending a message round a ring of 100 actors ...\n");
  std::fflush(stdout);
  std::vector<sp::ActorRef<RingNode>> nodes;
  for (int i = 0; i < 100; ++i) nodes.push_back(RingNode{}.start());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].send<RingNode::Next>(nodes[(i + 1) % nodes.size()]);
  }
  auto const begun = start_timer();
  nodes[0].send<RingNode::Token>(hops);
  (void)co_await nodes[0]
      .wait_exit();  // the hops are a multiple of the ring: it ends where it began
  double const seconds = seconds_since(begun);
  std::printf("  %.1f million messages a second (%.0f ns each)\n", hops / seconds / 1e6,
              seconds * 1e9 / hops);
  for (auto& node : nodes) node.stop();
}

sp::Task<void> round_trip() {
  constexpr int count = 10'000'000;
  std::printf("Asking one actor ten million times, one after the other ...\n");
  std::fflush(stdout);
  auto citizen = Citizen(42).start();
  auto const begun = start_timer();
  for (int i = 0; i < count; ++i) {
    auto age = co_await citizen.request<Citizen::Age>();
    if (!age) co_return;
  }
  std::printf("  %.0f ns a round trip, each with its 5 s timeout\n",
              seconds_since(begun) * 1e9 / count);
}

sp::Task<void> tour() {
  co_await million_actors();
  co_await ring();
  co_await round_trip();
}

int main() {
  std::printf("A tour on %u workers; every number is measured now.\n",
              sp::RuntimeOptions{}.workers);
  sp::run(tour());
  std::printf("That was the tour.\n");
}
