// A lock, as an actor.
#pragma once

#include <deque>
#include <utility>

#include "simulation/corpus/corpus.hpp"

namespace corpus {

class Lock : public spawned::Actor<Lock> {
 public:
  struct Take {};
  struct Give {};

  spawned::RequestResponse<void> handle_request(Take /*request*/, spawned::Context<Lock>& context) {
    maybe_sleep();
    if (taken_) {
      waiting_.push_back(context.defer<void>());
      return spawned::RequestResponse<void>::deferred();
    }
    taken_ = true;
    return spawned::RequestResponse<void>::reply();
  }
  void handle_message(Give /*message*/) {
    maybe_sleep();
    taken_ = false;
    while (!taken_ && !waiting_.empty()) {
      auto next = std::move(waiting_.front());
      waiting_.pop_front();
      taken_ = next.reply() == spawned::ReplyResult::sent;
    }
  }

 private:
  bool taken_ = false;
  std::deque<spawned::ReplyTo<void>> waiting_;
};

}  // namespace corpus
