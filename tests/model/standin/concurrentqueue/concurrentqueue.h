// In place of moodycamel's queue, which is not ours to model: it moves items and promises no more
// than that one does. A dequeue finds an item for certain only when the enqueue happened before it.
#pragma once

#include <array>
#include <cstddef>

#include <spawned/runtime/detail/atomic.hpp>

namespace moodycamel {

template <typename T>
class ConcurrentQueue {
  using Word = spawned::detail::atomic<T>;

 public:
  bool enqueue(T item) {
    // In place of a list for each producer: the first slot that nobody has used.
    std::size_t const slot = used_.fetch_add(1, spawned::detail::memory_order_relaxed);  // a number
    if (slot == slots_.size()) return false;
    slots_[slot].store(item, spawned::detail::memory_order_release);  // item
    return true;
  }

  std::size_t try_dequeue_bulk(T* items, std::size_t most) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < slots_.size() && count < most; ++i) {
      T item = slots_[i].load(spawned::detail::memory_order_relaxed);  // a hint
      if (item == nullptr) continue;
      if (slots_[i].compare_exchange_strong(item, nullptr, spawned::detail::memory_order_acquire,
                                            spawned::detail::memory_order_relaxed)) {  // item
        items[count++] = item;
      }
    }
    return count;
  }

 private:
  std::array<Word, 3> slots_;
  spawned::detail::atomic<std::size_t> used_{0};
};

}  // namespace moodycamel
