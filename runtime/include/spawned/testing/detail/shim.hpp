// The atomics shim as the model checker provides it: what runtime/detail/atomic.hpp and futex.hpp
// declare, under the same names. Compiled only where SPAWNED_MODEL is defined, which is in programs
// that link nothing of the library's own objects.
#pragma once

#include <cstdint>

#include <spawned/testing/model.hpp>

namespace spawned::detail {

using testing::model::atomic;
using testing::model::SharedCell;

using testing::model::memory_order_acq_rel;
using testing::model::memory_order_acquire;
using testing::model::memory_order_relaxed;
using testing::model::memory_order_release;
using testing::model::memory_order_seq_cst;

using testing::model::cpu_pause;
using testing::model::futex_wait;
using testing::model::futex_wake_all;
using testing::model::futex_wake_one;

inline constexpr std::int64_t wait_forever = -1;

/// One is enough to let the others make a step, and each further one is a step of the search.
inline constexpr int pauses_of_a_spin = 1;
inline constexpr int looks_before_sleep = 1;

inline void yield_thread() { testing::model::yield(); }

}  // namespace spawned::detail
