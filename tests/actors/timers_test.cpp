#include <spawned/actors/timers.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

namespace {

using std::chrono::milliseconds;

/// Writes down what comes, and when.
class Diary : public sp::Actor<Diary> {
 public:
  struct Note {
    std::string text;
  };
  struct Token {
    std::shared_ptr<int> alive;
  };
  struct All {};
  struct SetTimer {
    sp::ActorRef<Diary> other;
    milliseconds delay;
  };
  struct Busy {
    milliseconds time;
  };
  struct Fail {};

  void handle_message(Note note) {
    auto const age = std::chrono::duration_cast<milliseconds>(sp::now() - begin_);
    notes_.push_back(note.text + "@" + std::to_string(age.count()));
  }
  void handle_message(Token const& /*token*/) {}
  void handle_message(SetTimer const& order) {
    (void)sp::send_after<Note>(order.delay, order.other, "set by another");
  }
  sp::Task<void> handle_message(Busy busy) { co_await sp::sleep(busy.time); }
  void handle_message(Fail /*order*/) { throw std::runtime_error("told to"); }
  test::Strings handle_request(All /*question*/) const { return notes_; }

 private:
  sp::TimePoint begin_ = sp::now();
  test::Strings notes_;
};

sp::Task<test::Strings> notes_of(sp::ActorRef<Diary> diary) {
  auto reply = co_await diary.request<Diary::All>();
  co_return reply.value();
}

template <typename Body>
void in_virtual_time(Body body) {
  sp::run(body(), test::virtual_time());
}

}  // namespace

TEST_SUITE("actors/timers") {
  TEST_CASE("TMR-01: a message of send_after comes once, in time; the timer is over then") {
    in_virtual_time([]() -> sp::Task<void> {
      auto diary = sp::start<Diary>();
      auto timer = sp::send_after<Diary::Note>(30ms, diary, "timeout");
      CHECK(timer.state() == sp::TimerState::waiting);
      co_await sp::sleep(100ms);
      auto notes = co_await notes_of(diary);
      CHECK(notes == test::Strings{"timeout@30"});
      CHECK(timer.state() == sp::TimerState::sent);
      CHECK(!timer.time_left());
      CHECK(timer.cancel() == sp::CancelResult::too_late);
    });
  }

  TEST_CASE("TMR-02: a cancelled timer tells the time it had left, and sends nothing") {
    in_virtual_time([]() -> sp::Task<void> {
      auto diary = sp::start<Diary>();
      auto timer = sp::send_after<Diary::Note>(200ms, diary, "never");
      CHECK(timer.time_left().value() == 200ms);
      co_await sp::sleep(50ms);
      CHECK(timer.time_left().value() <= 151ms);
      CHECK(timer.time_left().value() >= 149ms);
      CHECK(timer.cancel() == sp::CancelResult::cancelled);
      CHECK(timer.cancel() == sp::CancelResult::too_late);
      CHECK(timer.state() == sp::TimerState::cancelled);
      CHECK(!timer.time_left());
      co_await sp::sleep(1s);
      auto notes = co_await notes_of(diary);
      CHECK(notes.empty());
    });
  }

  TEST_CASE("TMR-03: timers expire in the order of their times") {
    in_virtual_time([]() -> sp::Task<void> {
      auto diary = sp::start<Diary>();
      (void)sp::send_after<Diary::Note>(90ms, diary, "c");
      (void)sp::send_after<Diary::Note>(30ms, diary, "a");
      (void)sp::send_after<Diary::Note>(60ms, diary, "b");
      co_await sp::sleep(1s);
      auto notes = co_await notes_of(diary);
      CHECK(notes == test::Strings{"a@30", "b@60", "c@90"});
    });
  }

  TEST_CASE("TMR-04: a delay of zero sends at once, behind what was sent before") {
    in_virtual_time([]() -> sp::Task<void> {
      auto diary = sp::start<Diary>();
      diary.send<Diary::Note>("before");
      auto timer = sp::send_after<Diary::Note>(0ms, diary, "zero");
      diary.send<Diary::Note>("after");
      auto notes = co_await notes_of(diary);
      CHECK(notes == test::Strings{"before@0", "zero@0", "after@0"});
      CHECK(timer.state() == sp::TimerState::sent);
      CHECK(timer.cancel() == sp::CancelResult::too_late);
    });
  }

  TEST_CASE("TMR-05: the timers of an actor end with it, and their messages go at once") {
    in_virtual_time([]() -> sp::Task<void> {
      auto diary = sp::start<Diary>();
      auto alive = std::make_shared<int>(0);
      auto timer = sp::send_after<Diary::Token>(1h, diary, alive);
      (void)sp::send_after<Diary::Token>(2h, diary, alive);
      auto ticks = sp::send_interval<Diary::Token>(1h, diary, alive);
      CHECK(alive.use_count() == 4);
      (void)co_await diary.stop_and_wait(sp::ExitReason::shutdown());
      CHECK(alive.use_count() == 1);
      CHECK(timer.state() == sp::TimerState::actor_ended);
      CHECK(ticks.state() == sp::TimerState::actor_ended);
      CHECK(!timer.time_left());
      CHECK(timer.cancel() == sp::CancelResult::too_late);
      CHECK(timer.error().value() == sp::ActorError::Kind::no_such_actor);
      CHECK(timer.error().value().reason() == sp::ExitReason::shutdown());
    });
  }

  TEST_CASE("a timer on an actor that has ended is over from the start, and says why") {
    in_virtual_time([]() -> sp::Task<void> {
      auto diary = sp::start<Diary>();
      (void)co_await diary.stop_and_wait();
      auto alive = std::make_shared<int>(0);
      auto later = sp::send_after<Diary::Token>(1h, diary, alive);
      auto at_once = sp::send_after<Diary::Token>(0s, diary, alive);
      auto ticks = sp::send_interval<Diary::Token>(1h, diary, alive);
      CHECK(alive.use_count() == 1);
      for (auto* timer : {&later, &at_once, &ticks}) {
        CHECK(timer->state() == sp::TimerState::actor_ended);
        CHECK(timer->error().value() == sp::ActorError::Kind::no_such_actor);
        CHECK(timer->cancel() == sp::CancelResult::too_late);
      }
    });
  }

  TEST_CASE("a timer on an actor whose runtime is gone is over from the start") {
    std::optional<sp::ActorRef<Diary>> ref;
    sp::TimerHandle early;
    CHECK(early.state() == sp::TimerState::none);
    CHECK(early.cancel() == sp::CancelResult::too_late);
    {
      sp::Runtime runtime;
      auto body = [](std::optional<sp::ActorRef<Diary>>* place) -> sp::Task<void> {
        place->emplace(sp::start<Diary>());
        co_return;
      };
      runtime.block_on(body(&ref));
      early = sp::send_after<Diary::Note>(1h, *ref, "never");
      CHECK(early.state() == sp::TimerState::waiting);
    }
    CHECK(early.state() == sp::TimerState::actor_ended);
    CHECK(early.cancel() == sp::CancelResult::too_late);
    CHECK(!early.time_left());
    auto late = sp::send_after<Diary::Note>(1ms, *ref, "never");
    CHECK(late.state() == sp::TimerState::actor_ended);
    CHECK(late.error().value().reason() == sp::ExitReason::shutdown());
    auto body = [](sp::ActorRef<Diary> dead) -> sp::Task<void> {
      auto elsewhere = sp::send_after<Diary::Note>(1ms, dead, "never");
      CHECK(elsewhere.state() == sp::TimerState::actor_ended);
      co_return;
    };
    sp::run(body(*ref));
  }

  TEST_CASE("TMR-07: an interval whose actor ends is over") {
    in_virtual_time([]() -> sp::Task<void> {
      auto diary = sp::start<Diary>();
      auto ticks = sp::send_interval<Diary::Note>(10ms, diary, "tick");
      co_await sp::sleep(35ms);
      (void)co_await diary.stop_and_wait();
      CHECK(ticks.state() == sp::TimerState::actor_ended);
      co_await sp::sleep(1s);
      CHECK(ticks.state() == sp::TimerState::actor_ended);
    });
  }

  TEST_CASE("TMR-08: an interval that is cancelled after three ticks has sent exactly three") {
    in_virtual_time([]() -> sp::Task<void> {
      auto diary = sp::start<Diary>();
      auto ticks = sp::send_interval<Diary::Note>(10ms, diary, "tick");
      CHECK(ticks.time_left().value() == 10ms);
      co_await sp::sleep(35ms);
      CHECK(ticks.cancel() == sp::CancelResult::cancelled);
      CHECK(ticks.cancel() == sp::CancelResult::too_late);
      co_await sp::sleep(1s);
      auto notes = co_await notes_of(diary);
      CHECK(notes == test::Strings{"tick@10", "tick@20", "tick@30"});
    });
  }

  TEST_CASE("TMR-10: a message of send_after is never early") {
    auto body = []() -> sp::Task<void> {
      for (int round = 0; round < 20; ++round) {
        auto before = sp::now();
        auto diary = sp::start<Diary>();
        (void)sp::send_after<Diary::Note>(std::chrono::microseconds(1500), diary, "x");
        test::Strings notes;
        while (notes.empty()) {
          auto reply = co_await diary.request<Diary::All>();
          notes = reply.value();
        }
        CHECK(sp::now() - before >= std::chrono::microseconds(1500));
        diary.stop();
      }
    };
    sp::run(body());
  }

  TEST_CASE("TMR-11: a negative delay and a period of zero or less are errors that say so") {
    in_virtual_time([]() -> sp::Task<void> {
      auto diary = sp::start<Diary>();
      CHECK_THROWS_AS((void)sp::send_after<Diary::Note>(-1ms, diary, "x"), std::invalid_argument);
      CHECK_THROWS_WITH((void)sp::send_interval<Diary::Note>(0ms, diary, "x"),
                        "send_interval: the period must be longer than zero, not 0 ns");
      CHECK_THROWS_AS((void)sp::send_interval<Diary::Note>(-5ms, diary, "x"),
                      std::invalid_argument);
      co_return;
    });
  }

  TEST_CASE("TMR-13: a timer dies with its destination, not with who set it") {
    in_virtual_time([]() -> sp::Task<void> {
      auto diary = sp::start<Diary>();
      auto setter = sp::start<Diary>();
      setter.send<Diary::SetTimer>(diary, 50ms);
      (void)co_await setter.stop_and_wait();
      co_await sp::sleep(1s);
      auto notes = co_await notes_of(diary);
      CHECK(notes == test::Strings{"set by another@50"});
    });
  }

  TEST_CASE("TMR-14: cancelling what is in the mailbox is too late, and the message stays") {
    in_virtual_time([]() -> sp::Task<void> {
      auto diary = sp::start<Diary>();
      diary.send<Diary::Busy>(100ms);
      auto timer = sp::send_after<Diary::Note>(30ms, diary, "queued");
      co_await sp::sleep(50ms);
      CHECK(timer.cancel() == sp::CancelResult::too_late);
      auto notes = co_await notes_of(diary);
      CHECK(notes == test::Strings{"queued@100"});
    });
  }

  TEST_CASE("dropping the handle leaves the timer to run") {
    in_virtual_time([]() -> sp::Task<void> {
      auto diary = sp::start<Diary>();
      {
        auto timer = sp::send_after<Diary::Note>(5ms, diary, "runs");
      }
      auto named = Diary::Note{"moved"};
      (void)sp::send_after(6ms, diary, sp::moved(named));
      co_await sp::sleep(10ms);
      auto notes = co_await notes_of(diary);
      CHECK(notes == test::Strings{"runs@5", "moved@6"});
    });
  }

  TEST_CASE("an interval does not drift, however slow its actor is") {
    in_virtual_time([]() -> sp::Task<void> {
      auto diary = sp::start<Diary>();
      auto ticks = sp::send_interval<Diary::Note>(10ms, diary, "tick");
      co_await sp::sleep(5ms);
      for (int i = 0; i < 10; ++i) {
        diary.send<Diary::Busy>(3ms);
        co_await sp::sleep(10ms);
      }
      ticks.cancel();
      auto notes = co_await notes_of(diary);
      REQUIRE(notes.size() >= 9);
      CHECK(notes[0] == "tick@10");
      CHECK(notes[8] == "tick@90");
      CHECK(ticks.missed() == 0);
    });
  }

  TEST_CASE("a slow actor has at most one tick waiting; the others are missed and counted") {
    in_virtual_time([]() -> sp::Task<void> {
      auto diary = sp::start<Diary>();
      auto ticks = sp::send_interval<Diary::Note>(10ms, diary, "tick");
      diary.send<Diary::Busy>(55ms);
      co_await sp::sleep(75ms);
      ticks.cancel();
      auto notes = co_await notes_of(diary);
      CHECK(notes == test::Strings{"tick@55", "tick@60", "tick@70"});
      CHECK(ticks.missed() == 4);
    });
  }

  TEST_CASE("an interval of bursts sends every tick to a slow actor") {
    in_virtual_time([]() -> sp::Task<void> {
      auto diary = sp::start<Diary>();
      auto ticks = sp::send_interval<Diary::Note>(10ms, sp::MissedTicks::burst, diary, "tick");
      diary.send<Diary::Busy>(55ms);
      co_await sp::sleep(75ms);
      ticks.cancel();
      auto notes = co_await notes_of(diary);
      CHECK(notes == test::Strings{"tick@55", "tick@55", "tick@55", "tick@55", "tick@55", "tick@60",
                                   "tick@70"});
      CHECK(ticks.missed() == 0);
    });
  }

  TEST_CASE("ticks that nobody could send in time are skipped, or sent in a burst") {
    for (bool const burst : {false, true}) {
      CAPTURE(burst);
      auto clock = std::make_shared<sp::ManualClock>();
      sp::RuntimeOptions options;
      options.clock = clock;
      sp::Runtime runtime(options);
      auto start = []() -> sp::Task<sp::ActorRef<Diary>> { co_return sp::start<Diary>(); };
      auto diary = runtime.block_on(start());
      auto const wait_for = [&](std::size_t count) {
        test::Strings notes;
        while (notes.size() < count) notes = runtime.block_on(notes_of(diary));
        return notes;
      };
      auto ticks = sp::send_interval<Diary::Note>(
          10ms, burst ? sp::MissedTicks::burst : sp::MissedTicks::skip, diary, "tick");
      clock->advance(55ms);
      std::size_t const at_once = burst ? 5 : 1;
      CHECK(wait_for(at_once) == test::Strings(at_once, "tick@55"));
      // Counted when the next tick is planned, a moment after this one was sent.
      while (ticks.missed() < 5 - at_once) std::this_thread::yield();
      clock->advance(5ms);
      CHECK(wait_for(at_once + 1).back() == "tick@60");
      CHECK(ticks.missed() == 5 - at_once);
    }
  }

  TEST_CASE("timers on actors of every backend, set on workers and on threads outside") {
    for (auto const backend : {sp::Backend::Async, sp::Backend::Blocking, sp::Backend::Thread}) {
      CAPTURE(static_cast<int>(backend));
      sp::Runtime runtime(test::virtual_time());
      auto start = [](sp::Backend where) -> sp::Task<sp::ActorRef<Diary>> {
        auto ref = Diary().start_with_backend(where);
        (void)sp::send_after<Diary::Note>(10ms, ref, "from a worker");
        co_return ref;
      };
      auto diary = runtime.block_on(start(backend));
      auto timer = sp::send_after<Diary::Note>(20ms, diary, "from outside");
      auto ticks = sp::send_interval<Diary::Note>(15ms, diary, "tick");
      CHECK(timer.state() != sp::TimerState::actor_ended);
      auto wait = []() -> sp::Task<void> { co_await sp::sleep(100ms); };
      runtime.block_on(wait());
      auto notes = runtime.block_on(notes_of(diary));
      CHECK(notes.size() >= 3);
      CHECK(timer.state() == sp::TimerState::sent);
      CHECK(ticks.cancel() == sp::CancelResult::cancelled);
    }
  }

  TEST_CASE("a timer may be set from a worker of another runtime") {
    sp::Runtime home;
    sp::Runtime elsewhere;
    auto start = []() -> sp::Task<sp::ActorRef<Diary>> { co_return sp::start<Diary>(); };
    auto diary = home.block_on(start());
    auto set = [](sp::ActorRef<Diary> far) -> sp::Task<void> {
      auto cancelled = sp::send_after<Diary::Note>(1h, far, "never");
      (void)sp::send_after<Diary::Note>(1ms, far, "from afar");
      CHECK(cancelled.time_left().value() > 59min);
      CHECK(cancelled.cancel() == sp::CancelResult::cancelled);
      for (;;) {
        auto notes = co_await notes_of(far);
        if (!notes.empty()) break;
        co_await sp::sleep(1ms);
      }
    };
    elsewhere.block_on(set(diary));
  }
}
