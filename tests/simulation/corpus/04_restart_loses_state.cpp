// 4: a restart loses what was acknowledged.
//
// Bug          a counter acknowledges first and saves afterwards, by a message to itself.
// Interleaving it crashes between the two; the one that is started in its place loads the old
// count. Fix          it saves, then acknowledges.
#include <optional>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

class Store : public sp::Actor<Store> {
 public:
  struct Load {};
  struct Save {
    int count;
  };
  int handle_request(Load /*request*/) {
    corpus::maybe_sleep();
    return count_;
  }
  void handle_request(Save save) {
    corpus::maybe_sleep();
    count_ = save.count;
  }

 private:
  int count_ = 0;
};

class Counter : public sp::Actor<Counter> {
 public:
  struct Add {};
  struct Crash {};
  struct Flush {};
  Counter(Variant variant, sp::ActorRef<Store> store)
      : variant_(variant), store_(std::move(store)) {}

  sp::Task<void> init() {
    auto const saved = co_await ask<Store::Load>(store_);
    count_ = saved.value();
  }
  sp::Task<void> handle_request(Add /*request*/, sp::Context<Counter>& context) {
    corpus::maybe_sleep();
    ++count_;
    if (variant_ == Variant::fixed) {
      (void)co_await ask<Store::Save>(store_, count_);
    } else {
      context.self().send<Flush>();
    }
  }
  sp::Task<void> handle_message(Flush /*message*/) {
    corpus::maybe_sleep();
    (void)co_await ask<Store::Save>(store_, count_);
  }
  void handle_message(Crash /*message*/) { corpus::fail("the counter crashes"); }

 private:
  Variant variant_;
  sp::ActorRef<Store> store_;
  int count_ = 0;
};

// Starts another counter when the present one has ended.
class Supervisor : public sp::Actor<Supervisor> {
 public:
  struct Current {};
  Supervisor(Variant variant, sp::ActorRef<Store> store)
      : variant_(variant), store_(std::move(store)) {}
  sp::ActorRef<Counter> handle_request(Current /*request*/) {
    corpus::maybe_sleep();
    if (!counter_ || counter_->exit_reason()) counter_ = Counter(variant_, store_).start();
    return *counter_;
  }

 private:
  Variant variant_;
  sp::ActorRef<Store> store_;
  std::optional<sp::ActorRef<Counter>> counter_;
};

sp::Task<void> crash(sp::ActorRef<Supervisor> supervisor) {
  auto const counter = co_await ask<Supervisor::Current>(supervisor);
  counter.value().send<Counter::Crash>();
}

template <Variant variant>
sp::Task<void> restart_loses_state() {
  auto store = Store{}.start();
  auto supervisor = Supervisor(variant, store).start();
  auto crashed = sp::spawn(crash(supervisor));
  for (int acknowledged = 0; acknowledged < 3;) {
    auto const counter = co_await ask<Supervisor::Current>(supervisor);
    auto const added = co_await ask<Counter::Add>(counter.value());
    if (added) ++acknowledged;
  }
  (void)co_await crashed;
  // The last one to stop has saved what is behind in its mailbox.
  auto const last = co_await ask<Supervisor::Current>(supervisor);
  (void)co_await last.value().stop_and_wait();
  auto const saved = co_await ask<Store::Load>(store);
  corpus::check(saved.value() >= 3, "an acknowledged addition is lost");
}

CORPUS_PROGRAM(4, "a restart loses state", restart_loses_state, false);

}  // namespace
