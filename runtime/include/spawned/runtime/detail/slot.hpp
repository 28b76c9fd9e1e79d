// Slot: the word between one completer and one receiver. Behind every reply, oneshot, join handle
// and sleep.
//
//   state       set by                                  means
//   empty       initial                                 nobody waits, nothing there
//   waiting     receiver (or at birth, for a request)   `waiter` is to be notified
//   done        completer, once                         the value is there; the receiver frees
//   abandoned   receiver, once                          nobody will look; the completer frees
//
// The block that holds the slot has two owners. complete() and abandon() each exchange the word, so
// exactly one of them finds that the other was there before and frees the block.
// A waiter is woken by whoever moves the word out of `waiting`: completer, timer or canceller. The
// others find the word moved and do nothing. That one word is why a wake-up is neither lost nor
// doubled.
//
// Orderings.
//   value     complete() exchanges (acq_rel)  ->  is_done() loads (acquire).
//             The receiver sees the value the completer stored before.
//   waiter    begin_wait() CASes (release)  ->  complete() exchanges (acq_rel).
//             The completer sees the waiter initialised.
//   gone      stop_waiting() CASes (release)  ->  complete() exchanges (acq_rel).
//             The completer frees the block after who gave up is done with it.
#pragma once

#include <coroutine>
#include <cstdint>

#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/execution_context.hpp>
#include <spawned/runtime/detail/timer.hpp>

namespace spawned::detail {

/// Who waits for a slot: a suspended coroutine or a blocked thread.
struct SlotWaiter {
  explicit SlotWaiter(void (*function)(SlotWaiter&, bool) noexcept) noexcept : notify(function) {}
  SlotWaiter(SlotWaiter const&) = delete;
  SlotWaiter& operator=(SlotWaiter const&) = delete;

  /// Called by whoever moved the slot from waiting to done. `turn_ends`: the caller's turn on its
  /// worker ends right after, so the waiter may be handed off.
  void (*notify)(SlotWaiter&, bool turn_ends) noexcept;

 protected:
  ~SlotWaiter() = default;
};

class Slot {
 public:
  enum State : std::uint32_t { empty, waiting, done, abandoned };

  Slot() noexcept = default;

  /// For a request: the waiter is known before anybody else sees the slot.
  void start_waiting(SlotWaiter& waiter) noexcept {
    waiter_.set(&waiter);
    state_.store(waiting, memory_order_relaxed);  // published with the block
  }

  /// Receiver. False: the value is there already.
  [[nodiscard]] bool begin_wait(SlotWaiter& waiter) noexcept {
    waiter_.set(&waiter);
    std::uint32_t expected = empty;
    return state_.compare_exchange_strong(expected, waiting, memory_order_release,
                                          memory_order_acquire);  // waiter, value
  }

  /// Timer or canceller: takes the right to resume the waiter. `next` is empty or abandoned.
  [[nodiscard]] bool stop_waiting(State next) noexcept {
    std::uint32_t expected = waiting;
    return state_.compare_exchange_strong(expected, next, memory_order_release,
                                          memory_order_relaxed);  // gone
  }

  /// Completer, once, after storing the value. False: abandoned, the caller frees the block.
  /// True: the receiver owns the block, do not touch it any more.
  [[nodiscard]] bool complete(bool turn_ends = false) noexcept {
    SlotWaiter* waiter = nullptr;
    auto const before = state_.exchange(done, memory_order_acq_rel);  // value, waiter, gone
    if (before == abandoned) return false;
    if (before == waiting) {
      waiter = waiter_.get();
      waiter->notify(*waiter, turn_ends);
    }
    return true;
  }

  /// Receiver, once, when it does not wait. True: the completer will free the block.
  /// False: it is done, the caller owns value and block.
  [[nodiscard]] bool abandon() noexcept {
    return state_.exchange(abandoned, memory_order_acq_rel) != done;  // value
  }

  [[nodiscard]] bool is_done() const noexcept {
    return state_.load(memory_order_acquire) == done;  // value
  }
  /// For a completer that would like to skip work nobody waits for. A hint.
  [[nodiscard]] bool is_abandoned() const noexcept {
    return state_.load(memory_order_acquire) == abandoned;  // value
  }

 private:
  atomic<std::uint32_t> state_{empty};
  SharedCell<SlotWaiter*> waiter_{nullptr};
};

enum class WaitOutcome : std::uint8_t { completed, timed_out, cancelled };

/// No time limit.
inline constexpr std::int64_t no_deadline = -1;

/// A coroutine's wait on a slot, with time limit and cancellation. Lives in the awaiter.
class SlotWait final : public SlotWaiter, public Wait, public TimerEntry {
 public:
  /// `give_up`: what the slot becomes on timeout or cancellation: `empty` to be able to wait again.
  explicit SlotWait(Slot::State give_up) noexcept
      : SlotWaiter(&on_complete), Wait(&on_cancel), TimerEntry(&on_timer), give_up_(give_up) {}
  /// Also while suspended, once the context was queued and will not be resumed. The slot then says
  /// who owns its block, as after finish().
  ~SlotWait() {
    if (holds_.get() != 0) (void)finish();
  }

  /// Whole await_suspend() for a slot that others may already complete. True: suspended.
  [[nodiscard]] bool suspend(std::coroutine_handle<> handle, ExecutionContext& context, Slot& slot,
                             std::int64_t timeout_ns = no_deadline,
                             bool cancellable = true) noexcept;

  /// Whole await_suspend() for a wait that only time or a cancellation ends: `ns` is a duration or,
  /// if `absolute`, a point of the scheduler's clock. The outcome is timed_out when it slept.
  [[nodiscard]] bool sleep(std::coroutine_handle<> handle, ExecutionContext& context, Slot& slot,
                           std::int64_t ns, bool absolute) noexcept;

  /// The same in steps, for a caller that makes the slot known to its completer in between:
  /// prepare() -> publish the block -> commit(). prepare() false: cancelled, nothing happened;
  /// await_suspend() then returns refused().
  [[nodiscard]] bool prepare(std::coroutine_handle<> handle, ExecutionContext& context,
                             Slot& slot) noexcept {
    context_ = &context;
    slot_ = &slot;
    context.resume_point.set(handle);
    context.close_gate();
    slot.start_waiting(*this);
    if (context.begin_wait(*this)) {
      holds_.set(registered);
      return true;
    }
    outcome_.set(WaitOutcome::cancelled);
    context.open_gate();
    return false;
  }
  [[nodiscard]] bool refused() noexcept { return context_->suspend_doomed(); }
  void commit(std::int64_t timeout_ns) noexcept {
    if (timeout_ns != no_deadline) {
      holds_.set(static_cast<std::uint8_t>(holds_.get() | timed));
      timer_arm_after(*this, timeout_ns);
    }
    context_->open_gate();
  }
  /// Instead of commit(), when the block could not be published. True: a canceller came in between
  /// and has queued the context, so suspend all the same.
  [[nodiscard]] bool retract() noexcept;

  /// First call of await_resume().
  WaitOutcome finish() noexcept {
    if ((holds_.get() & registered) != 0) context_->end_wait(*this);
    if ((holds_.get() & timed) != 0) timer_cancel(*this);
    holds_.set(0);
    return outcome_.get();
  }

  [[nodiscard]] ExecutionContext& context() const noexcept { return *context_; }

  /// Before the wait: is_settled() is to tell of a completion too.
  void report_completion() noexcept { notify = &on_complete_reported; }
  /// The wait is over, or will be in a moment. By a thread that keeps this object alive.
  [[nodiscard]] bool is_settled() const noexcept {
    return given_up_.load(memory_order_relaxed);  // ordered by the caller
  }

 private:
  static void on_complete(SlotWaiter& self, bool turn_ends) noexcept;
  static void on_complete_reported(SlotWaiter& self, bool turn_ends) noexcept;
  static void on_cancel(Wait& self) noexcept;
  static Runnable* on_timer(TimerEntry& self) noexcept;

  /// Timer or canceller: takes the right to resume the waiter. Only the first of them may look at
  /// the slot: once it is abandoned, its block is the completer's to free at any moment.
  [[nodiscard]] bool give_up() noexcept {
    if (given_up_.exchange(true, memory_order_relaxed)) return false;  // one word, first come
    return slot_->stop_waiting(give_up_);
  }

  ExecutionContext* context_ = nullptr;
  Slot* slot_ = nullptr;
  Slot::State give_up_;
  SharedCell<WaitOutcome> outcome_{WaitOutcome::completed};  // written by whoever gives up
  static constexpr std::uint8_t registered = 1;              // with the context, for cancellation
  static constexpr std::uint8_t timed = 2;                   // with a wheel
  SharedCell<std::uint8_t> holds_{0};                        // ordered by the gate
  atomic<bool> given_up_{false};
};

/// A blocked thread's wait on a slot.
///
/// Time limits run on the machine's clock, but on a thread that works for a runtime under a virtual
/// clock: there they run on that one, and the thread counts as idle while it waits.
class ThreadWait final : public SlotWaiter, public TimerEntry {
 public:
  /// `give_up`: what the slot becomes on timeout: `empty` to be able to wait again.
  explicit ThreadWait(Slot::State give_up = Slot::abandoned) noexcept;

  /// Blocks until the slot is done (true) or the time is over (false; the slot is given up then).
  [[nodiscard]] bool wait(Slot& slot, std::int64_t timeout_ns = no_deadline) noexcept;

  /// The second half of wait(), for a slot that was published with start_waiting().
  [[nodiscard]] bool block(Slot& slot, std::int64_t timeout_ns) noexcept;

  /// The wait is over, or will be in a moment. By a thread that keeps this object alive.
  [[nodiscard]] bool is_settled() const noexcept {
    return woken_.load(memory_order_relaxed) != 0;  // ordered by the caller
  }

  /// Sleeps on the calling thread for `duration_ns`, never less.
  static void sleep(std::int64_t duration_ns) noexcept;

 private:
  static constexpr std::uint32_t completed = 1;
  static constexpr std::uint32_t timed_out = 2;

  static void on_complete(SlotWaiter& self, bool turn_ends) noexcept;
  static Runnable* on_timer(TimerEntry& self) noexcept;
  void wake(std::uint32_t outcome) noexcept;
  [[nodiscard]] bool block_real(Slot& slot, std::int64_t timeout_ns) noexcept;
  [[nodiscard]] bool block_virtual(Slot& slot, std::int64_t timeout_ns) noexcept;

  // Orderings.
  //   woken     wake() stores (release)  ->  block() loads (acquire).
  //             The thread sees what its waker saw.
  atomic<std::uint32_t> woken_{0};
  Scheduler* virtual_home_ = nullptr;
  Slot* slot_ = nullptr;
  Slot::State give_up_;
};

}  // namespace spawned::detail
