// The hand-written floor: what the same workloads cost with nothing but an intrusive queue and a
// function pointer. No runtime, no types, no time-outs, no errors, no life cycle, no fairness.
//
// An actor is a function pointer, a mailbox (Vyukov's intrusive MPSC queue, one exchange a push)
// and a flag that says whether it is in a ready list. A thread runs a plain FIFO of ready actors.
// Message nodes come from a plain free list; those of the other thread go home in batches.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace bench_floor {

struct Thread;

struct Node {
  std::atomic<Node*> next{nullptr};
  std::int64_t value = 0;
  void* extra = nullptr;
  std::uint32_t home = 0;
};

struct Actor {
  using Handle = void (*)(Actor&, Node&, Thread&);
  explicit Actor(Handle function) : handle(function) {}

  Handle handle;
  Actor* next_ready = nullptr;
  std::atomic<Node*> tail{&stub};
  Node* head = &stub;
  Node stub;
  std::atomic<bool> scheduled{false};
};

struct Thread {
  explicit Thread(std::uint32_t number = 0) : index(number) {}
  ~Thread() {
    for (Node* chunk : chunks) delete[] chunk;
  }
  Thread(Thread const&) = delete;
  Thread& operator=(Thread const&) = delete;

  Node* allocate() {
    if (free == nullptr) refill();
    Node* const node = free;
    free = node->next.load(std::memory_order_relaxed);
    return node;
  }
  void release(Node& node) {
    if (node.home == index) {
      node.next.store(free, std::memory_order_relaxed);
      free = &node;
      return;
    }
    // Home in batches of 64: one exchange-free CAS loop for all of them.
    node.next.store(outgoing, std::memory_order_relaxed);
    if (outgoing == nullptr) outgoing_last = &node;
    outgoing = &node;
    if (++outgoing_count == 64) flush();
  }
  void flush() {
    if (outgoing == nullptr) return;
    Node* head = peer->returned.load(std::memory_order_relaxed);
    do {
      outgoing_last->next.store(head, std::memory_order_relaxed);
    } while (!peer->returned.compare_exchange_weak(head, outgoing, std::memory_order_release,
                                                   std::memory_order_relaxed));
    outgoing = nullptr;
    outgoing_count = 0;
  }

  void make_ready(Actor& actor) {
    actor.next_ready = nullptr;
    (ready == nullptr ? ready : ready_last->next_ready) = &actor;
    ready_last = &actor;
  }

  void send(Actor& to, Node& node) {
    node.next.store(nullptr, std::memory_order_relaxed);
    Node* const before = to.tail.exchange(&node, std::memory_order_acq_rel);
    before->next.store(&node, std::memory_order_release);
    if (!to.scheduled.exchange(true, std::memory_order_acq_rel)) make_ready(to);
  }

  /// Runs one ready actor until its mailbox is empty. False: nobody is ready.
  bool run_one() {
    Actor* const actor = ready;
    if (actor == nullptr) return false;
    ready = actor->next_ready;
    for (;;) {
      while (Node* const node = pop(*actor)) actor->handle(*actor, *node, *this);
      actor->scheduled.store(false, std::memory_order_seq_cst);
      if (is_empty(*actor) || actor->scheduled.exchange(true, std::memory_order_acq_rel)) break;
    }
    return true;
  }

  static bool is_empty(Actor& actor) {
    return actor.head == &actor.stub && actor.stub.next.load(std::memory_order_seq_cst) == nullptr;
  }

  Node* pop(Actor& actor) {
    Node* head = actor.head;
    Node* next = head->next.load(std::memory_order_acquire);
    if (head == &actor.stub) {
      if (next == nullptr) return nullptr;
      actor.head = next;
      head = next;
      next = next->next.load(std::memory_order_acquire);
    }
    if (next != nullptr) {
      actor.head = next;
      return head;
    }
    if (actor.tail.load(std::memory_order_acquire) != head) return nullptr;  // a push is under way
    actor.stub.next.store(nullptr, std::memory_order_relaxed);
    Node* const before = actor.tail.exchange(&actor.stub, std::memory_order_acq_rel);
    before->next.store(&actor.stub, std::memory_order_release);
    next = head->next.load(std::memory_order_acquire);
    if (next == nullptr) return nullptr;
    actor.head = next;
    return head;
  }

  void refill() {
    free = returned.exchange(nullptr, std::memory_order_acquire);
    if (free != nullptr) return;
    constexpr std::size_t chunk = 1024;
    Node* const nodes = new Node[chunk];
    chunks.push_back(nodes);
    for (std::size_t i = 0; i < chunk; ++i) {
      nodes[i].home = index;
      nodes[i].next.store(free, std::memory_order_relaxed);
      free = &nodes[i];
    }
  }

  std::uint32_t index;
  Actor* ready = nullptr;
  Actor* ready_last = nullptr;
  Node* free = nullptr;
  Node* outgoing = nullptr;
  Node* outgoing_last = nullptr;
  std::uint32_t outgoing_count = 0;
  Thread* peer = nullptr;
  std::vector<Node*> chunks;
  alignas(64) std::atomic<Node*> returned{nullptr};
};

}  // namespace bench_floor
