#include "time/wheel.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include <doctest/doctest.h>

using spawned::detail::Runnable;
using spawned::detail::RunnableChain;
using spawned::detail::TimerEntry;
using spawned::detail::TimerWheel;

namespace {

constexpr std::int64_t ms = TimerWheel::tick_ns;

/// A timer that is its own unit of work, so that the chain tells the order of expiry.
struct Timer final : TimerEntry, Runnable {
  Timer() : TimerEntry(&on_fire), Runnable(nullptr, nullptr) {}
  static Runnable* on_fire(TimerEntry& self) noexcept { return &static_cast<Timer&>(self); }
  int id = 0;
};

std::vector<int> expired_at(TimerWheel& wheel, std::int64_t now) {
  RunnableChain chain;
  std::uint64_t const fired = wheel.poll(now, chain);
  std::vector<int> ids;
  while (Runnable* const work = chain.take_first()) ids.push_back(static_cast<Timer&>(*work).id);
  CHECK(fired == ids.size());
  return ids;
}

/// What the wheel must do, told slowly: a list of deadlines.
class Model {
 public:
  void arm_after(int id, std::int64_t duration) { unstamped_[id] = duration; }
  void arm_at(int id, std::int64_t deadline) { deadlines_[id] = deadline; }
  void cancel(int id) {
    unstamped_.erase(id);
    deadlines_.erase(id);
  }
  void stamp(std::int64_t now) {
    for (auto const& [id, duration] : unstamped_) {
      bool const over = duration > std::numeric_limits<std::int64_t>::max() - now;
      deadlines_[id] = over ? std::numeric_limits<std::int64_t>::max() : now + duration;
    }
    unstamped_.clear();
  }
  /// A timer expires at the first whole millisecond that is not before its deadline.
  std::vector<int> expired_at(std::int64_t now) {
    stamp(now);
    std::vector<int> ids;
    for (auto const& [id, deadline] : deadlines_) {
      if (tick(deadline) <= now / ms) ids.push_back(id);
    }
    for (int const id : ids) deadlines_.erase(id);
    return ids;
  }
  [[nodiscard]] std::int64_t earliest_ns() const {
    std::int64_t earliest = TimerWheel::none;
    for (auto const& [id, deadline] : deadlines_) {
      earliest = std::min(earliest, tick(deadline) * ms);
    }
    return earliest;
  }
  [[nodiscard]] std::int64_t tick_of(int id) const { return tick(deadlines_.at(id)); }
  [[nodiscard]] bool empty() const { return unstamped_.empty() && deadlines_.empty(); }

 private:
  static std::int64_t tick(std::int64_t deadline) {
    return deadline <= 0 ? 0 : (deadline - 1) / ms + 1;
  }
  std::map<int, std::int64_t> unstamped_;
  std::map<int, std::int64_t> deadlines_;
};

std::int64_t random_duration(std::mt19937_64& random) {
  // Every order of magnitude alike, from nothing to beyond the range of the wheel.
  auto const bits = random() % 64;
  auto const value = static_cast<std::int64_t>(random() >> (63 - bits) >> 1);
  return random() % 3 == 0 ? value / ms * ms : value;
}

void compare_with_model(std::uint64_t seed) {
  INFO("seed ", seed);
  std::mt19937_64 random(seed);
  TimerWheel wheel;
  Model model;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int id = 0; id < 64; ++id) {
    timers.push_back(std::make_unique<Timer>());
    timers.back()->id = id;
  }
  // Half of the runs stay in the first hour, where cascades are dense.
  std::int64_t const horizon = seed % 2 == 0 ? 3'600'000 * ms : std::int64_t{1} << 61;
  std::int64_t now = static_cast<std::int64_t>(random() >> 2) % horizon;
  bool failed = false;
  auto const expect = [&failed](bool holds) { failed = failed || !holds; };
  (void)expired_at(wheel, now);
  for (int step = 0; step < 2'000 && !failed; ++step) {
    auto& timer = *timers[random() % timers.size()];
    switch (random() % 5) {
      case 0:
      case 1: {
        if (timer.armed) break;
        std::int64_t const duration = random_duration(random) % horizon;
        if (random() % 2 == 0) {
          wheel.arm_after(timer, duration);
          model.arm_after(timer.id, duration);
        } else {
          std::int64_t const deadline = now - horizon / 100 + duration;
          wheel.arm_at(timer, deadline);
          model.arm_at(timer.id, deadline);
        }
        break;
      }
      case 2:
        wheel.cancel(timer);
        model.cancel(timer.id);
        break;
      case 3: {
        wheel.stamp(now);
        model.stamp(now);
        std::int64_t const next = wheel.next_deadline_ns();
        std::int64_t const earliest = model.earliest_ns();
        expect((next == TimerWheel::none) == (earliest == TimerWheel::none));
        expect(next == TimerWheel::none || next <= std::max(earliest, now));
        break;
      }
      default: {
        // Sometimes exactly to what the wheel asked for, else anywhere.
        std::int64_t const next = wheel.next_deadline_ns();
        std::int64_t target = now + random_duration(random) % (horizon / 64);
        if (random() % 2 == 0 && next != TimerWheel::none) target = std::max(now, next);
        if (target > std::int64_t{1} << 62) break;
        now = target;
        wheel.stamp(now);
        model.stamp(now);
        std::map<int, std::int64_t> ticks;
        for (auto const& each : timers) {
          if (each->armed) ticks[each->id] = model.tick_of(each->id);
        }
        auto const before = now;
        auto fired = expired_at(wheel, now);
        auto expected = model.expired_at(before);
        std::sort(fired.begin(), fired.end());
        expect(fired == expected);
        break;
      }
    }
    expect(wheel.empty() == model.empty());
  }
  CHECK_FALSE(failed);
  for (auto& timer : timers) wheel.cancel(*timer);
  CHECK(wheel.empty());
}

}  // namespace

TEST_SUITE("runtime/detail/wheel") {
  TEST_CASE("an empty wheel has no deadline and expires nothing") {
    TimerWheel wheel;
    CHECK(wheel.empty());
    CHECK(wheel.next_deadline_ns() == TimerWheel::none);
    CHECK(expired_at(wheel, 1'000'000 * ms).empty());
  }

  TEST_CASE("a timer expires at the first whole millisecond that is not before its deadline") {
    for (std::int64_t const deadline :
         {std::int64_t{1}, ms - 1, ms, ms + 1, 64 * ms, 64 * ms + 1}) {
      CAPTURE(deadline);
      TimerWheel wheel;
      Timer timer;
      wheel.arm_at(timer, deadline);
      std::int64_t const due = (deadline + ms - 1) / ms * ms;
      CHECK(expired_at(wheel, due - 1).empty());
      CHECK(timer.armed);
      CHECK(expired_at(wheel, due).size() == 1);
      CHECK_FALSE(timer.armed);
      CHECK(wheel.empty());
    }
  }

  TEST_CASE("a duration counts from the stamp, not from the arming") {
    TimerWheel wheel;
    Timer timer;
    wheel.arm_after(timer, 10 * ms);
    CHECK_FALSE(wheel.empty());
    CHECK(wheel.next_deadline_ns() == TimerWheel::none);
    wheel.stamp(500 * ms);
    CHECK(wheel.next_deadline_ns() <= 510 * ms);
    CHECK(expired_at(wheel, 510 * ms - 1).empty());
    CHECK(expired_at(wheel, 510 * ms).size() == 1);
  }

  TEST_CASE("a deadline in the past, at zero or below expires at the next poll") {
    TimerWheel wheel;
    (void)expired_at(wheel, 100 * ms);
    for (std::int64_t const deadline :
         {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}, std::int64_t{0}, 100 * ms}) {
      CAPTURE(deadline);
      Timer timer;
      wheel.arm_at(timer, deadline);
      CHECK(wheel.next_deadline_ns() <= 100 * ms);
      CHECK(expired_at(wheel, 100 * ms).size() == 1);
    }
  }

  TEST_CASE("a cancelled timer does not expire, wherever it was") {
    TimerWheel wheel;
    Timer unstamped;
    Timer due;
    Timer near;
    Timer far;
    Timer never_armed;
    (void)expired_at(wheel, 10 * ms);
    wheel.arm_at(due, 1);
    wheel.arm_at(near, 20 * ms);
    wheel.arm_at(far, 1'000'000 * ms);
    wheel.arm_after(unstamped, 1);
    for (Timer* const timer : {&unstamped, &due, &near, &far}) {
      wheel.cancel(*timer);
      CHECK_FALSE(timer->armed);
      wheel.cancel(*timer);
    }
    CHECK(wheel.empty());
    CHECK(wheel.next_deadline_ns() == TimerWheel::none);
    CHECK(expired_at(wheel, 2'000'000 * ms).empty());
  }

  TEST_CASE("one poll over a long time expires in the order of the deadlines") {
    TimerWheel wheel;
    std::vector<std::unique_ptr<Timer>> timers;
    std::vector<int> order;
    for (int i = 0; i < 500; ++i) order.push_back(i);
    std::shuffle(order.begin(), order.end(), std::mt19937_64(7));
    for (int const id : order) {
      timers.push_back(std::make_unique<Timer>());
      timers.back()->id = id;
      wheel.arm_at(*timers.back(), (1 + std::int64_t{id} * id * id) * ms);
    }
    auto const fired = expired_at(wheel, 500LL * 500 * 500 * ms);
    CHECK(fired.size() == 500);
    CHECK(std::is_sorted(fired.begin(), fired.end()));
  }

  TEST_CASE("equal deadlines expire in the order of arming") {
    TimerWheel wheel;
    std::vector<std::unique_ptr<Timer>> timers;
    for (int id = 0; id < 100; ++id) {
      timers.push_back(std::make_unique<Timer>());
      timers.back()->id = id;
      wheel.arm_at(*timers.back(), 5'000 * ms);
    }
    auto const fired = expired_at(wheel, 5'000 * ms);
    CHECK(fired.size() == 100);
    CHECK(std::is_sorted(fired.begin(), fired.end()));
  }

  TEST_CASE("every deadline around the borders of the levels expires at its tick") {
    for (int level = 1; level < 6; ++level) {
      std::int64_t const border = std::int64_t{1} << (6 * level);
      for (std::int64_t start = border - 2; start <= border + 1; ++start) {
        for (std::int64_t distance = 1; distance < 3 * border; distance += border / 2 - 1) {
          TimerWheel wheel;
          (void)expired_at(wheel, start * ms);
          Timer timer;
          wheel.arm_at(timer, (start + distance) * ms);
          bool const early = !expired_at(wheel, (start + distance) * ms - 1).empty();
          bool const on_time = expired_at(wheel, (start + distance) * ms).size() == 1;
          CHECK_FALSE(early);
          CHECK(on_time);
        }
      }
    }
  }

  TEST_CASE("the longest durations neither wrap round nor hide a nearer timer") {
    TimerWheel wheel;
    (void)expired_at(wheel, 5 * ms);
    Timer endless;
    Timer moment;
    Timer month;
    wheel.arm_after(endless, std::numeric_limits<std::int64_t>::max());
    wheel.arm_at(moment, std::numeric_limits<std::int64_t>::max());
    std::int64_t const due = 30LL * 24 * 3600 * 1000 * ms;
    wheel.arm_at(month, due);
    wheel.stamp(5 * ms);
    CHECK(wheel.next_deadline_ns() <= due);
    CHECK(expired_at(wheel, due - 1).empty());
    CHECK(expired_at(wheel, due).size() == 1);
    CHECK(expired_at(wheel, 250LL * 365 * 24 * 3600 * 1000 * ms).empty());
    CHECK(endless.armed);
    CHECK(moment.armed);
    wheel.cancel(endless);
    wheel.cancel(moment);
  }

  TEST_CASE("a fired timer may be armed again") {
    TimerWheel wheel;
    Timer timer;
    for (std::int64_t i = 1; i < 1'000; ++i) {
      wheel.arm_at(timer, i * 7 * ms);
      CHECK(expired_at(wheel, i * 7 * ms).size() == 1);
    }
  }

  TEST_CASE("a timer whose race is lost fires nothing but is counted and unlinked") {
    struct Lost final : TimerEntry {
      Lost() : TimerEntry(&on_fire) {}
      static Runnable* on_fire(TimerEntry& /*self*/) noexcept { return nullptr; }
    } lost;
    TimerWheel wheel;
    wheel.arm_at(lost, ms);
    RunnableChain chain;
    CHECK(wheel.poll(ms, chain) == 1);
    CHECK(chain.first == nullptr);
    CHECK(wheel.empty());
  }

  TEST_CASE("random arming, cancelling and advancing does what a list of deadlines does") {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) compare_with_model(seed);
  }
}
