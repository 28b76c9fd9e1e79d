#include "threads/dedicated_thread.hpp"

#include <chrono>
#include <string>
#include <thread>

#include <pthread.h>

#include <spawned/runtime/detail/pool.hpp>

#include "scheduler/scheduler.hpp"

namespace spawned::detail {

DedicatedThread::DedicatedThread(Scheduler& runtime, DedicatedThreads& owner) noexcept
    : Executor(runtime, static_cast<Executor&>(runtime).detects_cycles()), owner_(owner) {}

void DedicatedThread::post(Runnable& work) noexcept {
  Scheduler::Entry const entry(runtime());  // the runtime may end as soon as the unit has run
  runtime().outside_starts();
  turns_.post(work);
}

void DedicatedThread::retire() noexcept {
  if (current_worker == &local_) {
    leaving_ = true;
  } else {
    turns_.retire();
  }
}

void DedicatedThread::run() noexcept {
  std::string const name = runtime().options().name.substr(0, 13) + "-t";
  pthread_setname_np(pthread_self(), name.c_str());
  std::construct_at(&local_);  // nothing is left of the thread before
  local_.scheduler = &runtime();
  current_worker = &local_;
  while (!leaving_) {
    Runnable* const work = turns_.wait();
    if (work == nullptr) break;
    local_.running = work;
    work->run(*work);
    local_.running = nullptr;
    runtime().outside_stops();
  }
  current_worker = nullptr;
  pool_flush();
}

DedicatedThread& DedicatedThreads::start() {
  std::scoped_lock const lock(mutex_);
  DedicatedThread* place = nullptr;
  if (free_.empty()) {
    all_.push_back(std::make_unique<DedicatedThread>(runtime_, *this));
    free_.reserve(all_.size());  // so that recycle() does not allocate
    place = all_.back().get();
  } else {
    place = free_.back();
    free_.pop_back();
  }
  place->leaving_ = false;
  place->turns_.reset();
  try {
    std::thread([this, place] {
      place->run();
      recycle(*place);
    }).detach();  // wait_until_none() waits for it
  } catch (...) {
    free_.push_back(place);
    throw;
  }
  ++running_;
  return *place;
}

void DedicatedThreads::recycle(DedicatedThread& thread) noexcept {
  std::scoped_lock const lock(mutex_);
  free_.push_back(&thread);
  --running_;
  left_.notify_all();
}

bool DedicatedThreads::wait_until_none(std::int64_t timeout_ns) noexcept {
  std::unique_lock lock(mutex_);
  return left_.wait_for(lock, std::chrono::nanoseconds(timeout_ns),
                        [this] { return running_ == 0; });
}

std::uint64_t DedicatedThreads::count() const noexcept {
  std::scoped_lock const lock(mutex_);
  return running_;
}

}  // namespace spawned::detail
