#include "scheduler/thread_stack.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <utility>

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <ucontext.h>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/futex.hpp>
#include <spawned/runtime/runtime.hpp>

#include "demangle.hpp"
#include "scheduler/worker.hpp"

namespace spawned::detail {

namespace {

constexpr int signal_count = 65;  // Linux has 1 to 64
constexpr int frames_most = 64;

enum State : std::uint32_t { idle, asked, answering, answered, abandoned };
constexpr std::uint32_t state_mask = 7;
constexpr std::uint32_t one_question = 8;  // the number is in the bits above the state

// Orderings.
//   question  ask() stores (release)  ->  answer() CASes (acquire).
//             The handler knows the subject, and writes after the reader of the answer before, who
//             had the mutex.
//   answer    answer() CASes (release)  ->  await_answer() loads (acquire).
//             Who asked sees the buffer complete.
//   handback  answer() stores (release)  ->  ask() loads (acquire).
//             A handler that was abandoned has written its last before the next one begins.
class Exchange {
 public:
  /// The handler's. Only what is safe in a signal handler.
  void answer(std::uint32_t number, void const* interrupted) noexcept {
    std::uint32_t expected = number | asked;
    if (!word_.compare_exchange_strong(expected, number | answering, memory_order_acquire,
                                       memory_order_relaxed)) {  // question
      return;
    }
    count_ = is_there() ? backtrace(frames_, frames_most) : 0;
    interrupted_ = interrupted;
    expected = number | answering;
    if (word_.compare_exchange_strong(expected, number | answered, memory_order_release,
                                      memory_order_relaxed)) {  // answer
      futex_wake_one(word_);                                    // a bare system call
    } else {
      word_.store(idle, memory_order_release);  // handback
    }
  }

  // --- under the mutex ---
  /// False: a handler that was abandoned is still writing.
  [[nodiscard]] bool ask(ThreadStack::Subject const& subject) noexcept {
    if ((word_.load(memory_order_acquire) & state_mask) != idle) return false;  // handback
    subject_ = subject;
    number_ += one_question;
    word_.store(number_ | asked, memory_order_release);  // question
    return true;
  }
  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }

  /// After ask(), when no signal is on its way.
  void withdraw() noexcept { word_.store(idle, memory_order_relaxed); }  // nobody else looks

  /// False: no answer in time, and none will come.
  [[nodiscard]] bool await_answer(std::int64_t patience_ns) noexcept {
    // Real time on purpose: this is about threads that do not come back.
    Clock& real = *real_clock();
    std::int64_t const deadline = real.now().count() + patience_ns;
    for (;;) {
      std::uint32_t seen = word_.load(memory_order_acquire);  // answer
      if ((seen & state_mask) == answered) return true;
      std::int64_t const left = deadline - real.now().count();
      if (left > 0) {
        futex_wait(word_, seen, left);
        continue;
      }
      std::uint32_t const next = (seen & state_mask) == asked ? idle : number_ | abandoned;
      if (word_.compare_exchange_strong(seen, next, memory_order_relaxed,
                                        memory_order_relaxed)) {  // else: look again
        return false;
      }
    }
  }

  /// The answer; the buffer is free then. The innermost frames are the handler's own: left out.
  [[nodiscard]] int read(void* (&frames)[frames_most]) noexcept {
    void* const* const end = frames_ + std::max(count_, 0);
    void* const* first = std::find(frames_, const_cast<void**>(end), interrupted_);
    if (first == end) first = frames_;  // an interrupted place that the unwinder does not show
    std::copy(first, end, frames);
    withdraw();
    return static_cast<int>(end - first);
  }

 private:
  /// On the thread that is asked, so its worker lives.
  [[nodiscard]] bool is_there() const noexcept {
    Worker const* const worker = subject_.worker;
    return worker == nullptr ||
           (worker->turns() == subject_.turns && worker->activity.step() == subject_.step &&
            worker->activity.count() == subject_.count);
  }

  atomic<std::uint32_t> word_{idle};
  ThreadStack::Subject subject_;  // written by who asks
  std::uint32_t number_ = 0;
  int count_ = 0;
  void const* interrupted_ = nullptr;
  void* frames_[frames_most] = {};
};

constinit Exchange exchange;
static_assert(atomic<std::uint32_t>::is_always_lock_free, "a signal handler uses it");

void const* interrupted_at(void const* context) noexcept {
  auto const& machine = static_cast<ucontext_t const*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return reinterpret_cast<void const*>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return reinterpret_cast<void const*>(machine.pc);
#else
  (void)machine;
  return nullptr;
#endif
}

extern "C" void spawned_on_stack_signal(int /*signal*/, siginfo_t* info, void* context) {
  if (info->si_code != SI_QUEUE) return;  // from a stranger
  int const error_before = errno;
  exchange.answer(static_cast<std::uint32_t>(info->si_value.sival_int), interrupted_at(context));
  errno = error_before;
}

// What is installed in the process. Never destroyed: a runtime may outlive static objects.
struct Installed {
  std::mutex mutex;   // guards the rest
  std::mutex asking;  // one question at a time
  std::uint32_t users[signal_count] = {};
  struct sigaction before[signal_count] = {};
};

Installed& installed() {
  static auto& all = *new Installed();
  return all;
}

bool is_ours(struct sigaction const& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == &spawned_on_stack_signal;
}
bool has_our_handler(int signal) noexcept {
  struct sigaction now = {};
  return sigaction(signal, nullptr, &now) == 0 && is_ours(now);
}

void install(Installed& all, int signal) {
  struct sigaction ours = {};
  ours.sa_sigaction = &spawned_on_stack_signal;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigemptyset(&ours.sa_mask);
  struct sigaction before = {};
  bool const readable = sigaction(signal, nullptr, &before) == 0;
  if (!readable || (before.sa_flags & SA_SIGINFO) != 0 || before.sa_handler != SIG_DFL) {
    throw InvalidOptions("RuntimeOptions", "slow_turn_stack_signal",
                         "a real-time signal that nobody handles or ignores",
                         std::to_string(signal) + ", which is taken");
  }
  void* frames[1];
  (void)backtrace(frames, 1);  // loads the unwinder
  sigaction(signal, &ours, &all.before[signal]);
}

// "name +0x12 (module +0x1234)"; what is not known is left out.
std::string describe(std::uintptr_t address) {
  char number[32];
  Dl_info found{};
  void* extra = nullptr;
  if (dladdr1(reinterpret_cast<void*>(address), &found, &extra, RTLD_DL_LINKMAP) == 0) {
    std::snprintf(number, sizeof(number), "0x%zx", address);
    return number;
  }
  std::string text;
  if (found.dli_sname != nullptr) {
    std::snprintf(number, sizeof(number), " +0x%zx ",
                  address - reinterpret_cast<std::uintptr_t>(found.dli_saddr));
    text = demangled(found.dli_sname) + number;
  }
  // Less what the loader has added: what addr2line wants, for every kind of module.
  std::snprintf(number, sizeof(number), " +0x%zx",
                address - static_cast<std::uintptr_t>(static_cast<link_map*>(extra)->l_addr));
  return text + "(" + (found.dli_fname != nullptr ? found.dli_fname : "?") + number + ")";
}

}  // namespace

void ThreadStack::acquire(int signal) {
  Installed& all = installed();
  std::scoped_lock const lock(all.mutex);
  if (all.users[signal] == 0) install(all, signal);
  ++all.users[signal];
  signal_ = signal;
}

void ThreadStack::release() noexcept {
  if (signal_ == 0) return;
  Installed& all = installed();
  std::scoped_lock const lock(all.mutex);
  int const signal = std::exchange(signal_, 0);
  if (--all.users[signal] != 0) return;
  // If somebody else has installed a handler meanwhile, it stays.
  if (has_our_handler(signal)) sigaction(signal, &all.before[signal], nullptr);
}

ThreadStack::Answer ThreadStack::take(std::thread& thread, std::int64_t patience_ns,
                                      Subject subject) const {
  void* frames[frames_most];
  int count = 0;
  {
    std::scoped_lock const lock(installed().asking);
    // The signal's default would end the process.
    if (!has_our_handler(signal_)) return {.text = "the handler of its signal was replaced"};
    if (!exchange.ask(subject))
      return {.text = "a thread that was asked before is not through yet"};
    sigval value{};
    value.sival_int = static_cast<int>(exchange.number());
    if (pthread_sigqueue(thread.native_handle(), signal_, value) != 0) {
      exchange.withdraw();
      return {.text = "the system queues no signal to it"};
    }
    if (!exchange.await_answer(patience_ns)) return {.text = "the thread did not answer"};
    count = exchange.read(frames);
  }
  if (count == 0) return {.text = "it has just ended"};
  Answer answer{.taken = true, .text = {}};
  for (int i = 0; i < count; ++i) {
    // But for the innermost, an address is where a call returns to, maybe in the next function.
    auto const address = reinterpret_cast<std::uintptr_t>(frames[i]) - (i == 0 ? 0 : 1);
    answer.text += "\n  #" + std::to_string(i) + " " + describe(address);
  }
  return answer;
}

bool is_stack_signal(int signal) noexcept {
  Installed& all = installed();
  std::scoped_lock const lock(all.mutex);
  return all.users[signal] != 0;
}

void admit_stack_signal(int signal) noexcept {
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
}

}  // namespace spawned::detail
