// Memory for coroutine frames, messages, tasks and actor cells: see docs/design/memory.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace spawned::detail {

// --- the part that is inlined: the calling thread's free lists ---

inline constexpr std::size_t pool_granule = 32;
inline constexpr std::size_t pool_largest = 1024;
inline constexpr std::size_t pool_slab_bytes = 64 * 1024;

struct PoolBlock {
  PoolBlock* next;
};

/// The free lists of one thread, by size class. The first word of a block's slab points at those of
/// its owner.
struct PoolLists {
  PoolBlock* free[pool_largest / pool_granule + 1] = {};
};

/// Null before the thread's first allocation, while a PoolTally counts, and always under the
/// address sanitizer.
extern constinit thread_local PoolLists* this_pool;

constexpr std::size_t pool_class(std::size_t bytes) noexcept {
  return (bytes + pool_granule - 1) / pool_granule;
}
inline PoolLists* pool_owner(void* block) noexcept {
  return *reinterpret_cast<PoolLists**>(reinterpret_cast<std::uintptr_t>(block) &
                                        ~(pool_slab_bytes - 1));
}

[[nodiscard]] void* pool_allocate_slowly(std::size_t bytes);
void pool_free_slowly(void* block, std::size_t bytes) noexcept;

/// Returns `bytes` aligned to 16 (64 when `bytes` is a multiple of 64). Throws std::bad_alloc.
/// In steady state from the calling thread's free list; above 1024 bytes from mimalloc (or, without
/// it, from the system allocator) each time.
/// Always inlined: left to itself, g++ stops doing so in large sources, which costs a request 5 %.
[[nodiscard, gnu::always_inline]] inline void* pool_allocate(std::size_t bytes) {
  if (PoolLists* const pool = this_pool; pool != nullptr && bytes <= pool_largest) {
    PoolBlock*& list = pool->free[pool_class(bytes)];
    if (PoolBlock* const block = list; block != nullptr) {
      list = block->next;
      return block;
    }
  }
  return pool_allocate_slowly(bytes);
}

/// Takes back what pool_allocate returned, from any thread; `bytes` must be the same.
[[gnu::always_inline]] inline void pool_free(void* memory, std::size_t bytes) noexcept {
  if (PoolLists* const pool = this_pool;
      pool != nullptr && bytes <= pool_largest && pool_owner(memory) == pool) {
    auto* const block = static_cast<PoolBlock*>(memory);
    PoolBlock*& list = pool->free[pool_class(bytes)];
    block->next = list;
    list = block;
    return;
  }
  pool_free_slowly(memory, bytes);
}

/// Is told of each block that a thread takes from the pools, and gives back.
struct PoolTally {
  void (*taken)(PoolTally&, void* block, std::size_t bytes) noexcept;
  void (*given_back)(PoolTally&, void* block) noexcept;
};
/// What is told of the calling thread from now on, or nothing; returns what has been until now.
/// Such a thread takes the slow way for each block, so that others have nothing to look at.
PoolTally* pool_count(PoolTally* tally) noexcept;
[[nodiscard]] PoolTally* pool_tally() noexcept;

/// Sends blocks of other threads, held back to travel in batches, home. Workers do it before they
/// park.
void pool_flush() noexcept;

/// How often the pools of the whole process have asked the system allocator for memory.
[[nodiscard]] std::size_t pool_system_allocations() noexcept;

/// Bytes the pools of the whole process hold, in use or free.
[[nodiscard]] std::size_t pool_bytes_reserved() noexcept;

/// What `make()` returns, built in its place.
template <typename T, typename Make>
[[nodiscard]] T* pool_new_from(Make&& make) {
  static_assert(alignof(T) <= 64, "over-aligned type: the pools align to 64 bytes at most");
  constexpr std::size_t bytes = alignof(T) > 16 ? (sizeof(T) + 63) / 64 * 64 : sizeof(T);
  void* block = pool_allocate(bytes);
  try {
    return ::new (block) T(make());
  } catch (...) {
    pool_free(block, bytes);
    throw;
  }
}

template <typename T, typename... Args>
[[nodiscard]] T* pool_new(Args&&... args) {
  static_assert(alignof(T) <= 64, "over-aligned type: the pools align to 64 bytes at most");
  constexpr std::size_t bytes = alignof(T) > 16 ? (sizeof(T) + 63) / 64 * 64 : sizeof(T);
  void* block = pool_allocate(bytes);
  try {
    return ::new (block) T(std::forward<Args>(args)...);
  } catch (...) {
    pool_free(block, bytes);
    throw;
  }
}

template <typename T>
void pool_delete(T* object) noexcept {
  constexpr std::size_t bytes = alignof(T) > 16 ? (sizeof(T) + 63) / 64 * 64 : sizeof(T);
  object->~T();
  pool_free(object, bytes);
}

}  // namespace spawned::detail
