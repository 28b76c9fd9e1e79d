// The parking primitive of the shim: sleep while a word has a value, wake those who sleep on it.
//
// std::atomic::wait is not used: libstdc++ spins in it and has lost wake-ups (see ARCHITECTURE.md).
#pragma once

#include <cstdint>

#include <spawned/runtime/detail/atomic.hpp>

#if !defined(SPAWNED_MODEL)

namespace spawned::detail {

/// For futex_wait: no time limit.
inline constexpr std::int64_t wait_forever = -1;

/// Sleeps while `word == expected`, for at most `timeout_ns`. May also return for no reason.
void futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected,
                std::int64_t timeout_ns = wait_forever) noexcept;

/// Wakes one sleeper (or none). Costs the caller 0.3 us without a sleeper and about 7 us with one.
void futex_wake_one(atomic<std::uint32_t>& word) noexcept;
void futex_wake_all(atomic<std::uint32_t>& word) noexcept;

}  // namespace spawned::detail

#endif
