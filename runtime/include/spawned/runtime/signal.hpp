// Signals, ctrl_c: signals of the operating system as events.
#pragma once

#include <concepts>
#include <coroutine>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <utility>

#include <spawned/runtime/detail/promise.hpp>
#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/errors.hpp>

namespace spawned {

/// A signal that cannot be waited for, or must not be; what() says which and why.
class InvalidSignal : public std::invalid_argument {
 public:
  InvalidSignal(int signal, char const* why);
  [[nodiscard]] int signal() const noexcept { return signal_; }

 private:
  int signal_;
};

namespace detail {

struct SignalSubscription;

[[nodiscard]] SignalSubscription* subscribe_signals(std::initializer_list<int> signals);
void unsubscribe_signals(SignalSubscription* subscription) noexcept;
void close_signals(SignalSubscription& subscription) noexcept;
[[nodiscard]] std::optional<int> take_signal(SignalSubscription& subscription) noexcept;
[[nodiscard]] std::optional<int> next_signal_blocking(SignalSubscription& subscription,
                                                      char const* operation);

/// Awaiter core of a wait for a signal. May go while it is suspended, once nobody can resume it.
class SignalWait {
 public:
  explicit SignalWait(SignalSubscription* subscription) noexcept
      : subscription_(subscription), wait_(Slot::abandoned) {}
  SignalWait(SignalWait const&) = delete;
  SignalWait& operator=(SignalWait const&) = delete;
  ~SignalWait() { (void)finish(); }

  /// Throws std::logic_error when another task or thread waits already.
  [[nodiscard]] bool suspend(std::coroutine_handle<> handle, ExecutionContext& context);
  /// Whole await_resume(): throws Cancelled.
  [[nodiscard]] std::optional<int> result();

 private:
  WaitOutcome finish() noexcept;

  SignalSubscription* subscription_;
  Slot slot_;
  bool registered_ = false;
  SlotWait wait_;
};

}  // namespace detail

/// A subscription to signals: an AsyncSequence of their numbers.
///
/// It sees every delivery between its construction and its end, also those that nobody awaited in
/// time, and each of several subscriptions sees them all. Two signals of one kind that come before
/// the first is handled are one delivery, as the system has it. Of several kinds that wait, the
/// lowest number comes first. Meanwhile the signal does nothing else: SIGTERM does not end the
/// process. With the end of the last subscription to it, a signal does again what it did before.
///
/// Errors    InvalidSignal: SIGKILL and SIGSTOP (nobody can catch them), SIGSEGV, SIGBUS, SIGFPE,
///           SIGILL, SIGTRAP, SIGSYS and SIGABRT (the program is at fault, and cannot go on), the
///           signal a runtime takes stacks with, and what is no signal. std::invalid_argument for
///           an empty list; std::system_error when the thread that passes signals on cannot be
///           started.
/// Awaiting  `co_await signals.next()` yields std::optional<int>: the next signal, or nothing after
///           close(). Suspends until one comes. Keep the subscription until it returns.
/// Cancel    throws Cancelled; no signal is lost.
/// Resumes   on a worker of the awaiting task's runtime. Time of a virtual clock passes meanwhile
///           as if nobody waited.
/// Threads   One waits at a time, and std::logic_error tells a second one; close() from any thread.
///           The process has one thread that passes signals on. It starts with the first
///           subscription and sleeps from then on. A child made by fork() without exec has none:
///           that is not supported.
/// Cost      A subscription installs handlers: a few system calls.
/// Example   tests/runtime/signal_test.cpp
class Signals {
 public:
  template <std::same_as<int>... More>
  explicit Signals(int first, More... more) : Signals(std::initializer_list<int>{first, more...}) {}
  explicit Signals(std::initializer_list<int> signals)
      : subscription_(detail::subscribe_signals(signals)) {}
  Signals(Signals&& other) noexcept : subscription_(std::exchange(other.subscription_, nullptr)) {}
  Signals& operator=(Signals&& other) noexcept {
    Signals old(std::move(*this));
    subscription_ = std::exchange(other.subscription_, nullptr);
    return *this;
  }
  ~Signals() {
    if (subscription_ != nullptr) detail::unsubscribe_signals(subscription_);
  }

  class Next {
   public:
    explicit Next(detail::SignalSubscription* subscription) noexcept : wait_(subscription) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <detail::runtime_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiter) {
      return wait_.suspend(waiter, *waiter.promise().context);
    }
    std::optional<int> await_resume() { return wait_.result(); }

   private:
    detail::SignalWait wait_;
  };
  [[nodiscard("co_await it")]] Next next() noexcept { return Next(subscription_); }

  /// The same for threads that may block.
  /// Errors  BlockingInWorker on a worker.
  std::optional<int> next_blocking() {
    if (subscription_ == nullptr) return std::nullopt;
    return detail::next_signal_blocking(*subscription_, "Signals::next_blocking");
  }

  /// A signal that has come, if any.
  std::optional<int> try_next() noexcept {
    return subscription_ != nullptr ? detail::take_signal(*subscription_) : std::nullopt;
  }

  /// Ends the sequence: who waits, and who asks from now on, gets nothing.
  void close() noexcept {
    if (subscription_ != nullptr) detail::close_signals(*subscription_);
  }

 private:
  detail::SignalSubscription* subscription_;
};

/// What ctrl_c() returns: a subscription to SIGINT that can be awaited, also repeatedly.
class CtrlC {
 public:
  CtrlC();

  class Awaiter {
   public:
    explicit Awaiter(Signals& signals) noexcept : next_(signals.next()) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <detail::runtime_promise Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiter) {
      return next_.await_suspend(waiter);
    }
    void await_resume() { (void)next_.await_resume(); }

   private:
    Signals::Next next_;
  };
  Awaiter operator co_await() noexcept { return Awaiter(signals_); }

  /// For threads that may block. Errors: BlockingInWorker on a worker.
  void wait_blocking() { (void)signals_.next_blocking(); }

 private:
  Signals signals_;
};

/// `co_await ctrl_c();` suspends until somebody types Ctrl-C (SIGINT). What is typed from the call
/// on counts, whenever it is awaited. While the result lives Ctrl-C does not end the process;
/// afterwards it does again, so a second one ends a program that is slow to leave. Otherwise as
/// Signals.
[[nodiscard("co_await it")]] inline CtrlC ctrl_c() { return CtrlC(); }

/// The same for threads that may block. Errors: BlockingInWorker on a worker.
void ctrl_c_blocking();

}  // namespace spawned
