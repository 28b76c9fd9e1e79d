// 15: a vote that is not in time counts as yes.
//
// Bug          a coordinator commits unless somebody has said no in time.
// Interleaving the one who says no is slow: it aborts, the others commit.
// Fix          who has not said yes in time has said no.
#include <array>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using corpus::ask;
using corpus::Variant;

namespace {

class Participant : public sp::Actor<Participant> {
 public:
  struct Prepare {};
  struct Commit {};
  struct HasCommitted {};
  explicit Participant(bool can) : can_(can) {}
  bool handle_request(Prepare /*request*/) {
    corpus::maybe_sleep();
    return can_;
  }
  void handle_request(Commit /*request*/) {
    corpus::maybe_sleep();
    if (can_) committed_ = true;
  }
  bool handle_request(HasCommitted /*request*/) {
    corpus::maybe_sleep();
    return committed_;
  }

 private:
  bool can_;
  bool committed_ = false;
};

class Coordinator : public sp::Actor<Coordinator> {
 public:
  struct Decide {};
  Coordinator(Variant variant, std::array<sp::ActorRef<Participant>, 3> participants)
      : variant_(variant), participants_(std::move(participants)) {}
  sp::Task<bool> handle_request(Decide /*request*/) {
    corpus::maybe_sleep();
    bool all = true;
    for (auto const& participant : participants_) {
      auto const vote = co_await participant.request_with_timeout<Participant::Prepare>(10ms);
      bool const yes = vote ? vote.value() : variant_ == Variant::broken;
      all = all && yes;
    }
    if (!all) co_return false;
    for (auto const& participant : participants_) {
      (void)co_await ask<Participant::Commit>(participant);
    }
    co_return true;
  }

 private:
  Variant variant_;
  std::array<sp::ActorRef<Participant>, 3> participants_;
};

template <Variant variant>
sp::Task<void> presumed_commit() {
  std::array<sp::ActorRef<Participant>, 3> const all{
      Participant(true).start(), Participant(false).start(), Participant(true).start()};
  auto coordinator = Coordinator(variant, all).start();
  (void)co_await ask<Coordinator::Decide>(coordinator);
  int committed = 0;
  for (auto const& participant : all) {
    auto const has = co_await ask<Participant::HasCommitted>(participant);
    committed += has.value() ? 1 : 0;
  }
  corpus::check(committed == 0 || committed == 3, "some have committed, others not");
}

CORPUS_PROGRAM(15, "two-phase commit presumes yes", presumed_commit, true);

}  // namespace
