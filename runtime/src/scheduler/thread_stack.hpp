// ThreadStack: the stack of another thread, which need not cooperate. The monitor takes that of a
// worker that does not come back (RuntimeOptions::slow_turn_stack_signal).
//
// Who asks queues a signal to the thread; the handler, which interrupts whatever the thread is in,
// writes the return addresses into the one buffer of the process and rings. Names are looked up
// afterwards, by who asked. One stack is taken at a time: those who ask hold a mutex. What they
// share with the handler is one word, a state and a number:
//
//   state       set by                     means
//   idle        initial; who asked         nobody asks
//   asked       who asks                   the signal is on its way; the buffer is the handler's
//   answering   handler                    it writes into the buffer
//   answered    handler                    the buffer is complete, and belongs to who asked
//   abandoned   who asked, out of time     nobody waits, and the handler still writes; then: idle
//
// A thread that blocks the signal, or that the kernel does not let run, answers late or never. The
// number, another one for each question, travels with the signal. A handler whose number is not
// the one asked for does nothing, so a late answer does not become that of the next question. A
// handler that was late in the middle keeps the buffer until it is through, and whoever asks
// meanwhile is refused.
//
// Signal safety. The handler calls backtrace(), two atomic operations and the futex call.
//           backtrace() loads the unwinder, which allocates, the first time it is called: acquire()
//           calls it in advance.
// The end.  A signal that is still queued to a thread must find the handler, so the handler stays
//           until the threads that may have been asked are gone (Monitor::~Monitor()).
// The orderings are in thread_stack.cpp, beside the word.
#pragma once

#include <cstdint>
#include <string>
#include <thread>

namespace spawned::detail {

class Worker;
struct Step;

/// The use of a signal for taking stacks; while one lives, the signal has our handler.
class ThreadStack {
 public:
  ThreadStack() noexcept = default;
  ThreadStack(ThreadStack const&) = delete;
  ThreadStack& operator=(ThreadStack const&) = delete;
  ~ThreadStack() { release(); }

  /// Installs the handler, unless another one that lives has done so. Once.
  /// Errors: InvalidOptions when the signal has a handler of somebody else's.
  void acquire(int signal);
  /// Gives the signal back what it did before, if this is the last one to use it.
  void release() noexcept;
  [[nodiscard]] bool is_acquired() const noexcept { return signal_ != 0; }

  /// The step of a worker whose stack is wanted, and not that of what comes after it. The thread
  /// itself decides that, because a step may well end by being interrupted.
  struct Subject {
    Worker const* worker = nullptr;  // null: whatever the thread is in
    std::uint64_t turns = 0;
    Step const* step = nullptr;
    std::uint32_t count = 0;
  };
  struct Answer {
    bool taken = false;
    std::string text;  // a line feed and a line for each frame; or why there is no stack
  };
  /// Waits for `patience_ns` of real time at most. `thread` has not been joined; the worker, if
  /// any, is its own.
  [[nodiscard]] Answer take(std::thread& thread, std::int64_t patience_ns, Subject subject) const;
  [[nodiscard]] Answer take(std::thread& thread, std::int64_t patience_ns) const {
    return take(thread, patience_ns, Subject());
  }

 private:
  int signal_ = 0;
};

/// Some runtime takes stacks with this signal.
[[nodiscard]] bool is_stack_signal(int signal) noexcept;

/// Called by a thread whose stack may be taken: it may have inherited a mask that blocks the
/// signal.
void admit_stack_signal(int signal) noexcept;

}  // namespace spawned::detail
