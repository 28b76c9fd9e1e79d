#include <spawned/runtime/detail/futex.hpp>

#include <climits>
#include <ctime>

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned::detail {

namespace {

long futex(atomic<std::uint32_t>& word, int operation, std::uint32_t value,
           timespec const* timeout) noexcept {
  static_assert(sizeof(atomic<std::uint32_t>) == sizeof(std::uint32_t));
  return syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation | FUTEX_PRIVATE_FLAG,
                 value, timeout, nullptr, 0);
}

}  // namespace

void futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected,
                std::int64_t timeout_ns) noexcept {
  if (timeout_ns < 0) {
    futex(word, FUTEX_WAIT, expected, nullptr);
    return;
  }
  timespec const timeout{.tv_sec = static_cast<time_t>(timeout_ns / 1'000'000'000),
                         .tv_nsec = static_cast<long>(timeout_ns % 1'000'000'000)};
  futex(word, FUTEX_WAIT, expected, &timeout);
}

void futex_wake_one(atomic<std::uint32_t>& word) noexcept { futex(word, FUTEX_WAKE, 1, nullptr); }

void futex_wake_all(atomic<std::uint32_t>& word) noexcept {
  futex(word, FUTEX_WAKE, INT_MAX, nullptr);
}

void yield_thread() noexcept { sched_yield(); }

}  // namespace spawned::detail
