// BatonThread: an OS thread of a simulated runtime, for what may block. One thread runs at a time:
// the driver gives the baton and waits until it comes back.
//
//   state        set by                     means
//   idle         the thread                 it has no work; the driver has the baton
//   working      give() and resume()        the thread has the baton
//   blocked      wait()                     it waits in the middle of its work; the driver has the
//                                           baton
//   leaving      the destructor             it is to end
// All under one mutex: whoever changes the state tells the other side, which waits for it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include <spawned/runtime/detail/real_world.hpp>
#include <spawned/runtime/detail/scheduling.hpp>
#include <spawned/runtime/detail/simulated.hpp>

namespace spawned::simulation {

/// As a unit of work it is the thread going on after it was blocked.
class BatonThread final : public detail::Runnable {
 public:
  BatonThread(detail::Scheduler& scheduler, detail::Simulated& simulated);
  ~BatonThread();
  BatonThread(BatonThread const&) = delete;
  BatonThread& operator=(BatonThread const&) = delete;

  // --- the driver's side: return when the baton is back ---

  /// Runs `work`, as a thread that works for the runtime if `inside`. The thread is idle.
  void give(detail::Runnable& work, bool inside);
  [[nodiscard]] bool is_idle() const;
  /// The work it is in the middle of, or null.
  [[nodiscard]] detail::Runnable* work() const noexcept { return work_; }

  // --- the thread's side ---

  /// Gives the baton back until the thread runs again as a unit of work.
  void wait();
  /// The one that the calling thread is, or nullptr.
  [[nodiscard]] static BatonThread* current() noexcept;

 private:
  enum class State : std::uint8_t { idle, working, blocked, leaving };

  static void resume(detail::Runnable& self) noexcept;
  void pass(State state);
  void body() noexcept;

  detail::Simulated& simulated_;
  detail::WorkerLocal local_;
  detail::Runnable* work_ = nullptr;
  bool inside_ = false;
  detail::RealWorldWatch* watch_ =
      nullptr;  // who watches the work: who watches the driver's thread
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::idle;
  std::thread thread_;
};

}  // namespace spawned::simulation
