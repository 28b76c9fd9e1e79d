// 20: a task that is cancelled while it holds a permit.
//
// Bug          the permit is given back by a statement at the end of the task.
// Interleaving the task is cancelled between the two: the statement is never reached, and the next
//              who wants the permit waits for ever.
// Fix          an object that gives it back when the task's frame is destroyed, however that comes.
#include <deque>
#include <optional>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;

namespace {

class Permits : public sp::Actor<Permits> {
 public:
  struct Acquire {};
  struct Release {};
  sp::RequestResponse<void> handle_request(Acquire /*request*/, sp::Context<Permits>& context) {
    corpus::maybe_sleep();
    waiting_.push_back(context.defer<void>());
    grant();
    return sp::RequestResponse<void>::deferred();
  }
  void handle_message(Release /*message*/) {
    corpus::maybe_sleep();
    ++free_;
    grant();
  }

 private:
  void grant() {
    while (free_ > 0 && !waiting_.empty()) {
      // Who has given up meanwhile does not get it.
      if (waiting_.front().reply() == sp::ReplyResult::sent) --free_;
      waiting_.pop_front();
    }
  }
  int free_ = 1;
  std::deque<sp::ReplyTo<void>> waiting_;
};

class Permit {
 public:
  explicit Permit(sp::ActorRef<Permits> permits) : permits_(std::move(permits)) {}
  Permit(Permit const&) = delete;
  Permit& operator=(Permit const&) = delete;
  ~Permit() { permits_.send<Permits::Release>(); }

 private:
  sp::ActorRef<Permits> permits_;
};

sp::Task<void> work(Variant variant, sp::ActorRef<Permits> permits) {
  auto const granted = co_await ask<Permits::Acquire>(permits);
  if (!granted) co_return;
  std::optional<Permit> permit;
  if (variant == Variant::fixed) permit.emplace(permits);
  co_await sp::yield_now();
  corpus::maybe_sleep();
  if (variant == Variant::broken) permits.send<Permits::Release>();
}

template <Variant variant>
sp::Task<void> cancelled_with_permit() {
  auto permits = Permits{}.start();
  auto unwanted = sp::spawn(work(variant, permits));
  auto wanted = sp::spawn(work(variant, permits));
  co_await sp::yield_now();
  corpus::maybe_sleep();
  unwanted.cancel();
  (void)co_await unwanted;
  auto const done = co_await wanted;
  corpus::check(done.has_value(), "the task that nobody cancelled has failed");
}

CORPUS_PROGRAM(20, "a permit lost to a cancelled task", cancelled_with_permit, false);

}  // namespace
