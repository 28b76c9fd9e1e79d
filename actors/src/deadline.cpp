// Deadlines that travel with requests, and requests that nobody waits for any more.
#include <algorithm>
#include <cstdint>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/request.hpp>
#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/time.hpp>

namespace spawned::detail {

std::int64_t CellBase::deadline_ns() const noexcept {
  if ((await_checks & carries_deadline) == 0) return no_deadline;
  return static_cast<RequestBase const*>(current)->deadline_ns;
}

std::int64_t CellBase::limit_by_deadline(std::int64_t timeout_ns) const noexcept {
  std::int64_t const deadline = deadline_ns();
  if (deadline == no_deadline) return timeout_ns;
  std::int64_t const left = std::max<std::int64_t>(deadline - clock_now_ns(home->runtime()), 0);
  return timeout_ns == no_deadline ? left : std::min(left, timeout_ns);
}

void CellBase::count_expired() noexcept {
  extra_or_null()->expired.fetch_add(1, memory_order_relaxed);  // a statistic
}

void stamp_deadline(RequestBase& request, std::int64_t timeout_ns) noexcept {
  if (timeout_ns == no_deadline) return;
  Scheduler* const scheduler = current_scheduler();
  std::int64_t const now =
      scheduler != nullptr ? clock_now_ns(*scheduler) : real_clock()->now().count();
  if (__builtin_add_overflow(now, timeout_ns, &request.deadline_ns)) {
    request.deadline_ns = no_deadline;
  }
}

}  // namespace spawned::detail
