// A handler counts the deliveries of each signal in a word and rings an eventfd; that is all that
// is allowed in one. Subscribers compare those counts with what they have seen, so nothing is
// stored per delivery and a flood of signals needs no memory. One thread, the dispatcher, waits at
// the eventfd and wakes those who wait.
//
// Why no wake-up is lost: a waiter registers its slot and then compares the counts, in one section
// of the hub's mutex; the handler counts and then rings. If the comparison does not see a delivery,
// that delivery's ring comes later, and the dispatcher, which locks the mutex after it was rung,
// finds the slot.
//
// Orderings.
//   count     on_signal() adds to deliveries (release)  ->  unseen() loads (acquire).
//             Who sees the delivery also sees what the interrupted thread did before.
//   bell      Hub::start() stores bell (release)  ->  on_signal() loads bell (acquire).
//             A handler finds the eventfd open.
#include <spawned/runtime/signal.hpp>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace spawned {

namespace detail {

namespace {

constexpr int signal_limit = _NSIG;

// What the handler touches: no initialisation, no lock.
constinit atomic<std::uint32_t> deliveries[signal_limit];
constinit atomic<int> bell{-1};
static_assert(atomic<std::uint32_t>::is_always_lock_free && atomic<int>::is_always_lock_free);

extern "C" void spawned_on_signal(int signal) {
  int const before = errno;
  deliveries[signal].fetch_add(1, memory_order_release);  // count
  std::uint64_t const one = 1;
  // It fails only if 2^64 rings are unheard, and then one more is not needed.
  [[maybe_unused]] auto const written =
      write(bell.load(memory_order_acquire), &one, sizeof one);  // bell
  errno = before;
}

struct Watched {
  int signal;
  std::uint32_t seen;
};

std::string name_of(int signal) {
  struct Named {
    int signal;
    char const* name;
  };
  static constexpr Named names[] = {
      {SIGKILL, "SIGKILL"}, {SIGSTOP, "SIGSTOP"}, {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},
      {SIGFPE, "SIGFPE"},   {SIGILL, "SIGILL"},   {SIGTRAP, "SIGTRAP"}, {SIGSYS, "SIGSYS"}};
  for (Named const& named : names) {
    if (named.signal == signal) return named.name;
  }
  return "signal " + std::to_string(signal);
}

void check_signal(int signal) {
  bool const in_range = signal > 0 && signal <= SIGRTMAX && (signal < 32 || signal >= SIGRTMIN);
  if (!in_range) throw std::invalid_argument("Signals: there is no " + name_of(signal));
  switch (signal) {
    case SIGKILL:
    case SIGSTOP:
      throw std::invalid_argument("Signals: " + name_of(signal) + " cannot be caught");
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
    case SIGSYS:
      throw std::invalid_argument("Signals: " + name_of(signal) +
                                  " means a fault of the program, which cannot go on behind it");
    default:
      break;
  }
}

}  // namespace

struct SignalSubscription {
  SignalSubscription* previous = nullptr;
  SignalSubscription* next = nullptr;
  std::vector<Watched> watched;
  std::size_t turn = 0;    // where to look first, so that no signal hides the others
  Slot* waiter = nullptr;  // guarded by the hub's mutex

  [[nodiscard]] Watched* unseen() noexcept {
    for (std::size_t i = 0; i < watched.size(); ++i) {
      Watched& one = watched[(turn + i) % watched.size()];
      if (deliveries[one.signal].load(memory_order_acquire) != one.seen) return &one;  // count
    }
    return nullptr;
  }
};

namespace {

/// What the subscribers of the process share. Never destroyed, since the dispatcher never ends.
class Hub {
 public:
  static Hub& instance() {
    static Hub& hub = *new Hub;
    return hub;
  }

  void add(SignalSubscription& subscription) {
    std::scoped_lock const lock(mutex_);
    start();
    for (std::size_t i = 0; i < subscription.watched.size(); ++i) {
      Watched& one = subscription.watched[i];
      one.seen = deliveries[one.signal].load(memory_order_acquire);  // count
      try {
        acquire(one.signal);
      } catch (...) {
        while (i != 0) release(subscription.watched[--i].signal);
        throw;
      }
    }
    subscription.next = first_;
    if (first_ != nullptr) first_->previous = &subscription;
    first_ = &subscription;
  }

  void remove(SignalSubscription& subscription) noexcept {
    std::scoped_lock const lock(mutex_);
    (subscription.previous == nullptr ? first_ : subscription.previous->next) = subscription.next;
    if (subscription.next != nullptr) subscription.next->previous = subscription.previous;
    for (Watched const& one : subscription.watched) release(one.signal);
  }

  void begin_wait(SignalSubscription& subscription, Slot& slot) {
    std::scoped_lock const lock(mutex_);
    if (subscription.waiter != nullptr) {
      throw std::logic_error("Signals: another call waits for a signal already");
    }
    if (subscription.unseen() != nullptr) {
      (void)slot.complete();
    } else {
      subscription.waiter = &slot;
    }
  }

  void end_wait(SignalSubscription& subscription, Slot& slot) noexcept {
    std::scoped_lock const lock(mutex_);
    if (subscription.waiter == &slot) subscription.waiter = nullptr;
  }

 private:
  Hub() = default;

  // The dispatcher must take no signal itself: a handler there would only ring for itself.
  void start() {
    if (started_) return;
    if (bell.load(memory_order_acquire) < 0) {  // bell
      int const opened = eventfd(0, EFD_CLOEXEC);
      if (opened < 0) throw std::system_error(errno, std::generic_category(), "Signals: eventfd");
      bell.store(opened, memory_order_release);  // bell
    }
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      std::thread([this] { dispatch(); }).detach();
      started_ = true;
    } catch (...) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void acquire(int signal) {
    if (users_[signal] == 0) {
      struct sigaction action = {};
      action.sa_handler = &spawned_on_signal;
      action.sa_flags = SA_RESTART | SA_ONSTACK;
      sigemptyset(&action.sa_mask);
      if (sigaction(signal, &action, &before_[signal]) != 0) {
        throw std::system_error(errno, std::generic_category(), "Signals: " + name_of(signal));
      }
    }
    ++users_[signal];
  }

  // What somebody else has installed meanwhile stays.
  void release(int signal) noexcept {
    if (--users_[signal] != 0) return;
    struct sigaction current = {};
    if (sigaction(signal, nullptr, &current) != 0) return;
    bool const ours =
        (current.sa_flags & SA_SIGINFO) == 0 && current.sa_handler == &spawned_on_signal;
    if (ours) sigaction(signal, &before_[signal], nullptr);
  }

  void dispatch() noexcept {
    pthread_setname_np(pthread_self(), "spawned-signals");
    int const listened = bell.load(memory_order_acquire);  // bell
    for (;;) {
      std::uint64_t rings = 0;
      if (read(listened, &rings, sizeof rings) < 0 && errno != EINTR) return;
      std::scoped_lock const lock(mutex_);
      for (SignalSubscription* one = first_; one != nullptr; one = one->next) {
        if (one->waiter == nullptr || one->unseen() == nullptr) continue;
        Slot* const slot = std::exchange(one->waiter, nullptr);
        (void)slot->complete();  // a waiter that gave up takes our lock before it goes
      }
    }
  }

  std::mutex mutex_;  // guards what follows
  SignalSubscription* first_ = nullptr;
  bool started_ = false;
  unsigned users_[signal_limit] = {};
  struct sigaction before_[signal_limit] = {};
};

}  // namespace

SignalSubscription* subscribe_to_signals(std::initializer_list<int> signals) {
  if (signals.size() == 0) throw std::invalid_argument("Signals: no signal is named");
  auto* const subscription = pool_new<SignalSubscription>();
  try {
    for (int const signal : signals) {
      check_signal(signal);
      bool known = false;
      for (Watched const& one : subscription->watched) known = known || one.signal == signal;
      if (!known) subscription->watched.push_back({signal, 0});
    }
    Hub::instance().add(*subscription);
  } catch (...) {
    pool_delete(subscription);
    throw;
  }
  return subscription;
}

void unsubscribe_from_signals(SignalSubscription* subscription) noexcept {
  if (subscription == nullptr) return;
  Hub::instance().remove(*subscription);
  pool_delete(subscription);
}

int take_signal(SignalSubscription& subscription) noexcept {
  Watched* const one = subscription.unseen();
  if (one == nullptr) return 0;
  ++one->seen;
  auto const index = static_cast<std::size_t>(one - subscription.watched.data());
  subscription.turn = (index + 1) % subscription.watched.size();
  return one->signal;
}

int take_signal_blocking(SignalSubscription& subscription, char const* operation) {
  require_no_worker(operation);
  for (;;) {
    int const signal = take_signal(subscription);
    if (signal != 0) return signal;
    Slot slot;
    begin_signal_wait(subscription, slot);
    ThreadWait wait;
    (void)wait.wait(slot);
  }
}

void begin_signal_wait(SignalSubscription& subscription, Slot& slot) {
  Hub::instance().begin_wait(subscription, slot);
}

void end_signal_wait(SignalSubscription& subscription, Slot& slot) noexcept {
  Hub::instance().end_wait(subscription, slot);
}

}  // namespace detail

CtrlC::CtrlC() : signals_({SIGINT}) {}
threads::CtrlC::CtrlC() : signals_({SIGINT}) {}

}  // namespace spawned
