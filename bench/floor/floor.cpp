// The floor's workloads; each mirrors the benchmark of the same name in bench/micro/actors.cpp.
#include "floor/floor.hpp"

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "micro/measure.hpp"

namespace {

using bench_floor::Actor;
using bench_floor::Node;
using bench_floor::Thread;

// A client writes its question into a node, the server its answer into the same node, and the
// client's continuation is a ready actor without mail.
struct Client : Actor {
  Client() : Actor(&resume) {}
  static void resume(Actor& self, Node& reply, Thread& thread);
  Actor* server = nullptr;
  std::int64_t left = 0;
  std::int64_t sum = 0;
};

void ask(Client& client, Thread& thread) {
  Node& node = *thread.allocate();
  node.value = 1;
  node.extra = &client;
  thread.send(*client.server, node);
}

void answer(Actor& /*self*/, Node& node, Thread& thread) {
  node.value += 1;
  auto& client = *static_cast<Client*>(node.extra);
  client.head = &node;  // the reply slot: one receiver, already waiting
  thread.make_ready(client);
}

void Client::resume(Actor& self, Node& reply, Thread& thread) {
  auto& client = static_cast<Client&>(self);
  client.sum += reply.value;
  thread.release(reply);
  if (--client.left > 0) ask(client, thread);
}

void request(benchmark::State& state) {
  constexpr std::int64_t batch = 200'000;
  Thread thread;
  Actor server(&answer);
  Client client;
  client.server = &server;
  bench::measure(state, batch, [&] {
    client.left = batch;
    ask(client, thread);
    while (Actor* const actor = thread.ready) {
      if (actor == &client) {  // resumed with its reply, no mailbox
        thread.ready = actor->next_ready;
        Client::resume(client, *client.head, thread);
      } else {
        thread.run_one();
      }
    }
  });
  benchmark::DoNotOptimize(client.sum);
}
BENCHMARK(request)->Name("floor::request")->UseManualTime();

struct RingActor : Actor {
  RingActor() : Actor(&pass) {}
  static void pass(Actor& self, Node& node, Thread& thread) {
    std::int64_t const left = node.value;
    thread.release(node);
    if (left == 0) return;
    Node& next = *thread.allocate();
    next.value = left - 1;
    thread.send(*static_cast<RingActor&>(self).next, next);
  }
  Actor* next = nullptr;
};

void run_ring(benchmark::State& state, std::size_t actors) {
  constexpr std::int64_t batch = 500'000;
  Thread thread;
  std::vector<std::unique_ptr<RingActor>> ring;
  for (std::size_t i = 0; i < actors; ++i) ring.push_back(std::make_unique<RingActor>());
  for (std::size_t i = 0; i < actors; ++i) ring[i]->next = ring[(i + 1) % actors].get();
  bench::measure(state, batch, [&] {
    Node& token = *thread.allocate();
    token.value = batch - 1;
    thread.send(*ring[0], token);
    while (thread.run_one()) {
    }
  });
}
void send_ring(benchmark::State& state) { run_ring(state, 100); }
BENCHMARK(send_ring)->Name("floor::send_ring")->UseManualTime();
void ping_pong(benchmark::State& state) { run_ring(state, 2); }
BENCHMARK(ping_pong)->Name("floor::ping_pong")->UseManualTime();

// 16 senders, each 1,000 messages a turn, until each has sent its share.
struct Sink : Actor {
  Sink() : Actor(&take) {}
  static void take(Actor& self, Node& node, Thread& thread) {
    auto& sink = static_cast<Sink&>(self);
    sink.sum += node.value;
    sink.received.store(sink.received.load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
    thread.release(node);
  }
  std::int64_t sum = 0;
  std::atomic<std::int64_t> received{0};
};

struct Sender : Actor {
  Sender() : Actor(&flood) {}
  static void flood(Actor& self, Node& node, Thread& thread) {
    auto& sender = static_cast<Sender&>(self);
    for (int i = 0; i < 1000; ++i) {
      Node& message = *thread.allocate();
      message.value = i;
      if (sender.remote != nullptr) {
        sender.send_remote(message);
      } else {
        thread.send(*sender.sink, message);
      }
    }
    if ((sender.left -= 1000) > 0) {
      thread.send(self, node);
    } else {
      thread.release(node);
    }
  }
  // To the sink of the other thread, which looks at its mailbox in every round.
  void send_remote(Node& node) {
    node.next.store(nullptr, std::memory_order_relaxed);
    Node* const before = remote->tail.exchange(&node, std::memory_order_acq_rel);
    before->next.store(&node, std::memory_order_release);
  }
  Actor* sink = nullptr;
  Actor* remote = nullptr;
  std::int64_t left = 0;
};

constexpr std::int64_t per_sender = 20'000;

void start_senders(std::vector<std::unique_ptr<Sender>>& senders, Thread& thread) {
  for (auto& sender : senders) {
    sender->left = per_sender;
    thread.send(*sender, *thread.allocate());
  }
}

void fan_in_one(benchmark::State& state) {
  Thread thread;
  Sink sink;
  std::vector<std::unique_ptr<Sender>> senders;
  for (int i = 0; i < 16; ++i) {
    senders.push_back(std::make_unique<Sender>());
    senders.back()->sink = &sink;
  }
  bench::measure(state, 16 * per_sender, [&] {
    start_senders(senders, thread);
    while (thread.run_one()) {
    }
  });
  benchmark::DoNotOptimize(sink.sum);
}
BENCHMARK(fan_in_one)->Name("floor::fan_in/workers=1")->UseManualTime();

// Eight senders beside the sink, eight on the other thread.
void fan_in_two(benchmark::State& state) {
  Thread here(0);
  Thread there(1);
  here.peer = &there;
  there.peer = &here;
  Sink sink;
  std::vector<std::unique_ptr<Sender>> near;
  std::vector<std::unique_ptr<Sender>> far;
  for (int i = 0; i < 8; ++i) {
    near.push_back(std::make_unique<Sender>());
    near.back()->sink = &sink;
    far.push_back(std::make_unique<Sender>());
    far.back()->remote = &sink;
  }
  std::atomic<int> go{0};
  std::thread other([&] {
    for (int round = 1;; ++round) {
      int seen = 0;
      while ((seen = go.load(std::memory_order_acquire)) < round) {
        if (seen < 0) return;
      }
      start_senders(far, there);
      while (there.run_one()) {
      }
    }
  });
  int round = 0;
  bench::measure(state, 16 * per_sender, [&] {
    std::int64_t const wanted = sink.received.load(std::memory_order_relaxed) + 16 * per_sender;
    go.store(++round, std::memory_order_release);
    start_senders(near, here);
    while (sink.received.load(std::memory_order_relaxed) < wanted) {
      here.run_one();
      while (Node* const node = here.pop(sink)) Sink::take(sink, *node, here);
    }
    here.flush();
  });
  go.store(-1, std::memory_order_release);
  other.join();
}
BENCHMARK(fan_in_two)->Name("floor::fan_in/workers=2")->UseManualTime();

// Start: room for an actor, its fields, and a place in the list of the living.
struct Idle : Actor {
  Idle() : Actor(nullptr) {}
  Idle* next_living = nullptr;
};

void start_idle(benchmark::State& state) {
  constexpr std::size_t batch = 100'000;
  auto const living = std::make_unique<Idle*[]>(batch);
  bench::measure(
      state, static_cast<std::int64_t>(batch),
      [&] {
        for (std::size_t i = 0; i < batch; ++i) living[i] = new Idle();
      },
      [&] {
        for (std::size_t i = 0; i < batch; ++i) delete living[i];
      });
}
BENCHMARK(start_idle)->Name("floor::start_idle")->UseManualTime();

// Start, one stop message through the mailbox, and the end of it.
void start_stop(benchmark::State& state) {
  constexpr std::int64_t batch = 100'000;
  Thread thread;
  bench::measure(state, batch, [&] {
    for (std::int64_t i = 0; i < batch; ++i) {
      auto* const actor =
          new Actor(+[](Actor& /*self*/, Node& node, Thread& home) { home.release(node); });
      thread.send(*actor, *thread.allocate());
      while (thread.run_one()) {
      }
      delete actor;
    }
  });
}
BENCHMARK(start_stop)->Name("floor::start_stop")->UseManualTime();

}  // namespace
