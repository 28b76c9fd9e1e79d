// Actors on every backend that are asked, sent to, stopped and forgotten from tasks, from each
// other and from plain threads, while they end and while their runtime ends.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <spawned/tasks.hpp>
#include <spawned/threads.hpp>

#include "support/stress.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

namespace {

using Count = std::atomic<std::int64_t>;
constexpr sp::Backend backends[] = {sp::Backend::Async, sp::Backend::Blocking, sp::Backend::Thread};

class Server : public sp::Actor<Server> {
 public:
  struct Ask {
    std::int64_t n;
  };
  struct Nap {
    std::chrono::microseconds duration;
  };
  struct Forward {
    sp::ActorRef<Server> next;
    std::int64_t n;
  };
  struct Tick {};

  explicit Server(Count& alive) : alive_(&alive) { alive_->fetch_add(1); }
  Server(Server&& other) noexcept : alive_(other.alive_) { alive_->fetch_add(1); }
  ~Server() { alive_->fetch_sub(1); }

  std::int64_t handle_request(Ask ask) {
    stress::check(!busy_.exchange(true), "two handlers at once");
    ++handled_;
    busy_ = false;
    return ask.n + 1;
  }
  sp::Task<std::int64_t> handle_request(Nap nap) {
    co_await sp::sleep(nap.duration);
    co_return ++handled_;
  }
  sp::Task<std::int64_t> handle_request(Forward forward) {
    auto reply = co_await forward.next.request_with_timeout<Ask>(5ms, forward.n);
    co_return reply ? *reply : -1;
  }
  void handle_message(Tick /*one*/) { ++handled_; }

 private:
  Count* alive_;
  std::atomic<bool> busy_{false};
  std::int64_t handled_ = 0;
};

// One caller: asks in all ways; an answer must be right, an error must be one of those expected.
void use(stress::Random& random, sp::ActorRef<Server> const& server,
         sp::ActorRef<Server> const& other) {
  auto const expected = [](auto const& reply) {
    auto const kind = reply.error().kind();
    stress::check(
        kind == sp::ActorError::Kind::timeout || kind == sp::ActorError::Kind::no_such_actor ||
            kind == sp::ActorError::Kind::stopped || kind == sp::ActorError::Kind::handler_failed,
        "an error that nobody expects");
  };
  switch (random.below(6)) {
    case 0: {
      auto reply = server.request_blocking_with_timeout<Server::Ask>(5ms, 41);
      reply ? stress::check(*reply == 42, "a wrong answer") : expected(reply);
      break;
    }
    case 1: {
      auto reply = server.request_blocking_with_timeout<Server::Nap>(
          std::chrono::milliseconds(random.below(4)),
          std::chrono::microseconds(random.below(3000)));
      if (!reply) expected(reply);
      break;
    }
    case 2: {
      auto reply = server.request_blocking_with_timeout<Server::Forward>(20ms, other, 1);
      reply ? stress::check(*reply == 2 || *reply == -1, "a wrong answer") : expected(reply);
      break;
    }
    case 3: {
      auto pending = server.start_request<Server::Ask>(7);
      auto reply = pending.wait_for_blocking(std::chrono::microseconds(random.below(500)));
      if (!reply && reply.error() == sp::ActorError::Kind::timeout && random.one_in(2)) {
        reply = pending.wait_blocking();
        if (!reply) expected(reply);
      }
      break;
    }
    case 4:
      for (int i = 0; i < 20; ++i) server.send<Server::Tick>();
      break;
    default:
      if (random.one_in(8)) server.stop();
      break;
  }
}

void one_life(stress::Run& run, std::uint64_t number) {
  stress::Random random = run.random(number);
  Count alive{0};
  std::vector<sp::ActorRef<Server>> late;
  {
    sp::RuntimeOptions options;
    options.workers = 1 + static_cast<unsigned>(random.below(2));
    options.blocking_threads_max = 1 + static_cast<unsigned>(random.below(4));
    sp::Runtime runtime(options);
    run.on_hang([&runtime] { return stress::describe(runtime); });
    std::vector<sp::ActorRef<Server>> servers;
    for (int i = 0; i < 6; ++i) {
      sp::ActorOptions of_one;
      of_one.backend = backends[random.below(3)];
      servers.push_back(sp::start_with_on<Server>(runtime, of_one, alive));
    }
    std::vector<std::thread> callers;
    for (std::uint64_t c = 0; c < 3; ++c) {
      callers.emplace_back([&, c] {
        stress::Random own = run.random(number * 8 + c + 1);
        for (int i = 0; i < 40; ++i) {
          use(own, servers[own.below(servers.size())], servers[own.below(servers.size())]);
          run.beat();
        }
      });
    }
    bool const early_end = random.one_in(3);
    if (early_end) (void)runtime.shutdown();
    for (auto& caller : callers) caller.join();
    late = servers;
    run.on_hang(nullptr);
  }
  stress::check_equal(static_cast<std::uint64_t>(alive.load()), 0, "actors left alive");
  for (auto const& ref : late) {
    stress::check(!ref.request_blocking<Server::Ask>(1).has_value(), "a dead actor answered");
  }
}

// The threads flavour under the same load: actors that ask each other, blocking.
class Node : public spawned::threads::Actor<Node> {
 public:
  struct Add {
    std::int64_t n;
  };
  explicit Node(std::vector<spawned::threads::ActorRef<Node>> below) : below_(std::move(below)) {}
  std::int64_t handle_request(Add add) {
    std::int64_t sum = add.n;
    for (auto const& node : below_) {
      auto reply = node.request<Add>(add.n);
      if (reply) sum += *reply;
    }
    return sum;
  }

 private:
  std::vector<spawned::threads::ActorRef<Node>> below_;
};

void threads_life(stress::Run& run) {
  spawned::threads::run([&run] {
    std::vector<spawned::threads::ActorRef<Node>> leaves;
    for (int i = 0; i < 3; ++i) {
      leaves.push_back(Node(std::vector<spawned::threads::ActorRef<Node>>()).start());
    }
    auto root = Node(leaves).start();
    auto other = spawned::threads::spawn([root] {
      std::int64_t sum = 0;
      for (int i = 0; i < 20; ++i) sum += root.request<Node::Add>(1).value();
      return sum;
    });
    for (int i = 0; i < 20; ++i) {
      stress::check_equal(static_cast<std::uint64_t>(root.request<Node::Add>(2).value()), 8,
                          "the sum over the tree");
      run.beat();
    }
    stress::check_equal(static_cast<std::uint64_t>(other.join().value()), 80, "the other's sum");
  });
}

}  // namespace

int main() {
  stress::Run run("backends");
  for (std::uint64_t number = 1; run.time_left(); ++number) {
    one_life(run, number);
    threads_life(run);
  }
}
