// Injector: the queue through which threads that are no worker of the runtime hand it work.
//
// moodycamel's queue moves the items; this class adds the counter that the parking protocol
// (idle.hpp) needs, because only our own seq_cst accesses take part in its total order.
//
// Orderings.
//   pending   push() adds (seq_cst)  ->  has_work() loads (seq_cst).
//             Part of the total order of idle.hpp. An item whose increment a worker has seen was
//             enqueued before (the increment happens after), so its dequeue finds it. take()
//             announces nothing: who sees the count too high looks in vain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/scheduling.hpp>

namespace spawned::detail {

class Injector {
 public:
  Injector();
  ~Injector();
  Injector(Injector const&) = delete;
  Injector& operator=(Injector const&) = delete;

  void push(Runnable& work) noexcept;

  /// Takes up to `most` items.
  std::size_t take(Runnable** items, std::size_t most) noexcept;

  [[nodiscard]] bool has_work() const noexcept {
    return pending_.load(memory_order_seq_cst) > 0;  // pending
  }
  [[nodiscard]] std::uint64_t size() const noexcept {
    auto const pending = pending_.load(memory_order_relaxed);  // a statistic
    return pending > 0 ? static_cast<std::uint64_t>(pending) : 0;
  }

 private:
  struct Queue;
  std::unique_ptr<Queue> queue_;
  alignas(64) atomic<std::int64_t> pending_{0};
};

}  // namespace spawned::detail
