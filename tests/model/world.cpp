#include "model/world.hpp"

#include <cstdlib>
#include <memory>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/detail/simulated.hpp>

#include "time/timekeeper.hpp"

namespace spawned {

namespace {

// Half an hour passes between the second and the third look: a wait of a limited time begins, sees
// that there is time left, sleeps once, and finds it over.
class ClockOfTheModel final : public Clock {
 public:
  [[nodiscard]] Duration now() const noexcept override {
    return std::chrono::minutes(++model_test::world.looks_at_clock / 3 * 30);
  }
  [[nodiscard]] Duration utc_now() const noexcept override { return Duration(0); }
};

}  // namespace

std::shared_ptr<Clock> real_clock() {
  static auto const clock = std::make_shared<ClockOfTheModel>();
  return clock;
}

namespace detail {

constinit thread_local WorkerLocal* current_worker = nullptr;
constinit thread_local Simulated* simulated = nullptr;
void simulated_touches_all(bool /*from_now_on*/) noexcept {}
constinit thread_local PoolLists* this_pool = nullptr;

void* pool_allocate_slowly(std::size_t bytes) {
  return ::operator new(bytes, std::align_val_t{64});
}
void pool_free_slowly(void* block, std::size_t /*bytes*/) noexcept {
  ::operator delete(block, std::align_val_t{64});
}

void schedule(Runnable& work) noexcept { model_test::world.schedule(work); }
void timer_arm_after(TimerEntry& entry, std::int64_t /*duration_ns*/) noexcept {
  model_test::world.arm(entry);
}
void timer_arm_at(TimerEntry& entry, std::int64_t /*deadline_ns*/) noexcept {
  model_test::world.arm(entry);
}
void timer_cancel(TimerEntry& entry) noexcept { model_test::world.disarm(entry); }

// Of virtual time, which no model has.
void Timekeeper::wake() noexcept { std::abort(); }
void Timekeeper::arm_after(TimerEntry& /*entry*/, std::int64_t /*duration_ns*/) noexcept {
  std::abort();
}

}  // namespace detail
}  // namespace spawned
