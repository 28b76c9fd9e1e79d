// 26: two leaders in one term of Raft.
//
// Bug          a node does not write down for whom it has voted.
// Interleaving it votes for one candidate, restarts, and votes for the other; both have three of
//              the five votes.
// Fix          the vote is on disk before it is given, and a node that starts reads it.
#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

constexpr int nobody = -1;

struct Ballot {
  int term = 0;
  int candidate = nobody;
};

class Disk : public sp::Actor<Disk> {
 public:
  struct Read {};
  struct Write {
    Ballot ballot;
  };
  Ballot handle_request(Read /*request*/) const { return ballot_; }
  void handle_request(Write write) {
    corpus::maybe_sleep();
    ballot_ = write.ballot;
  }

 private:
  Ballot ballot_;
};

class Node : public sp::Actor<Node> {
 public:
  struct Vote {
    int term;
    int candidate;
  };
  Node(Variant variant, sp::ActorRef<Disk> disk) : variant_(variant), disk_(std::move(disk)) {}
  sp::Task<void> init() {
    auto const read = co_await ask<Disk::Read>(disk_);
    last_ = read.value();
  }
  sp::Task<bool> handle_request(Vote vote) {
    corpus::maybe_sleep();
    if (vote.term < last_.term) co_return false;
    if (vote.term == last_.term) co_return vote.candidate == last_.candidate;
    last_ = {vote.term, vote.candidate};
    if (variant_ == Variant::fixed) (void)co_await ask<Disk::Write>(disk_, last_);
    co_return true;
  }

 private:
  Variant variant_;
  sp::ActorRef<Disk> disk_;
  Ballot last_;
};

// Keeps its disk when it restarts.
class Machine : public sp::Actor<Machine> {
 public:
  struct Restart {};
  explicit Machine(Variant variant)
      : variant_(variant), disk_(Disk{}.start()), node_(Node(variant, disk_).start()) {}
  sp::RequestResponse<bool> handle_request(Node::Vote vote, sp::Context<Machine>& context) {
    return context.delegate<Node::Vote>(node_, vote.term, vote.candidate);
  }
  sp::Task<void> handle_request(Restart /*request*/) {
    corpus::maybe_sleep();
    node_.kill();
    (void)co_await node_.wait_exit();
    node_ = Node(variant_, disk_).start();
  }

 private:
  Variant variant_;
  sp::ActorRef<Disk> disk_;
  sp::ActorRef<Node> node_;
};

using Cluster = std::vector<sp::ActorRef<Machine>>;

sp::Task<bool> get_vote(sp::ActorRef<Machine> machine, int candidate) {
  corpus::maybe_sleep();
  auto const vote = co_await ask<Node::Vote>(machine, 1, candidate);
  co_return vote.has_value() && vote.value();
}

// True: the candidate has a majority. Each question takes its own time to its machine.
sp::Task<bool> stand(Cluster cluster, int candidate) {
  std::vector<sp::JoinHandle<bool>> votes;
  for (auto const& machine : cluster) votes.push_back(sp::spawn(get_vote(machine, candidate)));
  std::size_t granted = 0;
  for (auto& vote : votes) {
    auto const given = co_await vote;
    if (given.value()) ++granted;
  }
  co_return granted > cluster.size() / 2;
}

sp::Task<void> restart(sp::ActorRef<Machine> machine) {
  co_await sp::yield_now();
  corpus::maybe_sleep();
  (void)co_await ask<Machine::Restart>(machine);
}

template <Variant variant>
sp::Task<void> raft_double_vote() {
  Cluster cluster;
  for (int i = 0; i < 5; ++i) cluster.push_back(Machine(variant).start());
  auto one = sp::spawn(stand(cluster, 0));
  auto other = sp::spawn(stand(cluster, 1));
  auto restarted = sp::spawn(restart(cluster[4]));
  auto const first = co_await one;
  auto const second = co_await other;
  (void)co_await restarted;
  corpus::check(!(first.value() && second.value()), "two leaders in one term");
}

CORPUS_PROGRAM(26, "Raft: a vote forgotten in a restart", raft_double_vote, false);

}  // namespace
