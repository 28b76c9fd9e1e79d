// 6: watching somebody who is gone already.
//
// Bug          a watcher looks whether the worker is alive, and then sends it the wish to be told
//              of its end.
// Interleaving the worker ends between the two: nobody ever tells.
// Fix          the wish is a request, whose failure is the news.
#include <optional>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

class Worker;

class Watcher : public sp::Actor<Watcher> {
 public:
  struct Watch {
    sp::ActorRef<Worker> worker;
  };
  struct Down {};
  struct AwaitDown {};
  explicit Watcher(Variant variant) : variant_(variant) {}
  sp::Task<void> handle_request(Watch watch, sp::Context<Watcher>& context);
  void handle_message(Down /*message*/) {
    corpus::maybe_sleep();
    down_ = true;
    if (waiting_) (void)waiting_->reply();
    waiting_.reset();
  }
  sp::RequestResponse<void> handle_request(AwaitDown /*request*/, sp::Context<Watcher>& context) {
    corpus::maybe_sleep();
    if (down_) return sp::RequestResponse<void>::reply();
    waiting_ = context.defer<void>();
    return sp::RequestResponse<void>::deferred();
  }

 private:
  Variant variant_;
  bool down_ = false;
  std::optional<sp::ReplyTo<void>> waiting_;
};

class Worker : public sp::Actor<Worker> {
 public:
  struct TellMe {
    sp::ActorRef<Watcher> watcher;
  };
  struct Finish {};
  void handle_message(TellMe tell) {
    corpus::maybe_sleep();
    watchers_.push_back(std::move(tell.watcher));
  }
  void handle_request(TellMe tell) { watchers_.push_back(std::move(tell.watcher)); }
  void handle_message(Finish /*message*/, sp::Context<Worker>& context) {
    corpus::maybe_sleep();
    context.stop();
  }
  void teardown() {
    for (auto const& watcher : watchers_) watcher.send<Watcher::Down>();
  }

 private:
  std::vector<sp::ActorRef<Watcher>> watchers_;
};

sp::Task<void> Watcher::handle_request(Watch watch, sp::Context<Watcher>& context) {
  corpus::maybe_sleep();
  auto const self = context.self();
  if (variant_ == Variant::fixed) {
    auto const known = co_await ask<Worker::TellMe>(watch.worker, self);
    if (!known) self.send<Down>();
  } else if (watch.worker.exit_reason()) {
    self.send<Down>();
  } else {
    watch.worker.send<Worker::TellMe>(self);
  }
}

sp::Task<void> finish(sp::ActorRef<Worker> worker) {
  co_await sp::yield_now();
  worker.send<Worker::Finish>();
}

template <Variant variant>
sp::Task<void> watch_race() {
  auto worker = Worker{}.start();
  auto watcher = Watcher(variant).start();
  auto finished = sp::spawn(finish(worker));
  (void)co_await ask<Watcher::Watch>(watcher, worker);
  auto const told = co_await ask<Watcher::AwaitDown>(watcher);
  told.value();
  (void)co_await finished;
}

CORPUS_PROGRAM(6, "watching somebody who is gone", watch_race, false);

}  // namespace
