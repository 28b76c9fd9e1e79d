// 23: a stash that overflows and loses what was acknowledged.
//
// Bug          what comes before the connection is there is put aside and acknowledged; a full
//              stash drops the oldest.
// Interleaving more comes than the stash holds before the connection is there.
// Fix          who finds the stash full is told, and tries again.
#include <deque>

#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using corpus::ask;
using corpus::Variant;
using namespace std::chrono_literals;

namespace {

class Session : public sp::Actor<Session> {
 public:
  struct Write {
    int value;
  };
  struct Connected {};
  struct Written {};
  explicit Session(Variant variant) : variant_(variant) {}

  // True: it is written, or will be.
  bool handle_request(Write write) {
    corpus::maybe_sleep();
    if (connected_) {
      ++written_;
      return true;
    }
    if (stash_.size() == stash_max) {
      if (variant_ == Variant::fixed) return false;
      stash_.pop_front();
    }
    stash_.push_back(write.value);
    return true;
  }
  void handle_request(Connected /*request*/) {
    corpus::maybe_sleep();
    connected_ = true;
    written_ += stash_.size();
    stash_.clear();
  }
  std::size_t handle_request(Written /*request*/) const { return written_; }

 private:
  static constexpr std::size_t stash_max = 2;
  Variant variant_;
  bool connected_ = false;
  std::deque<int> stash_;
  std::size_t written_ = 0;
};

sp::Task<void> connect(sp::ActorRef<Session> session) {
  co_await sp::yield_now();
  corpus::maybe_sleep();
  (void)co_await ask<Session::Connected>(session);
}

sp::Task<void> write(sp::ActorRef<Session> session, int value) {
  for (;;) {
    auto const taken = co_await ask<Session::Write>(session, value);
    if (taken.value()) break;
    co_await sp::sleep(1ms);
  }
}

template <Variant variant>
sp::Task<void> stash_overflow() {
  auto session = Session(variant).start();
  auto dialler = sp::spawn(connect(session));
  auto one = sp::spawn(write(session, 1));
  auto two = sp::spawn(write(session, 2));
  auto three = sp::spawn(write(session, 3));
  (void)co_await dialler;
  (void)co_await one;
  (void)co_await two;
  (void)co_await three;
  auto const written = co_await ask<Session::Written>(session);
  corpus::check(written.value() == 3, "something acknowledged was never written");
}

CORPUS_PROGRAM(23, "a stash that overflows", stash_overflow, false);

}  // namespace
