// What a memory order means to the model. The one file of the model that names the standard's.
#pragma once

#include <atomic>

namespace spawned::testing::model {

using std::memory_order;
using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_consume;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

namespace detail {

inline constexpr memory_order default_order = memory_order_seq_cst;  // as the standard's default
inline constexpr memory_order weakest = memory_order_relaxed;        // a name for the engine

constexpr bool is_seq_cst(memory_order order) noexcept {
  return order == memory_order_seq_cst;  // takes part in the total order
}

constexpr bool acquires(memory_order order) noexcept {
  return order == memory_order_acquire || order == memory_order_consume ||  // consume is acquire
         order == memory_order_acq_rel || is_seq_cst(order);                // has an acquire side
}

constexpr bool releases(memory_order order) noexcept {
  return order == memory_order_release || order == memory_order_acq_rel ||
         is_seq_cst(order);  // has a release side
}

/// The order of a failed compare-exchange that was given one order only.
constexpr memory_order failure_order(memory_order success) noexcept {
  if (success == memory_order_acq_rel) return memory_order_acquire;  // without its store half
  if (success == memory_order_release) return memory_order_relaxed;  // without its store half
  return success;
}

constexpr char const* order_name(memory_order order) noexcept {
  if (order == memory_order_relaxed) return "relaxed";  // for the trace
  if (order == memory_order_consume) return "consume";  // for the trace
  if (order == memory_order_acquire) return "acquire";  // for the trace
  if (order == memory_order_release) return "release";  // for the trace
  if (order == memory_order_acq_rel) return "acq_rel";  // for the trace
  return "seq_cst";
}

}  // namespace detail
}  // namespace spawned::testing::model
