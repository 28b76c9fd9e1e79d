// The blocks behind send_after, send_interval and the idle timeout.
//
// tick_waits_ of an interval is set before a tick is pushed and cleared by the actor that has taken
// it: the mailbox orders the two, and all accesses are relaxed. Who reads an old value drops a tick
// as if the last one still waited.
#pragma once

#include <cstdint>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/dependants.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/detail/timer.hpp>

namespace spawned::detail {

/// A dependant that a wheel keeps.
class TimedDependant : public TimerEntry, public Dependant {
 public:
  /// Any thread. The timer goes with the actor if that has ended.
  void arm(std::int64_t delay_ns) noexcept;
  TimedDependant(CellBase& actor, Operations const& table, bool many)
      : TimerEntry(&on_expiry), Dependant(actor, table, many) {}

 protected:
  ~TimedDependant() = default;
  static void disarm(Dependant& self) noexcept;
  [[nodiscard]] bool keep_or_disarm() noexcept;

 private:
  static Runnable* on_expiry(TimerEntry& entry) noexcept;
};

/// Of a timer, in ns, or -1: it is not waiting.
[[nodiscard]] std::int64_t time_left(TimedDependant& timer) noexcept;

/// A message that is sent once: timer and envelope in one block. Its keeper is the wheel, then the
/// mailbox.
class MessageTimer : public Envelope, public TimedDependant {
 public:
  MessageTimer(CellBase& actor, Deliver function) : MessageTimer(actor, function, table) {}

  /// Any thread. A delay of zero: into the mailbox at once.
  void start(std::int64_t delay_ns) noexcept;

 protected:
  MessageTimer(CellBase& actor, Deliver function, Operations const& functions)
      : Envelope(function), TimedDependant(actor, functions, false) {}
  ~MessageTimer() = default;
  void handled() noexcept { drop(); }
  static void send(Dependant& self) noexcept;
  static void let_go(Dependant& self) noexcept;
  static void destroy(Dependant& self) noexcept;

 private:
  static void identify(Dependant& self) noexcept;
  static constexpr Operations table{&send, &disarm, &let_go, &destroy, &identify};
};

/// The message of an idle timeout. Its handle is held by the actor itself.
class IdleTimer : public MessageTimer {
 public:
  IdleTimer(CellBase& actor, Deliver function) : MessageTimer(actor, function, idle_table) {}
  IdleTimer* next_stale = nullptr;

 protected:
  ~IdleTimer() = default;
  /// False: another message came first.
  bool begin(CellBase& cell) noexcept;

 private:
  static constexpr Operations idle_table{&send, &disarm, &let_go, &destroy};
};

/// Sends a copy of its message every period. `Typed` adds the message.
class IntervalTimer : public TimedDependant {
 public:
  /// Any thread, once.
  void start() noexcept;
  [[nodiscard]] std::uint64_t missed() const noexcept {
    return missed_.load(memory_order_relaxed);  // a statistic
  }

 protected:
  IntervalTimer(CellBase& actor, Operations const& table, Envelope& (*make)(IntervalTimer&),
                std::int64_t period_ns, bool burst)
      : TimedDependant(actor, table, true), make_(make), period_ns_(period_ns), burst_(burst) {}
  ~IntervalTimer() = default;

  static void send(Dependant& self) noexcept;

 private:
  friend class Tick;
  friend std::int64_t time_left(TimedDependant& timer) noexcept;
  void send_tick() noexcept;
  void plan_next() noexcept;
  void count_missed(std::int64_t ticks) noexcept {
    missed_.fetch_add(static_cast<std::uint64_t>(ticks), memory_order_relaxed);  // a statistic
  }

  Envelope& (*make_)(IntervalTimer&);
  std::int64_t next_ns_ = 0;  // the next tick; its keeper's
  std::int64_t period_ns_;
  atomic<std::uint64_t> missed_{0};
  atomic<bool> tick_waits_{false};
  bool burst_;
};

/// One message of an interval.
class Tick : public Envelope {
 public:
  Tick(IntervalTimer& timer, Deliver function) noexcept : Envelope(function), timer_(&timer) {
    timer.hold();
    timer.tick_waits_.store(true, memory_order_relaxed);  // ordered by the mailbox
  }

 protected:
  ~Tick() {
    if (!begun_) timer_->tick_waits_.store(false, memory_order_relaxed);  // ordered by the mailbox
    timer_->drop();
  }
  bool begin(CellBase& /*cell*/) noexcept {
    begun_ = true;
    timer_->tick_waits_.store(false, memory_order_relaxed);  // ordered by the mailbox
    return true;
  }
  void handled() noexcept { (void)deliver(nullptr, *this, Operation::destroy); }

 private:
  IntervalTimer* timer_;
  bool begun_ = false;
};

template <typename A, typename M>
class TypedInterval final : public IntervalTimer {
 public:
  template <typename... Args>
  TypedInterval(CellBase& actor, std::int64_t period_ns, bool burst, Args&&... args)
      : IntervalTimer(actor, table, &make, period_ns, burst),
        message_(std::in_place, std::forward<Args>(args)...) {}

 private:
  static Envelope& make(IntervalTimer& timer) {
    auto& self = static_cast<TypedInterval&>(timer);
    return *pool_new<SendEnvelope<A, M, Tick>>(timer, std::in_place,
                                               std::as_const(self.message_.get()));
  }
  static void let_go(Dependant& self) noexcept {
    static_cast<TypedInterval&>(self).message_.end();
    self.drop();
  }
  static void destroy(Dependant& self) noexcept { pool_delete(&static_cast<TypedInterval&>(self)); }
  static void identify(Dependant& /*self*/) noexcept { tell(info); }
  static constexpr Operations table{&send, &disarm, &let_go, &destroy, &identify};
  static constexpr MessageInfo info{type_name<M>(), {}, nullptr};

  template <typename U>
  friend void pool_delete(U*) noexcept;

  MessageStorage<M> message_;
};

}  // namespace spawned::detail
