// Per-thread size-class pools with remote-free stacks. The design note is docs/design/memory.md.
//
//   slab (64 KiB, aligned to its size)
//   +--------+-------+-------+-------+----
//   | header | block | block | block | ...      header: owning heap, class
//   +--------+-------+-------+-------+----
//
// A heap belongs to one thread at a time and is never destroyed: when its thread ends, the next new
// thread adopts it. So a slab's owner never changes and blocks may come home at any time.
// A block freed by another thread joins that thread's outgoing batch, which goes onto the owner's
// remote stack as a whole: one CAS for up to 32 blocks.
//
// Orderings.
//   remote    flush_outgoing() CASes remote (release)  ->  collect_remote() exchanges (acquire).
//             The owner reuses a block only after its last user is done with it, and sees the
//             links.
#include <spawned/runtime/detail/pool.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/real_world.hpp>

#if defined(__SANITIZE_ADDRESS__)
#define SPAWNED_POOL_OFF 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPAWNED_POOL_OFF 1
#endif
#endif

#if defined(SPAWNED_MIMALLOC_SONAME)
#include <dlfcn.h>
#endif

namespace spawned::detail {

constinit thread_local PoolLists* this_pool = nullptr;

namespace {

atomic<std::size_t> system_allocations{0};
atomic<std::size_t> bytes_reserved{0};

constinit thread_local PoolTally* tally = nullptr;

void* count_taken(void* block, std::size_t bytes) noexcept {
  if (tally != nullptr) tally->taken(*tally, block, bytes);
  return block;
}

void count_given_back(void* block) noexcept {
  if (tally != nullptr) tally->given_back(*tally, block);
}

// The allocator below the pools. mimalloc is loaded privately (RTLD_LOCAL) and never linked,
// because the shared library of the distribution replaces the whole program's malloc when it is
// linked.
struct SystemAllocator {
  void* (*aligned)(std::size_t bytes, std::size_t alignment);
  void (*release)(void* block);
};

void* standard_aligned(std::size_t bytes, std::size_t alignment) {
  return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

SystemAllocator find_system_allocator() noexcept {
#if defined(SPAWNED_MIMALLOC_SONAME) && !defined(SPAWNED_POOL_OFF)
  if (void* const library = dlopen(SPAWNED_MIMALLOC_SONAME, RTLD_NOW | RTLD_LOCAL)) {
    auto const aligned =
        reinterpret_cast<void* (*)(std::size_t, std::size_t)>(dlsym(library, "mi_malloc_aligned"));
    auto const release = reinterpret_cast<void (*)(void*)>(dlsym(library, "mi_free"));
    if (aligned != nullptr && release != nullptr) return {aligned, release};
  }
#endif
  return {&standard_aligned, &std::free};
}

SystemAllocator const& system_allocator() noexcept {
  static SystemAllocator const allocator = find_system_allocator();
  return allocator;
}

void* system_allocate(std::size_t bytes, std::size_t alignment) {
  Exempt const exempt;  // an allocator may look at a clock
  void* const block = system_allocator().aligned(bytes, alignment);
  if (block == nullptr) throw std::bad_alloc();
  system_allocations.fetch_add(1, memory_order_relaxed);  // a statistic
  bytes_reserved.fetch_add(bytes, memory_order_relaxed);  // a statistic
  return block;
}

void system_release(void* block, std::size_t bytes) noexcept {
  Exempt const exempt;
  system_allocator().release(block);
  bytes_reserved.fetch_sub(bytes, memory_order_relaxed);  // a statistic
}

#if !defined(SPAWNED_POOL_OFF)

constexpr std::size_t header_bytes = 64;
constexpr std::uint32_t batch = 32;

struct Slab {
  PoolLists* owner;  // first, as pool_owner() expects
  std::size_t size_class;
};
static_assert(sizeof(Slab) <= header_bytes);

constexpr std::size_t classes = pool_largest / pool_granule + 1;

struct Heap : PoolLists {
  std::array<char*, classes> fresh{};  // the part of the newest slab never handed out
  std::array<char*, classes> fresh_end{};
  Heap* outgoing_owner = nullptr;
  PoolBlock* outgoing_first = nullptr;
  PoolBlock* outgoing_last = nullptr;
  std::uint32_t outgoing_count = 0;
  Heap* next_abandoned = nullptr;
  alignas(64) atomic<PoolBlock*> remote{nullptr};
};

Slab& slab_of(void* block) noexcept {
  return *reinterpret_cast<Slab*>(reinterpret_cast<std::uintptr_t>(block) & ~(pool_slab_bytes - 1));
}

std::mutex abandoned_mutex;
Heap* abandoned_heaps = nullptr;  // guarded by abandoned_mutex

// The calling thread's heap: this_pool, unless it counts.
constinit thread_local Heap* this_heap = nullptr;

void set_heap(Heap* heap) noexcept {
  this_heap = heap;
  this_pool = tally == nullptr ? heap : nullptr;
}

void flush_outgoing(Heap& heap) noexcept {
  if (heap.outgoing_count == 0) return;
  atomic<PoolBlock*>& remote = heap.outgoing_owner->remote;
  PoolBlock* head = remote.load(memory_order_relaxed);  // the CAS checks it
  do {
    heap.outgoing_last->next = head;
  } while (!remote.compare_exchange_weak(head, heap.outgoing_first, memory_order_release,
                                         memory_order_relaxed));  // remote
  heap.outgoing_count = 0;
}

void collect_remote(Heap& heap) noexcept {
  if (heap.remote.load(memory_order_relaxed) == nullptr) return;           // a hint
  PoolBlock* block = heap.remote.exchange(nullptr, memory_order_acquire);  // remote
  while (block != nullptr) {
    PoolBlock* const next = block->next;
    std::size_t const size_class = slab_of(block).size_class;
    block->next = heap.free[size_class];
    heap.free[size_class] = block;
    block = next;
  }
}

Heap& adopt_heap() {
  {
    std::scoped_lock const lock(abandoned_mutex);
    if (Heap* const heap = abandoned_heaps) {
      abandoned_heaps = heap->next_abandoned;
      return *heap;
    }
  }
  return *::new (system_allocate(sizeof(Heap), alignof(Heap))) Heap();
}

void abandon_heap(Heap& heap) noexcept {
  flush_outgoing(heap);
  std::scoped_lock const lock(abandoned_mutex);
  heap.next_abandoned = abandoned_heaps;
  abandoned_heaps = &heap;
}

// Runs at the end of a thread that has used the pools.
struct HeapRelease {
  bool armed = false;
  bool released = false;
  ~HeapRelease() {
    released = true;
    Heap* const heap = this_heap;
    set_heap(nullptr);
    if (heap != nullptr) abandon_heap(*heap);
  }
};
thread_local HeapRelease heap_release;

// The calling thread's heap. Destructors of thread-locals that run after HeapRelease borrow one for
// a single call.
class HeapUse {
 public:
  HeapUse() : heap_(this_heap) {
    if (heap_ != nullptr) return;
    heap_ = &adopt_heap();
    borrowed_ = heap_release.released;
    if (borrowed_) return;
    set_heap(heap_);
    heap_release.armed = true;  // the first use makes its destructor run at thread exit
  }
  ~HeapUse() {
    if (borrowed_) abandon_heap(*heap_);
  }
  HeapUse(HeapUse const&) = delete;
  HeapUse& operator=(HeapUse const&) = delete;
  [[nodiscard]] Heap& get() const noexcept { return *heap_; }

 private:
  Heap* heap_;
  bool borrowed_ = false;
};

void* allocate_slowly(Heap& heap, std::size_t size_class) {
  collect_remote(heap);
  if (PoolBlock* const block = heap.free[size_class]) {
    heap.free[size_class] = block->next;
    return block;
  }
  std::size_t const bytes = size_class * pool_granule;
  if (heap.fresh[size_class] == heap.fresh_end[size_class]) {
    auto* const memory = static_cast<char*>(system_allocate(pool_slab_bytes, pool_slab_bytes));
    ::new (memory) Slab{.owner = &heap, .size_class = size_class};
    heap.fresh[size_class] = memory + header_bytes;
    heap.fresh_end[size_class] =
        memory + header_bytes + (pool_slab_bytes - header_bytes) / bytes * bytes;
  }
  char* const block = heap.fresh[size_class];
  heap.fresh[size_class] = block + bytes;
  return block;
}

void free_remote(Heap& heap, Heap& owner, PoolBlock& block) noexcept {
  if (heap.outgoing_count != 0 && heap.outgoing_owner != &owner) flush_outgoing(heap);
  if (heap.outgoing_count == 0) {
    heap.outgoing_owner = &owner;
    heap.outgoing_last = &block;
    block.next = nullptr;
  } else {
    block.next = heap.outgoing_first;
  }
  heap.outgoing_first = &block;
  if (++heap.outgoing_count == batch) flush_outgoing(heap);
}

#endif

}  // namespace

#if defined(SPAWNED_POOL_OFF)

// Under the address sanitizer every block is the sanitizer's own, so that it sees each misuse.
void* pool_allocate_slowly(std::size_t bytes) {
  return count_taken(system_allocate(bytes, bytes % 64 == 0 ? 64 : 16), bytes);
}
void pool_free_slowly(void* block, std::size_t bytes) noexcept {
  count_given_back(block);
  system_release(block, bytes);
}
void pool_flush() noexcept {}

PoolTally* pool_count(PoolTally* next) noexcept { return std::exchange(tally, next); }

#else

void* pool_allocate_slowly(std::size_t bytes) {
  if (bytes > pool_largest) return count_taken(system_allocate(bytes, 64), bytes);
  HeapUse const heap;
  return count_taken(allocate_slowly(heap.get(), pool_class(bytes)), bytes);
}

void pool_free_slowly(void* memory, std::size_t bytes) noexcept {
  count_given_back(memory);
  if (bytes > pool_largest) {
    system_release(memory, bytes);
    return;
  }
  HeapUse const heap;
  Heap& owner = static_cast<Heap&>(*pool_owner(memory));
  auto& block = *static_cast<PoolBlock*>(memory);
  if (&owner != &heap.get()) {
    free_remote(heap.get(), owner, block);
    return;
  }
  block.next = owner.free[pool_class(bytes)];
  owner.free[pool_class(bytes)] = &block;
}

PoolTally* pool_count(PoolTally* next) noexcept {
  PoolTally* const before = std::exchange(tally, next);
  set_heap(this_heap);
  return before;
}

void pool_flush() noexcept {
  if (this_heap != nullptr) flush_outgoing(*this_heap);
}

#endif

PoolTally* pool_tally() noexcept { return tally; }

std::size_t pool_system_allocations() noexcept {
  return system_allocations.load(memory_order_relaxed);  // a statistic
}
std::size_t pool_bytes_reserved() noexcept {
  return bytes_reserved.load(memory_order_relaxed);  // a statistic
}

}  // namespace spawned::detail
