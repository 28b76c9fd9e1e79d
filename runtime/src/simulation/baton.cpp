#include "simulation/baton.hpp"

#include <new>
#include <utility>

#include <spawned/runtime/detail/pool.hpp>

namespace spawned::simulation {

namespace {
constinit thread_local BatonThread* this_thread = nullptr;
}

BatonThread::BatonThread(detail::Scheduler& scheduler, detail::Simulated& simulated)
    : Runnable(nullptr, &resume), simulated_(simulated) {
  local_.scheduler = &scheduler;
  detail::Exempt const exempt;
  thread_ = std::thread([this, tally = detail::pool_tally()] {
    detail::pool_count(tally);
    body();
  });
}

BatonThread::~BatonThread() {
  {
    std::scoped_lock const lock(mutex_);
    state_ = State::leaving;
  }
  changed_.notify_all();
  thread_.join();
}

BatonThread* BatonThread::current() noexcept { return this_thread; }

bool BatonThread::is_idle() const {
  std::scoped_lock const lock(mutex_);
  return state_ == State::idle;
}

// The driver's: gives the baton and waits for it.
void BatonThread::pass(State state) {
  watch_ = detail::real_world_watch;
  detail::Exempt const exempt;
  std::unique_lock lock(mutex_);
  state_ = state;
  changed_.notify_all();
  changed_.wait(lock, [this] { return state_ != State::working; });
}

void BatonThread::give(detail::Runnable& work, bool inside) {
  work_ = &work;
  inside_ = inside;
  pass(State::working);
}

void BatonThread::resume(detail::Runnable& self) noexcept {
  static_cast<BatonThread&>(self).pass(State::working);
}

void BatonThread::wait() {
  detail::Exempt const exempt;
  std::unique_lock lock(mutex_);
  state_ = State::blocked;
  changed_.notify_all();
  changed_.wait(lock, [this] { return state_ == State::working; });
}

void BatonThread::body() noexcept {
  this_thread = this;
  detail::simulated = &simulated_;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return state_ == State::working || state_ == State::leaving; });
      if (state_ == State::leaving) break;
    }
    detail::Runnable& work = *work_;
    if (inside_) {
      local_.running = &work;
      detail::current_worker = &local_;
    }
    {
      detail::Watched const watched(watch_);
      work.run(work);
    }
    detail::current_worker = nullptr;
    local_.running = nullptr;
    std::scoped_lock const lock(mutex_);
    work_ = nullptr;
    state_ = State::idle;
    changed_.notify_all();
  }
  detail::simulated = nullptr;
  detail::pool_flush();
}

}  // namespace spawned::simulation
