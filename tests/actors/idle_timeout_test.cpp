#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// Writes down what comes, and when; every kind of callback can set a timeout.
class Waiter : public sp::Actor<Waiter> {
 public:
  struct Timeout {
    std::string text = "timeout";
    std::shared_ptr<int> alive = {};
  };
  struct Note {
    std::string text;
  };
  struct SetTimeout {
    nanoseconds delay;
    std::string text = "timeout";
    std::shared_ptr<int> alive = {};
  };
  struct SetAndSleep {
    milliseconds delay;
    milliseconds sleep;
  };
  struct SetAndTakeBack {};
  struct All {};

  explicit Waiter(std::optional<milliseconds> from_init = {}) : from_init_(from_init) {}

  void init(sp::Context<Waiter>& context) {
    begin_ = sp::now();
    if (from_init_) context.set_idle_timeout<Timeout>(*from_init_);
  }
  void handle_message(Timeout const& timeout) { note(timeout.text); }
  void handle_message(Note const& order) { note(order.text); }
  void handle_message(SetTimeout const& order, sp::Context<Waiter>& context) {
    context.set_idle_timeout<Timeout>(1h, "replaced");
    context.set_idle_timeout<Timeout>(order.delay, order.text, order.alive);
  }
  bool handle_request(SetTimeout const& order, sp::Context<Waiter>& context) {
    try {
      context.set_idle_timeout<Timeout>(order.delay, order.text, order.alive);
    } catch (std::invalid_argument const&) {
      return false;
    }
    return true;
  }
  sp::Task<void> handle_message(SetAndSleep order, sp::Context<Waiter>& context) {
    context.set_idle_timeout<Timeout>(order.delay);
    co_await sp::sleep(order.sleep);
    note("slept");
  }
  void handle_message(SetAndTakeBack /*order*/, sp::Context<Waiter>& context) {
    context.set_idle_timeout<Timeout>(1ms);
    context.cancel_idle_timeout();
  }
  test::Strings handle_request(All /*question*/) const { return notes_; }

 private:
  void note(std::string const& text) {
    auto const age = std::chrono::duration_cast<milliseconds>(sp::now() - begin_);
    notes_.push_back(text + "@" + std::to_string(age.count()));
  }
  std::optional<milliseconds> from_init_;
  sp::TimePoint begin_;
  test::Strings notes_;
};

sp::Task<test::Strings> notes_after(sp::ActorRef<Waiter> actor, milliseconds time) {
  co_await sp::sleep(time);
  auto reply = co_await actor.request<Waiter::All>();
  co_return reply.value();
}

template <typename Body>
void in_virtual_time(Body body) {
  sp::run(body(), test::virtual_time());
}

}  // namespace

TEST_SUITE("actors/idle_timeout") {
  TEST_CASE("GS-24: a timeout set by init or a handler comes when nothing else does") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = sp::start<Waiter>(50ms);
      auto notes = co_await notes_after(actor, 1s);
      CHECK(notes == test::Strings{"timeout@50"});
      actor.send<Waiter::SetTimeout>(20ms, "from a message");
      notes = co_await notes_after(actor, 1s);
      CHECK(notes.back() == "from a message@1020");
      (void)co_await actor.request<Waiter::SetTimeout>(30ms, "from a request");
      notes = co_await notes_after(actor, 1s);
      CHECK(notes.back() == "from a request@2030");
      CHECK(notes.size() == 3);
    });
  }

  TEST_CASE("GS-24: start_and_wait does not disturb the timeout that init has set") {
    in_virtual_time([]() -> sp::Task<void> {
      auto started = co_await sp::start_and_wait<Waiter>(1s, 50ms);
      auto notes = co_await notes_after(started.value(), 1s);
      CHECK(notes == test::Strings{"timeout@50"});
    });
  }

  TEST_CASE("GS-25: a message that comes first ends the timeout for good") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = sp::start<Waiter>(100ms);
      co_await sp::sleep(20ms);
      actor.send<Waiter::Note>("message");
      auto notes = co_await notes_after(actor, 1s);
      CHECK(notes == test::Strings{"message@20"});
      auto alive = std::make_shared<int>(0);
      actor.send<Waiter::SetTimeout>(100ms, "never", alive);
      (void)co_await actor.request<Waiter::All>();
      CHECK(alive.use_count() == 1);  // a request ends it as well, and its message goes at once
    });
  }

  TEST_CASE("GS-26: with a timeout of zero, what is queued comes first and ends it") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = sp::start<Waiter>();
      actor.send<Waiter::SetTimeout>(0ms, "never");
      actor.send<Waiter::Note>("queued");
      auto notes = co_await notes_after(actor, 1s);
      CHECK(notes == test::Strings{"queued@0"});
    });
  }

  TEST_CASE("GS-27: with a timeout of zero and an empty mailbox, it comes at once") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = sp::start<Waiter>(0ms);
      auto notes = co_await notes_after(actor, 1s);
      CHECK(notes == test::Strings{"timeout@0"});
    });
  }

  TEST_CASE("a stale timeout in the mailbox is not handled and does not end a newer one") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = sp::start<Waiter>();
      auto alive = std::make_shared<int>(0);
      actor.send<Waiter::SetTimeout>(0ms, "stale", alive);
      actor.send<Waiter::SetTimeout>(0ms, "stale too", alive);
      actor.send<Waiter::SetTimeout>(10ms, "newer");
      auto notes = co_await notes_after(actor, 1s);
      CHECK(notes == test::Strings{"newer@10"});
      CHECK(alive.use_count() == 1);
    });
  }

  TEST_CASE("the time runs from the end of the callback that set it") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = sp::start<Waiter>();
      actor.send<Waiter::SetAndSleep>(50ms, 100ms);
      auto notes = co_await notes_after(actor, 1s);
      CHECK(notes == test::Strings{"slept@100", "timeout@150"});
    });
  }

  TEST_CASE("a callback can take its timeout back; a negative one is an error") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = sp::start<Waiter>();
      actor.send<Waiter::SetAndTakeBack>();
      auto accepted = co_await actor.request<Waiter::SetTimeout>(-1ms);
      CHECK(!accepted.value());
      auto notes = co_await notes_after(actor, 1s);
      CHECK(notes.empty());
    });
  }

  TEST_CASE("a timeout ends with its actor, wherever it is") {
    in_virtual_time([]() -> sp::Task<void> {
      auto alive = std::make_shared<int>(0);
      for (milliseconds const delay : {0ms, 1000ms}) {
        auto actor = sp::start<Waiter>();
        actor.send<Waiter::SetTimeout>(delay, "stale", alive);
        actor.send<Waiter::SetTimeout>(delay, "armed", alive);
        (void)co_await actor.stop_and_wait();
        CHECK(alive.use_count() == 1);
      }
    });
  }
}
