#include <spawned/runtime/threads.hpp>

#include "scheduler/scheduler.hpp"

namespace spawned::detail {

ThreadScope::ThreadScope(Scheduler& scheduler) noexcept : before_(current_worker) {
  local_.scheduler = &scheduler;
  current_worker = &local_;
  scheduler.outside_starts();
}

ThreadScope::~ThreadScope() {
  current_worker = before_;
  local_.scheduler->outside_stops();
}

}  // namespace spawned::detail
