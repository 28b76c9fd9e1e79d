// 8: a timer that was cancelled too late.
//
// Bug          a connection that is established cancels its timer, and closes whenever the timer's
//              message comes.
// Interleaving the time is over while the message that establishes it waits in the mailbox: the
//              timer's message is behind it, and cancelling is too late.
// Fix          the message means something only while the connection is being established.
#include "simulation/corpus/corpus.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using corpus::ask;
using corpus::Variant;

namespace {

class Connection : public sp::Actor<Connection> {
 public:
  struct Established {};
  struct TimeIsOver {};
  struct IsOpen {};
  explicit Connection(Variant variant) : variant_(variant) {}

  void init(sp::Context<Connection>& context) {
    timer_ = sp::send_after<TimeIsOver>(10ms, context.self());
  }
  // False: too late.
  bool handle_request(Established /*request*/) {
    corpus::maybe_sleep();
    (void)timer_.cancel();
    if (state_ == State::connecting) state_ = State::open;
    return state_ == State::open;
  }
  void handle_message(TimeIsOver /*message*/) {
    corpus::maybe_sleep();
    if (variant_ == Variant::fixed && state_ != State::connecting) return;
    state_ = State::closed;
  }
  bool handle_request(IsOpen /*request*/) {
    corpus::maybe_sleep();
    return state_ == State::open;
  }

 private:
  enum class State : unsigned char { connecting, open, closed };
  Variant variant_;
  State state_ = State::connecting;
  sp::TimerHandle timer_;
};

template <Variant variant>
sp::Task<void> stale_timer() {
  auto connection = Connection(variant).start();
  auto const established = co_await ask<Connection::Established>(connection);
  if (!established.value()) co_return;
  auto const open = co_await ask<Connection::IsOpen>(connection);
  corpus::check(open.value(), "a connection was established, and closed by its old timer");
}

CORPUS_PROGRAM(8, "a stale timer", stale_timer, true);

}  // namespace
