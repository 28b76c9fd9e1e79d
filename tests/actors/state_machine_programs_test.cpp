// Machines as one would write them; docs/guide/state_machines.md shows them.
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>
#include <spawned/threads.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

namespace {

enum class Lock { locked, open };

class CodeLock : public sp::StateMachine<CodeLock, Lock> {
 public:
  struct Digit {
    char digit;
  };
  struct Forget {};
  struct Relock {};
  struct Turn {};

  CodeLock(test::Events& events, std::string code)
      : StateMachine(Lock::locked), events_(&events), code_(std::move(code)) {}

  void enter(Lock state, Lock /*previous*/) {
    events_->add(state == Lock::open ? "open" : "locked");
    typed_.clear();
    if (state == Lock::open) set_state_timeout<Relock>(10s);
  }
  void handle_message(Digit const& key, Lock state) {
    if (state == Lock::open) return postpone();  // for the next who comes to the door
    typed_ += key.digit;
    if (typed_.size() < code_.size()) return set_event_timeout<Forget>(3s);
    if (typed_ == code_) return next_state(Lock::open);
    events_->add("wrong");
    typed_.clear();
  }
  void handle_message(Forget /*timeout*/) {
    events_->add("forgotten");
    typed_.clear();
  }
  void handle_message(Relock /*timeout*/) { next_state(Lock::locked); }
  sp::RequestResponse<bool> handle_request(Turn /*request*/, Lock state) {
    return sp::RequestResponse<bool>::reply(state == Lock::open);
  }

 private:
  test::Events* events_;
  std::string code_;
  std::string typed_;
};

enum class Printing { ready, busy };

/// Prints one page at a time, on a device that says when it is done.
class Printer : public sp::StateMachine<Printer, Printing> {
 public:
  struct Print {
    std::string page;
  };
  struct Done {};

  explicit Printer(test::Events& events) : StateMachine(Printing::ready), events_(&events) {}

  sp::RequestResponse<std::string> handle_request(Print const& request, Printing state,
                                                  sp::Context<Printer>& context) {
    if (state == Printing::busy) return postpone<std::string>();
    events_->add("prints " + request.page);
    page_ = request.page;
    caller_ = context.defer<std::string>();
    next_state(Printing::busy);
    set_state_timeout<Done>(1s);  // the device
    return sp::RequestResponse<std::string>::deferred();
  }
  void handle_message(Done /*message*/) {
    (void)caller_->reply(page_ + " is printed");
    caller_.reset();
    next_state(Printing::ready);
  }

 private:
  test::Events* events_;
  std::string page_;
  std::optional<sp::ReplyTo<std::string>> caller_;
};

/// In the threads flavour.
class Switch : public spawned::threads::StateMachine<Switch, bool> {
 public:
  struct Flip {};
  struct WaitUntil {
    bool on;
  };
  Switch() : StateMachine(false) {}
  void handle_message(Flip /*message*/, bool on) {
    if (on) return next_state(false);
    set_timeout<Flip>(0, 5ms);
    next_state(true);
  }
  spawned::RequestResponse<int> handle_request(WaitUntil const& wait, bool on) {
    if (on != wait.on) return postpone<int>();
    return spawned::RequestResponse<int>::reply(1);
  }
};

}  // namespace

TEST_SUITE("actors/state_machine_programs") {
  TEST_CASE("a code lock opens for its code, forgets half a code and locks by itself") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto lock = sp::start<CodeLock>(seen, "42");
      lock.send<CodeLock::Digit>('4');
      co_await sp::sleep(4s);
      lock.send<CodeLock::Digit>('2');
      lock.send<CodeLock::Digit>('4');
      lock.send<CodeLock::Digit>('4');
      lock.send<CodeLock::Digit>('2');
      auto turned = co_await lock.request<CodeLock::Turn>();
      CHECK(turned.value());
      lock.send<CodeLock::Digit>('4');  // postponed until it is locked again
      lock.send<CodeLock::Digit>('2');
      co_await sp::sleep(11s);
      turned = co_await lock.request<CodeLock::Turn>();
      CHECK(turned.value());
      co_await sp::sleep(11s);
      turned = co_await lock.request<CodeLock::Turn>();
      CHECK_FALSE(turned.value());
    };
    sp::run(body(events), test::virtual_time());
    CHECK(events.all() ==
          test::Strings{"locked", "forgotten", "wrong", "open", "locked", "open", "locked"});
  }

  TEST_CASE("what comes while a machine is busy waits its turn in order, and is answered") {
    test::Events events;
    auto body = [](test::Events& seen) -> sp::Task<void> {
      auto printer = sp::start<Printer>(seen);
      auto one = printer.start_request<Printer::Print>("one");
      auto two = printer.start_request<Printer::Print>("two");
      auto three = printer.start_request<Printer::Print>("three");
      auto reply = co_await std::move(three);
      CHECK(reply.value() == "three is printed");
      reply = co_await std::move(two);
      CHECK(reply.value() == "two is printed");
      reply = co_await std::move(one);
      CHECK(reply.value() == "one is printed");
    };
    sp::run(body(events), test::virtual_time());
    CHECK(events.all() == test::Strings{"prints one", "prints two", "prints three"});
  }

  TEST_CASE("a machine of the threads flavour keeps the same rules") {
    int answers = 0;
    auto body = [&answers] {
      auto machine = Switch().start();
      machine.send<Switch::Flip>();
      answers += machine.request<Switch::WaitUntil>(true).value();
      answers += machine.request<Switch::WaitUntil>(false).value();
    };
    spawned::threads::run(body);
    CHECK(answers == 2);
  }
}
