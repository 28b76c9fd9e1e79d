// Timers (time/wheel.cpp, as it is): arming, cancelling and firing on several threads. A timer
// fires once or is cancelled, never early, and after timer_cancel() nobody uses its entry.
#include <chrono>
#include <cstdint>
#include <optional>

#include <spawned/runtime/clock.hpp>

#include "model/support.hpp"
#include "time/wheel.hpp"

namespace {

using namespace model_test;
using spawned::Clock;
using spawned::detail::atomic;
using spawned::detail::memory_order_acq_rel;
using spawned::detail::memory_order_acquire;
using spawned::detail::memory_order_relaxed;
using spawned::detail::memory_order_release;
using spawned::detail::Runnable;
using spawned::detail::RunnableChain;
using spawned::detail::SharedCell;
using spawned::detail::TimerEntry;
using spawned::detail::TimerWheel;

constexpr std::int64_t tick = TimerWheel::tick_ns;

// Another thread may move it on.
class StepClock final : public Clock {
 public:
  [[nodiscard]] Duration now() const noexcept override {
    return Duration(now_.load(memory_order_acquire));
  }
  [[nodiscard]] Duration utc_now() const noexcept override { return Duration(0); }
  void move(std::int64_t by) { now_.fetch_add(by, memory_order_acq_rel); }

 private:
  atomic<std::int64_t> now_{0};
};

// What arms a timer. Whoever fires it writes here, under the wheel's lock, and whoever owns it
// reads and destroys it: only the lock and timer_cancel() stand between.
struct Timed final : TimerEntry, Runnable {
  explicit Timed(StepClock const* clock = nullptr)
      : TimerEntry(&on_timer), Runnable(nullptr, [](Runnable&) noexcept {}), time(clock) {}

  static Runnable* on_timer(TimerEntry& self) noexcept {
    auto& timed = static_cast<Timed&>(self);
    model::check(timed.waits.get(), "a timer fires once, and not after it was cancelled");
    timed.waits.set(false);
    if (timed.time != nullptr) {
      model::check(timed.time->now().count() >= timed.due, "no timer fires early");
    }
    return &timed;
  }

  void arm_after(TimerWheel& on, std::int64_t duration) {
    waits.set(true);
    on.arm_after(*this, duration);
  }
  void arm_at(TimerWheel& on, std::int64_t deadline) {
    waits.set(true);
    on.arm_at(*this, deadline);
  }
  // True: it had not fired.
  bool cancel() {
    wheel->cancel(*this);
    bool const in_time = waits.get();
    waits.set(false);
    return in_time;
  }

  SharedCell<bool> waits;
  StepClock const* time;
  std::int64_t due = 0;
};

// Polls, and counts what is to run.
int poll(TimerWheel& wheel, std::int64_t now) {
  RunnableChain due;
  std::uint64_t const fired = wheel.poll(now, due);
  int count = 0;
  while (due.take_first() != nullptr) ++count;
  model::check(static_cast<std::uint64_t>(count) == fired, "what fired is to run");
  return count;
}

}  // namespace

TEST_SUITE("model/timer") {
  TEST_CASE("a cancel on another thread against the owner's poll: one of them gets the timer") {
    holds([] {
      TimerWheel wheel;
      std::optional<Timed> timed(std::in_place);
      timed->arm_after(wheel, tick);
      int fired = 0;
      bool cancelled = false;
      model::parallel(
          [&] {
            fired += poll(wheel, 0);
            fired += poll(wheel, tick);
          },
          [&] {
            cancelled = timed->cancel();
            timed.reset();  // its frame goes on: nobody uses the entry any more
          });
      model::check(fired == (cancelled ? 0 : 1), "it fired or was cancelled");
      model::check(wheel.empty() && wheel.next_deadline_ns() == TimerWheel::none, "it is gone");
    });
  }

  TEST_CASE("two cancels and two polls at once: each timer is fired or cancelled once") {
    holds([] {
      TimerWheel wheel;
      Timed first;
      Timed second;
      first.arm_at(wheel, 0);
      second.arm_at(wheel, 2 * tick);
      int fired = 0;
      int others = 0;
      int cancelled = 0;
      model::parallel([&] { fired = poll(wheel, 3 * tick); },
                      [&] { others = poll(wheel, 2 * tick); },
                      [&] {
                        cancelled += first.cancel() ? 1 : 0;
                        cancelled += first.cancel() ? 1 : 0;  // of no effect
                        cancelled += second.cancel() ? 1 : 0;
                      });
      model::check(fired + others + cancelled == 2 && wheel.empty(), "each of the two, once");
    });
  }

  TEST_CASE("what the owner arms while another polls by the clock never fires early") {
    holds([] {
      StepClock clock;
      TimerWheel wheel;
      Timed timed(&clock);
      bool fired = false;
      auto const serve = [&] {
        RunnableChain due;
        (void)wheel.poll(clock, due);
        fired = fired || due.first != nullptr;
      };
      model::parallel(
          [&] {
            timed.due = clock.now().count() + 2 * tick;
            timed.arm_after(wheel, 2 * tick);
          },
          [&] {
            serve();
            serve();
          },
          [&] {
            clock.move(tick);
            clock.move(tick);
          });
      clock.move(3 * tick);
      serve();
      clock.move(3 * tick);
      serve();
      model::check(fired, "and not later than asked for, once it is looked at");
    });
  }

  TEST_CASE("a moving clock stamps beside the owner: the timer counts from before the move") {
    holds([] {
      StepClock clock;
      TimerWheel wheel;
      Timed timed(&clock);
      timed.due = tick;
      timed.arm_after(wheel, tick);
      int fired = 0;
      model::parallel([&] { fired += poll(wheel, clock.now().count()); },
                      [&] {
                        wheel.stamp(clock);
                        clock.move(tick);
                      });
      fired += poll(wheel, clock.now().count());
      model::check(fired == 1, "stamped before the move, it is due after it");
    });
  }

  TEST_CASE("others see how long a timer has to go while it is armed, fired and cancelled") {
    holds([] {
      TimerWheel wheel;
      Timed timed;
      timed.arm_at(wheel, 4 * tick);
      int fired = 0;
      model::parallel(
          [&] {
            std::int64_t const left = wheel.time_left(timed, tick);
            model::check(left == -1 || left == 3 * tick, "armed, or no more");
          },
          [&] { fired = poll(wheel, 4 * tick); },
          [&] {
            std::int64_t const next = wheel.next_deadline_ns();
            model::check(next == TimerWheel::none || next == 4 * tick, "never later than a timer");
          });
      model::check(fired == 1 && !timed.waits.get(), "it fired");
    });
  }
}
