// 11: two of what there should be one of.
//
// Bug          who needs the service looks whether its name is taken, starts one, and registers it.
// Interleaving two clients look before either has registered: the second overwrites the first.
// Fix          registering keeps what is there, and says what that is.
#include <optional>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

class Service : public sp::Actor<Service> {
 public:
  struct Hello {};
  void handle_message(Hello /*message*/) {}
};

class Names : public sp::Actor<Names> {
 public:
  struct Find {};
  struct Register {
    sp::ActorRef<Service> service;
  };
  explicit Names(Variant variant) : variant_(variant) {}
  std::optional<sp::ActorRef<Service>> handle_request(Find /*request*/) {
    corpus::maybe_sleep();
    return service_;
  }
  // Answers who has the name now.
  sp::ActorRef<Service> handle_request(Register request) {
    corpus::maybe_sleep();
    if (!service_ || variant_ == Variant::broken) service_ = request.service;
    return *service_;
  }

 private:
  Variant variant_;
  std::optional<sp::ActorRef<Service>> service_;
};

sp::Task<sp::ActorRef<Service>> find_or_start(sp::ActorRef<Names> names, int steps_before) {
  co_await corpus::work(steps_before);
  auto found = co_await ask<Names::Find>(names);
  std::optional<sp::ActorRef<Service>> const known = std::move(found).value();
  if (known) co_return *known;
  auto const own = Service{}.start();
  auto registered = co_await ask<Names::Register>(names, own);
  auto const winner = std::move(registered).value();
  if (winner != own) own.stop();
  co_return winner;
}

template <Variant variant>
sp::Task<void> check_then_act() {
  auto names = Names(variant).start();
  auto one = sp::spawn(find_or_start(names, 0));
  auto other = sp::spawn(find_or_start(names, 4));
  auto first = co_await one;
  auto second = co_await other;
  auto const mine = std::move(first).value();
  auto const theirs = std::move(second).value();
  corpus::check(mine == theirs, "two services of one name");
}

CORPUS_PROGRAM(11, "look, then register", check_then_act, false);

}  // namespace
