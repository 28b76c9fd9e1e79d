// How a signal reaches its subscribers. The handler, which may interrupt anything, counts the
// delivery and rings a bell. A thread of ours wakes at the bell and completes the slots of those
// who wait. A subscription compares the count with what it has seen, so nothing is queued anywhere
// and nothing can overflow.
//
// Why no wake-up is lost: the handler counts before it rings. A waiter looks at the counts and
// registers under the lock; the thread reads the bell before it looks at the waiters under the
// lock. So a delivery that the waiter did not see comes with a ring that the thread has still to
// answer.
//
// Orderings.
//   count     on_signal() adds (release)  ->  pending() loads (acquire).
//             Who sees the delivery sees what the interrupted thread did before.
//   bell      on_signal() adds (release)  ->  dispatch() loads (acquire).
//             The thread sees the count that was raised before the ring.
#include <spawned/runtime/signal.hpp>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <pthread.h>

#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/futex.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

#include "scheduler/thread_stack.hpp"

namespace spawned {

namespace detail {

namespace {

constexpr int signal_count = 65;  // Linux has 1 to 64

constinit atomic<std::uint32_t> deliveries[signal_count] = {};
constinit atomic<std::uint32_t> bell{0};
static_assert(atomic<std::uint32_t>::is_always_lock_free, "a signal handler uses it");

extern "C" void spawned_on_signal(int signal) {
  int const error_before = errno;
  deliveries[signal].fetch_add(1, memory_order_release);  // count
  bell.fetch_add(1, memory_order_release);                // bell
  futex_wake_one(bell);                                   // a bare system call
  errno = error_before;
}

}  // namespace

/// Its fields are guarded by subscriptions_lock, but `signals`, which does not change.
struct SignalSubscription {
  std::uint64_t signals = 0;              // bit n - 1: signal n
  std::uint32_t seen[signal_count] = {};  // of `deliveries`
  SignalSubscription* previous = nullptr;
  SignalSubscription* next = nullptr;
  Slot* waiting = nullptr;
  bool closed = false;

  [[nodiscard]] bool has(int signal) const noexcept {
    return ((signals >> (signal - 1)) & 1U) != 0;
  }
  /// The first signal that has come, or zero.
  [[nodiscard]] int pending() const noexcept {
    for (int signal = 1; signal < signal_count; ++signal) {
      if (has(signal) && deliveries[signal].load(memory_order_acquire) != seen[signal]) {  // count
        return signal;
      }
    }
    return 0;
  }
};

namespace {

enum class Look : std::uint8_t { signal, nothing, closed, busy };

constinit SpinLock subscriptions_lock;
constinit SignalSubscription* first_subscription = nullptr;

// What is installed in the process. Never destroyed: subscriptions may outlive static objects.
struct Installed {
  std::mutex mutex;  // guards all of it, and comes before subscriptions_lock
  std::uint32_t users[signal_count] = {};
  struct sigaction before[signal_count] = {};
  bool dispatching = false;
};

Installed& installed() {
  static auto& all = *new Installed();
  return all;
}

void dispatch() noexcept {
  pthread_setname_np(pthread_self(), "spawned-signals");
  for (;;) {
    std::uint32_t const heard = bell.load(memory_order_acquire);  // bell
    {
      SpinGuard const guard(subscriptions_lock);
      for (auto* each = first_subscription; each != nullptr; each = each->next) {
        if (each->waiting == nullptr || each->pending() == 0) continue;
        // A waiter that gave up takes our lock before it goes.
        (void)std::exchange(each->waiting, nullptr)->complete();
      }
    }
    futex_wait(bell, heard);
  }
}

// Under the mutex. The thread takes no signals itself and sleeps while none come.
void start_dispatching(Installed& all) {
  if (all.dispatching) return;
  sigset_t every;
  sigset_t before;
  sigfillset(&every);
  pthread_sigmask(SIG_SETMASK, &every, &before);
  try {
    std::thread(dispatch).detach();
    all.dispatching = true;
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void uninstall(Installed& all, int signal) noexcept {
  if (--all.users[signal] != 0) return;
  struct sigaction now = {};
  sigaction(signal, nullptr, &now);
  // If somebody else has installed a handler meanwhile, it stays.
  if (now.sa_handler == &spawned_on_signal) sigaction(signal, &all.before[signal], nullptr);
}

void install(Installed& all, int signal) {
  if (is_stack_signal(signal)) {
    throw InvalidSignal(signal,
                        "a runtime takes stacks with it (RuntimeOptions::slow_turn_stack_signal)");
  }
  if (all.users[signal] == 0) {
    struct sigaction ours = {};
    ours.sa_handler = &spawned_on_signal;
    ours.sa_flags = SA_RESTART | SA_ONSTACK;
    sigemptyset(&ours.sa_mask);
    if (sigaction(signal, &ours, &all.before[signal]) != 0) {
      throw InvalidSignal(signal, "the system refuses a handler for it");
    }
  }
  ++all.users[signal];
}

void check_signal(int signal) {
  switch (signal) {
    case SIGKILL:
    case SIGSTOP:
      throw InvalidSignal(signal, "nobody can catch it");
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
    case SIGSYS:
    case SIGABRT:
      throw InvalidSignal(signal, "it reports a fault after which the program cannot go on");
    default:
      break;
  }
  if (signal < 1 || signal >= signal_count) throw InvalidSignal(signal, "there is no such signal");
  if (signal > SIGSYS && signal < SIGRTMIN) {
    throw InvalidSignal(signal, "the C library keeps it to itself");
  }
}

void link(SignalSubscription& subscription) noexcept {
  SpinGuard const guard(subscriptions_lock);
  for (int signal = 1; signal < signal_count; ++signal) {
    subscription.seen[signal] = deliveries[signal].load(memory_order_acquire);  // count
  }
  subscription.next = first_subscription;
  if (first_subscription != nullptr) first_subscription->previous = &subscription;
  first_subscription = &subscription;
}

void unlink(SignalSubscription& subscription) noexcept {
  SpinGuard const guard(subscriptions_lock);
  (subscription.previous == nullptr ? first_subscription : subscription.previous->next) =
      subscription.next;
  if (subscription.next != nullptr) subscription.next->previous = subscription.previous;
}

Look look(SignalSubscription& subscription, Slot& slot) noexcept {
  SpinGuard const guard(subscriptions_lock);
  if (subscription.waiting != nullptr) return Look::busy;
  if (subscription.closed) return Look::closed;
  if (subscription.pending() != 0) return Look::signal;
  subscription.waiting = &slot;
  return Look::nothing;
}

void end_wait(SignalSubscription& subscription, Slot& slot) noexcept {
  SpinGuard const guard(subscriptions_lock);
  if (subscription.waiting == &slot) subscription.waiting = nullptr;
}

[[noreturn]] void throw_two_waiters() {
  throw std::logic_error(
      "Signals: another task or thread waits for the next signal already; make a subscription for "
      "each");
}

}  // namespace

SignalSubscription* subscribe_signals(std::initializer_list<int> signals) {
  if (signals.size() == 0) throw std::invalid_argument("Signals: no signal to subscribe to");
  for (int const signal : signals) check_signal(signal);
  Installed& all = installed();
  std::scoped_lock const lock(all.mutex);
  start_dispatching(all);
  auto* const subscription = pool_new<SignalSubscription>();
  link(*subscription);  // before the handlers, so that it sees whatever they do
  try {
    for (int const signal : signals) {
      if (subscription->has(signal)) continue;  // named twice
      install(all, signal);
      SpinGuard const guard(subscriptions_lock);
      subscription->signals |= std::uint64_t{1} << (signal - 1);
    }
  } catch (...) {
    unlink(*subscription);
    for (int signal = 1; signal < signal_count; ++signal) {
      if (subscription->has(signal)) uninstall(all, signal);
    }
    pool_delete(subscription);
    throw;
  }
  return subscription;
}

void unsubscribe_signals(SignalSubscription* subscription) noexcept {
  Installed& all = installed();
  std::scoped_lock const lock(all.mutex);
  unlink(*subscription);
  for (int signal = 1; signal < signal_count; ++signal) {
    if (subscription->has(signal)) uninstall(all, signal);
  }
  pool_delete(subscription);
}

void close_signals(SignalSubscription& subscription) noexcept {
  SpinGuard const guard(subscriptions_lock);
  subscription.closed = true;
  if (subscription.waiting == nullptr) return;
  (void)std::exchange(subscription.waiting, nullptr)->complete();  // as in dispatch()
}

std::optional<int> take_signal(SignalSubscription& subscription) noexcept {
  SpinGuard const guard(subscriptions_lock);
  int const signal = subscription.closed ? 0 : subscription.pending();
  if (signal == 0) return std::nullopt;
  ++subscription.seen[signal];
  return signal;
}

std::optional<int> next_signal_blocking(SignalSubscription& subscription, char const* operation) {
  require_no_worker(operation);
  Slot slot;
  switch (look(subscription, slot)) {
    case Look::busy:
      throw_two_waiters();
    case Look::closed:
    case Look::signal:
      break;
    case Look::nothing:
      ThreadWait wait;
      (void)wait.wait(slot);
      end_wait(subscription, slot);
  }
  return take_signal(subscription);
}

bool SignalWait::suspend(std::coroutine_handle<> handle, ExecutionContext& context) {
  if (subscription_ == nullptr) return false;
  // A wait that nobody can complete gives the cancellation its say, also when a signal is there.
  if (context.is_cancelled()) return wait_.suspend(handle, context, slot_);
  switch (look(*subscription_, slot_)) {
    case Look::busy:
      throw_two_waiters();
    case Look::closed:
    case Look::signal:
      break;
    case Look::nothing:
      registered_ = true;
      return wait_.suspend(handle, context, slot_);
  }
  return false;
}

WaitOutcome SignalWait::finish() noexcept {
  WaitOutcome const outcome = wait_.finish();
  if (std::exchange(registered_, false)) end_wait(*subscription_, slot_);
  return outcome;
}

std::optional<int> SignalWait::result() {
  if (finish() == WaitOutcome::cancelled) throw Cancelled();
  return subscription_ != nullptr ? take_signal(*subscription_) : std::nullopt;
}

}  // namespace detail

InvalidSignal::InvalidSignal(int signal, char const* why)
    : std::invalid_argument("signal " + std::to_string(signal) +
                            " cannot be subscribed to: " + why),
      signal_(signal) {}

CtrlC::CtrlC() : signals_(SIGINT) {}

void ctrl_c_blocking() {
  detail::require_no_worker("ctrl_c_blocking");
  CtrlC().wait_blocking();
}

}  // namespace spawned
