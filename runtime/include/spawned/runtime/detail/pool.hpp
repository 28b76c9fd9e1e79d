// Memory for coroutine frames, messages, tasks and actor cells: see docs/design/memory.md.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace spawned::detail {

/// Returns `bytes` aligned to 16 (64 when `bytes` is a multiple of 64). Throws std::bad_alloc.
/// From the calling thread's free list in steady state; never from the program's malloc.
[[nodiscard]] void* pool_allocate(std::size_t bytes);

/// Takes back what pool_allocate returned, from any thread; `bytes` must be the same.
void pool_free(void* block, std::size_t bytes) noexcept;

/// Sends blocks of other threads, held back to travel in batches, home. Workers do it before they
/// park.
void pool_flush() noexcept;

/// How often the pools of the whole process have asked the system allocator for memory.
[[nodiscard]] std::size_t pool_system_allocations() noexcept;

/// Bytes the pools of the whole process hold, in use or free.
[[nodiscard]] std::size_t pool_bytes_reserved() noexcept;

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
