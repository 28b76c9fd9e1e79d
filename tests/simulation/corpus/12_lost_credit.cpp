// 12: a credit given to somebody who has gone.
//
// Bug          a semaphore gives a credit to the first who waits, and takes it for received.
// Interleaving that one's time limit is over: nobody has the credit any more.
// Fix          an answer that nobody gets says so, and the credit goes to the next.
#include <deque>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using corpus::ask;
using corpus::Variant;

namespace {

class Semaphore : public sp::Actor<Semaphore> {
 public:
  struct Acquire {};
  struct Release {};
  explicit Semaphore(Variant variant) : variant_(variant) {}

  sp::RequestResponse<void> handle_request(Acquire /*request*/, sp::Context<Semaphore>& context) {
    corpus::maybe_sleep();
    waiting_.push_back(context.defer<void>());
    give();
    return sp::RequestResponse<void>::deferred();
  }
  void handle_message(Release /*message*/) {
    corpus::maybe_sleep();
    ++credits_;
    give();
  }

 private:
  void give() {
    while (credits_ != 0 && !waiting_.empty()) {
      auto next = std::move(waiting_.front());
      waiting_.pop_front();
      bool const received = next.reply() == sp::ReplyResult::sent;
      if (received || variant_ == Variant::broken) --credits_;
    }
  }

  Variant variant_;
  int credits_ = 1;
  std::deque<sp::ReplyTo<void>> waiting_;
};

sp::Task<void> work_if_soon(sp::ActorRef<Semaphore> semaphore) {
  auto const acquired = co_await semaphore.request_with_timeout<Semaphore::Acquire>(10ms);
  if (acquired) semaphore.send<Semaphore::Release>();
}

template <Variant variant>
sp::Task<void> lost_credit() {
  auto semaphore = Semaphore(variant).start();
  auto one = sp::spawn(work_if_soon(semaphore));
  auto other = sp::spawn(work_if_soon(semaphore));
  (void)co_await one;
  (void)co_await other;
  auto const acquired = co_await ask<Semaphore::Acquire>(semaphore);
  acquired.value();
}

CORPUS_PROGRAM(12, "a credit lost to who has gone", lost_credit, true);

}  // namespace
