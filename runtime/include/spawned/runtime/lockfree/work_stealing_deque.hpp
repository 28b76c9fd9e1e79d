// Work-stealing deque: the run queue of one scheduler worker.
//
//            top                      bottom
//             v                          v
//     ... | taken | item | item | item | free | ...        indices only grow
//             ^ oldest: steal()          ^ newest: push(), pop()
//
// Threads.    push(), pop() and take_oldest() belong to the owning worker; steal() to everybody,
//             the owner included: take_oldest() steals from itself. steal_half_into() is called by
//             the owner of the deque it moves the items into.
// Progress.   push() is wait-free except when it grows; pop() and steal() are lock-free.
// Memory.     A grown-out buffer is kept until the deque dies, because a thief may still read it.
//             That costs at most as much as the live buffer, since capacities double.
//
// Orderings.  Every atomic access below carries one of these labels; tools/lint/orderings.py
//             rejects a label that has only one side.
//   publish   push() stores bottom (release)  ->  steal() loads bottom (acquire).
//             A thief that sees index i as filled also sees the item stored there.
//   grow      grow() stores buffer (release)  ->  steal() loads buffer (acquire).
//             A thief that sees the new buffer also sees every item copied into it.
//   reuse     steal() CASes top (release)  ->  push() loads top (acquire).
//             The owner overwrites a slot only after the thief has finished reading it.
//   last      pop() stores bottom then loads top; steal() loads top then bottom; all four seq_cst.
//             In their single total order one of the two sees the other, so the last item is taken
//             once. Acquire/release would let both miss each other (store buffering). The CASes
//             need no part in that order: if pop() reads an older top than a thief does, then its
//             load precedes the thief's loads in the order, and so does its store of bottom.
//   No stand-alone fences: ThreadSanitizer cannot see them, and on x86-64 a seq_cst load is a
//   plain load, so steal() pays for no barrier before its CAS.
//
// Source.     Chase and Lev, SPAA 2005; Le et al., PPoPP 2013 (which uses fences instead).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include <spawned/runtime/detail/atomic.hpp>

namespace spawned::runtime::lockfree {

/// A value that a thief may copy and then throw away: a pointer-sized handle with an empty value.
template <typename T>
concept stealable = std::is_pointer_v<T>;

template <stealable T>
class WorkStealingDeque {
 public:
  explicit WorkStealingDeque(std::size_t capacity = 256)  // a power of two
      : buffer_(keep(capacity)) {}

  /// Owner. Adds the newest item. Throws std::bad_alloc when it must grow and cannot.
  void push(T item) {
    auto const bottom = bottom_.load(detail::memory_order_relaxed);  // owner-only writer
    auto const top = top_.load(detail::memory_order_acquire);        // reuse
    auto* ring = buffer_.load(detail::memory_order_relaxed);         // owner-only writer
    if (static_cast<std::size_t>(bottom - top) == ring->capacity) ring = grow(*ring, top, bottom);
    ring->at(bottom).store(item, detail::memory_order_relaxed);  // ordered by publish
    bottom_.store(bottom + 1, detail::memory_order_release);     // publish
  }

  /// Owner. Takes the newest item, or nullptr.
  [[nodiscard]] T pop() noexcept {
    auto const bottom = bottom_.load(detail::memory_order_relaxed) - 1;  // owner-only writer
    auto* ring = buffer_.load(detail::memory_order_relaxed);             // owner-only writer
    bottom_.store(bottom, detail::memory_order_seq_cst);                 // last
    auto top = top_.load(detail::memory_order_seq_cst);                  // last
    if (top > bottom) {
      bottom_.store(bottom + 1, detail::memory_order_relaxed);  // undo; nothing published
      return nullptr;
    }
    T const item = ring->at(bottom).load(detail::memory_order_relaxed);  // written by this thread
    if (top < bottom) return item;
    bool const won = top_.compare_exchange_strong(top, top + 1, detail::memory_order_relaxed,
                                                  detail::memory_order_relaxed);  // one word
    bottom_.store(bottom + 1, detail::memory_order_relaxed);                      // empty again
    return won ? item : nullptr;
  }

  /// Anybody. Takes the oldest item; nullptr when there is none or another thread won the race.
  [[nodiscard]] T steal() noexcept {
    auto top = top_.load(detail::memory_order_seq_cst);              // last
    auto const bottom = bottom_.load(detail::memory_order_seq_cst);  // last, publish
    if (top >= bottom) return nullptr;
    auto* ring = buffer_.load(detail::memory_order_acquire);          // grow
    T const item = ring->at(top).load(detail::memory_order_relaxed);  // ordered by publish
    if (!top_.compare_exchange_strong(top, top + 1, detail::memory_order_release,
                                      detail::memory_order_relaxed)) {  // reuse
      return nullptr;
    }
    return item;
  }

  /// Owner. Takes the oldest item; unlike steal() it retries while items are left.
  [[nodiscard]] T take_oldest() noexcept {
    while (!empty()) {
      if (T const item = steal()) return item;
    }
    return nullptr;
  }

  /// Owner of `thief`. Moves up to half of the items (at most `most`) into it and returns one more
  /// to run at once, or nullptr. Item by item: a claim of several would race the owner's pop().
  [[nodiscard]] T steal_half_into(WorkStealingDeque& thief, std::size_t most, std::size_t* moved) {
    std::size_t const wanted = std::min<std::size_t>((size() + 1) / 2, most);
    T const first = steal();
    if (first == nullptr) return nullptr;
    std::size_t count = 1;
    for (; count < wanted; ++count) {
      T const item = steal();
      if (item == nullptr) break;
      thief.push(item);
    }
    *moved = count;
    return first;
  }

  /// Anybody. A moment's estimate; exact when the owner calls it and no thief is at work.
  [[nodiscard]] std::size_t size() const noexcept {
    auto const bottom = bottom_.load(detail::memory_order_relaxed);  // an estimate
    auto const top = top_.load(detail::memory_order_relaxed);        // an estimate
    return bottom > top ? static_cast<std::size_t>(bottom - top) : 0;
  }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

 private:
  struct RingBuffer {
    explicit RingBuffer(std::size_t n) : capacity(n), slots(new detail::atomic<T>[n]) {}
    detail::atomic<T>& at(std::int64_t index) noexcept {
      return slots[static_cast<std::size_t>(index) & (capacity - 1)];
    }
    std::size_t capacity;
    std::unique_ptr<detail::atomic<T>[]> slots;
  };

  RingBuffer* keep(std::size_t capacity) {
    return buffers_.emplace_back(std::make_unique<RingBuffer>(capacity)).get();
  }

  RingBuffer* grow(RingBuffer& old, std::int64_t top, std::int64_t bottom) {
    auto* bigger = keep(old.capacity * 2);
    for (auto i = top; i != bottom; ++i) {
      T const item = old.at(i).load(detail::memory_order_relaxed);  // written by this thread
      bigger->at(i).store(item, detail::memory_order_relaxed);      // ordered by grow
    }
    buffer_.store(bigger, detail::memory_order_release);  // grow
    return bigger;
  }

  std::vector<std::unique_ptr<RingBuffer>> buffers_;
  alignas(64) detail::atomic<std::int64_t> top_{0};
  alignas(64) detail::atomic<std::int64_t> bottom_{0};
  alignas(64) detail::atomic<RingBuffer*> buffer_;
};

}  // namespace spawned::runtime::lockfree
