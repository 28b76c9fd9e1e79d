#include <spawned/actors/exit_timers.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;
using Reason = sp::ExitReason;

namespace {

class Sleeper : public sp::Actor<Sleeper> {
 public:
  struct Sleep {};
  struct Ping {};
  sp::Task<void> handle_message(Sleep /*order*/) { co_await sp::sleep(24h); }
  int handle_request(Ping /*request*/) { return 1; }
};

template <typename Body>
void in_virtual_time(Body body) {
  sp::run(body(), test::virtual_time());
}

}  // namespace

TEST_SUITE("actors/exit_timers") {
  TEST_CASE("TMR-09: exit_after ends the actor with the reason, kill_after with killed, in time") {
    in_virtual_time([]() -> sp::Task<void> {
      auto const begin = sp::now();
      auto first = Sleeper().start();
      auto second = Sleeper().start();
      second.send<Sleeper::Sleep>();
      auto timer = sp::exit_after(30ms, first, Reason::custom("bye"));
      auto killer = sp::kill_after(60ms, second);
      CHECK(timer.state() == sp::TimerState::waiting);
      CHECK(timer.time_left().value() == 30ms);
      auto bye = co_await first.wait_exit();
      CHECK(bye.value() == Reason::custom("bye"));
      CHECK(sp::now() - begin >= 30ms);
      CHECK(sp::now() - begin < 60ms);
      CHECK(timer.state() == sp::TimerState::sent);
      CHECK(timer.cancel() == sp::CancelResult::too_late);
      auto killed = co_await second.wait_exit();
      CHECK(killed.value().kind() == Reason::Kind::killed);
      CHECK(sp::now() - begin >= 60ms);
    });
  }

  TEST_CASE("a cancelled exit timer sends nothing, and reason normal is ignored") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = Sleeper().start();
      auto killer = sp::kill_after(30ms, actor);
      CHECK(killer.cancel() == sp::CancelResult::cancelled);
      auto normal = sp::exit_after(30ms, actor, Reason());
      co_await sp::sleep(1s);
      CHECK(killer.state() == sp::TimerState::cancelled);
      CHECK(normal.state() == sp::TimerState::sent);
      auto alive = co_await actor.request<Sleeper::Ping>();
      CHECK(alive.value() == 1);
    });
  }

  TEST_CASE("an exit timer ends with its actor, and is over from the start on one that has") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = Sleeper().start();
      auto timer = sp::exit_after(1h, actor, Reason::custom("late"));
      (void)co_await actor.stop_and_wait();
      CHECK(timer.state() == sp::TimerState::actor_ended);
      CHECK(timer.error().value() == sp::ActorError::Kind::no_such_actor);
      CHECK(sp::kill_after(1s, actor).state() == sp::TimerState::actor_ended);
      CHECK(sp::kill_after(0s, actor).state() == sp::TimerState::actor_ended);
    });
  }

  TEST_CASE("an exit timer of zero acts now; a negative delay is an error; its handle may go") {
    in_virtual_time([]() -> sp::Task<void> {
      auto actor = Sleeper().start();
      (void)sp::exit_after(0s, actor, Reason::shutdown());
      CHECK_FALSE(actor.is_alive());
      auto reason = co_await actor.wait_exit();
      CHECK(reason.value() == Reason::shutdown());
      auto other = Sleeper().start();
      CHECK_THROWS_AS((void)sp::exit_after(-1ms, other, Reason()), std::invalid_argument);
      CHECK_THROWS_AS((void)sp::kill_after(-1ms, other), std::invalid_argument);
      {
        (void)sp::kill_after(5ms, other);
      }
      auto killed = co_await other.wait_exit();
      CHECK(killed.value().kind() == Reason::Kind::killed);
    });
  }

  TEST_CASE("exit timers are set from plain threads, on actors of every backend") {
    for (auto const backend : {sp::Backend::Async, sp::Backend::Blocking, sp::Backend::Thread}) {
      sp::Runtime runtime;
      auto actor = sp::start_with_on<Sleeper>(runtime, {.backend = backend});
      auto timer = sp::kill_after(1ms, actor);
      CHECK(actor.wait_exit_blocking().kind() == Reason::Kind::killed);
      CHECK(timer.state() == sp::TimerState::sent);
    }
  }
}
