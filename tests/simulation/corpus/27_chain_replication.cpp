// 27: a read from a tail that the chain no longer has.
//
// Bug          the master cuts the tail off before the tail knows that it is none any more.
// Interleaving a write passes along the shorter chain, and its client, who knows the old chain,
//              reads from the old tail.
// Fix          the tail is told first. A client that it turns away asks the master.
#include <optional>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

class Replica : public sp::Actor<Replica> {
 public:
  struct Write {
    int value;
  };
  struct Read {};
  struct Retire {};
  struct BeTail {};
  explicit Replica(std::optional<sp::ActorRef<Replica>> next = {}) : next_(std::move(next)) {}

  // Answers when the rest of the chain has it.
  sp::Task<void> handle_request(Write write) {
    corpus::maybe_sleep();
    value_ = write.value;
    if (next_.has_value()) (void)co_await ask<Write>(*next_, write.value);
  }
  // Nothing: it is not in the chain.
  std::optional<int> handle_request(Read /*request*/) {
    corpus::maybe_sleep();
    if (retired_) return std::nullopt;
    return value_;
  }
  void handle_request(Retire /*request*/) {
    corpus::maybe_sleep();
    retired_ = true;
  }
  void handle_request(BeTail /*request*/) {
    corpus::maybe_sleep();
    next_.reset();
  }

 private:
  std::optional<sp::ActorRef<Replica>> next_;
  int value_ = 0;
  bool retired_ = false;
};

using Chain = std::vector<sp::ActorRef<Replica>>;

class Master : public sp::Actor<Master> {
 public:
  struct Shorten {};
  struct Ask {};
  Master(Variant variant, Chain chain) : variant_(variant), chain_(std::move(chain)) {}
  sp::Task<void> handle_request(Shorten /*request*/) {
    corpus::maybe_sleep();
    auto const old = chain_.back();
    chain_.pop_back();
    if (variant_ == Variant::fixed) (void)co_await ask<Replica::Retire>(old);
    (void)co_await ask<Replica::BeTail>(chain_.back());
    if (variant_ == Variant::broken) (void)co_await ask<Replica::Retire>(old);
  }
  Chain handle_request(Ask /*request*/) { return chain_; }

 private:
  Variant variant_;
  Chain chain_;
};

sp::Task<void> use(sp::ActorRef<Master> master, Chain chain) {
  for (int value = 1; value <= 3; ++value) {
    (void)co_await ask<Replica::Write>(chain.front(), value);
    auto read = co_await ask<Replica::Read>(chain.back());
    while (!read.value().has_value()) {
      auto now = co_await ask<Master::Ask>(master);
      chain = std::move(now).value();
      read = co_await ask<Replica::Read>(chain.back());
    }
    corpus::check(*read.value() == value, "a client does not read what it has written");
  }
}

template <Variant variant>
sp::Task<void> chain_replication() {
  auto tail = Replica{}.start();
  auto middle = Replica(tail).start();
  auto head = Replica(middle).start();
  Chain const chain{head, middle, tail};
  auto master = Master(variant, chain).start();
  auto shortened = master.start_request<Master::Shorten>();
  co_await use(master, chain);
  (void)co_await shortened;
}

CORPUS_PROGRAM(27, "chain replication: a read from an old tail", chain_replication, false);

}  // namespace
