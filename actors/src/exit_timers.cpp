#include <spawned/actors/exit_timers.hpp>

#include <utility>

#include <spawned/actors/detail/timed.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/log.hpp>

namespace spawned::detail {

namespace {

// Its keeper is the wheel; the signal itself is not part of it.
class ExitTimer final : public TimedDependant {
 public:
  ExitTimer(CellBase& actor, ExitReason reason)
      : TimedDependant(actor, table, false), reason_(std::move(reason)) {}

  void start(std::int64_t delay_ns) noexcept {
    if (delay_ns > 0) {
      arm(delay_ns);
    } else if (group().begin_send(*this, true)) {
      send(*this);
    } else {
      let_go(*this);
    }
  }

 private:
  static void send(Dependant& dependant) noexcept {
    auto& self = static_cast<ExitTimer&>(dependant);
    try {
      self.target->exit(std::move(self.reason_));
    } catch (...) {
      log::error("spawned", "exit_after: no memory for the exit signal; it is not sent");
    }
    self.drop();
  }
  static void let_go(Dependant& dependant) noexcept { dependant.drop(); }
  static void destroy(Dependant& dependant) noexcept {
    pool_delete(&static_cast<ExitTimer&>(dependant));
  }
  static constexpr Operations table{&send, &disarm, &let_go, &destroy};

  template <typename U>
  friend void spawned::detail::pool_delete(U*) noexcept;

  ExitReason reason_;
};

}  // namespace

TimerHandle start_exit_timer(CellBase& cell, std::int64_t delay_ns, ExitReason reason) {
  auto& timer = *pool_new<ExitTimer>(cell, std::move(reason));
  timer.start(delay_ns);
  return TimerHandle(timer);
}

}  // namespace spawned::detail
