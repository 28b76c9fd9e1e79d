// Signals of the operating system as events: Signals, ctrl_c.
#pragma once

#include <coroutine>
#include <initializer_list>
#include <optional>
#include <utility>

#include <spawned/runtime/detail/promise.hpp>
#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/errors.hpp>

namespace spawned {

namespace detail {

struct SignalSubscription;

[[nodiscard]] SignalSubscription* subscribe_to_signals(std::initializer_list<int> signals);
void unsubscribe_from_signals(SignalSubscription* subscription) noexcept;

/// A delivery that the subscriber has not seen yet, or 0.
[[nodiscard]] int take_signal(SignalSubscription& subscription) noexcept;
[[nodiscard]] int take_signal_blocking(SignalSubscription& subscription, char const* operation);

/// Has `slot` completed at the next delivery; at once if there is one already.
/// Errors  std::logic_error when another slot is registered.
void begin_signal_wait(SignalSubscription& subscription, Slot& slot);
void end_signal_wait(SignalSubscription& subscription, Slot& slot) noexcept;

/// A coroutine's wait for a delivery.
class SignalWait {
 public:
  explicit SignalWait(SignalSubscription* subscription) noexcept
      : subscription_(subscription), wait_(Slot::abandoned) {}
  SignalWait(SignalWait const&) = delete;
  SignalWait& operator=(SignalWait const&) = delete;
  /// Also while suspended, once nobody can resume the awaiting coroutine any more.
  ~SignalWait() { (void)finish(); }

  [[nodiscard]] bool await_ready() noexcept {
    if (subscription_ != nullptr) signal_ = take_signal(*subscription_);
    return subscription_ == nullptr || signal_ != 0;
  }
  template <runtime_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiter) {
    begin_signal_wait(*subscription_, slot_);
    suspended_ = true;
    return wait_.suspend(waiter, *waiter.promise().context, slot_);
  }

 protected:
  /// The signal; 0 when the object that was awaited is empty.
  [[nodiscard]] int take() {
    if (!suspended_) return signal_;
    bool const cancelled = finish() == WaitOutcome::cancelled;
    int const signal = take_signal(*subscription_);
    if (signal == 0 && cancelled) throw Cancelled();
    return signal;
  }

 private:
  WaitOutcome finish() noexcept {
    WaitOutcome const outcome = wait_.finish();
    if (std::exchange(suspended_, false)) end_signal_wait(*subscription_, slot_);
    return outcome;
  }

  SignalSubscription* subscription_;
  int signal_ = 0;
  Slot slot_;
  SlotWait wait_;
  bool suspended_ = false;
};

}  // namespace detail

/// A subscription to signals, an AsyncSequence of their numbers that never ends.
///
/// Every subscriber sees every delivery from its construction on. While there is a subscriber, the
/// signal does nothing else to the process; when the last one has gone, what it did before is
/// restored. Deliveries of one signal that the system merges, because one is pending already, are
/// one. The order of different signals is not kept.
///
/// Errors    std::invalid_argument, which names the signal, for SIGKILL and SIGSTOP, those that
///           mean a fault of the program (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS), and
///           numbers that are none; std::system_error.
/// Threads   one thread, and one await, at a time. A signal must not be blocked in all threads.
/// Cost      the first subscription of the process starts a thread, which stays.
/// Example   tests/runtime/signal_test.cpp
class Signals {
 public:
  explicit Signals(std::initializer_list<int> signals)
      : subscription_(detail::subscribe_to_signals(signals)) {}
  Signals(Signals&& other) noexcept : subscription_(std::exchange(other.subscription_, nullptr)) {}
  Signals& operator=(Signals&& other) noexcept {
    Signals old(std::move(*this));
    subscription_ = std::exchange(other.subscription_, nullptr);
    return *this;
  }
  ~Signals() { detail::unsubscribe_from_signals(subscription_); }

  class Awaiter : public detail::SignalWait {
   public:
    using SignalWait::SignalWait;
    std::optional<int> await_resume() {
      int const signal = take();
      return signal != 0 ? std::optional<int>(signal) : std::nullopt;
    }
  };

  /// Awaiting  yields the next delivery; nullopt only if the object was moved from. Keep the object
  ///           until it returns.
  /// Cancel    throws Cancelled if it has to wait; nothing is lost, it can be called again.
  /// Resumes   soon, on any worker. The wait is no timer: a virtual clock does not wait for it.
  [[nodiscard("co_await it")]] Awaiter next() noexcept { return Awaiter(subscription_); }

  /// For threads that may block. Otherwise as next().
  /// Errors  BlockingInWorker on a worker.
  std::optional<int> next_blocking() {
    if (subscription_ == nullptr) return std::nullopt;
    return detail::take_signal_blocking(*subscription_, "Signals::next_blocking");
  }

  /// A delivery that has come already.
  std::optional<int> try_next() noexcept {
    int const signal = subscription_ != nullptr ? detail::take_signal(*subscription_) : 0;
    return signal != 0 ? std::optional<int>(signal) : std::nullopt;
  }

 private:
  friend class CtrlC;
  detail::SignalSubscription* subscription_;
};

/// A subscription to SIGINT. `co_await` it, as often as you like: each await returns after one
/// delivery. Otherwise as Signals.
class CtrlC {
 public:
  CtrlC();

  class Awaiter : public detail::SignalWait {
   public:
    using SignalWait::SignalWait;
    void await_resume() { (void)take(); }
  };
  [[nodiscard]] Awaiter operator co_await() noexcept { return Awaiter(signals_.subscription_); }

 private:
  Signals signals_;
};

/// The subscription begins at the call: `auto stop = ctrl_c(); ... co_await stop;` misses nothing.
[[nodiscard("co_await it")]] inline CtrlC ctrl_c() { return CtrlC(); }

namespace threads {

/// A subscription to SIGINT for threads that may block. Otherwise as spawned::CtrlC.
class CtrlC {
 public:
  CtrlC();
  /// Blocks until one delivery. Errors: BlockingInWorker on a worker.
  void wait() { (void)signals_.next_blocking(); }

 private:
  Signals signals_;
};

/// The subscription begins at the call. `ctrl_c().wait();`
[[nodiscard("call wait() on it")]] inline CtrlC ctrl_c() { return CtrlC(); }

}  // namespace threads

}  // namespace spawned
