// A Runtime that cannot get its memory throws std::bad_alloc and leaves nothing behind. nosanitize:
// the program replaces operator new.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <new>

#include <spawned/tasks.hpp>

namespace {

// Counts only on the thread that builds the runtime; -1 never fails.
thread_local long allocations_left = -1;
thread_local long live_blocks = 0;
thread_local bool counting = false;

void* allocate(std::size_t bytes) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  if (counting) ++live_blocks;
  void* const block = std::malloc(bytes == 0 ? 1 : bytes);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void release(void* block) noexcept {
  if (counting && block != nullptr) --live_blocks;
  std::free(block);
}

std::size_t threads() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}));
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes); }
void* operator new[](std::size_t bytes) { return allocate(bytes); }
void operator delete(void* block) noexcept { release(block); }
void operator delete[](void* block) noexcept { release(block); }
void operator delete(void* block, std::size_t /*bytes*/) noexcept { release(block); }
void operator delete[](void* block, std::size_t /*bytes*/) noexcept { release(block); }

int main() {
  namespace sp = spawned::tasks;
  std::size_t const threads_before = threads();
  {
    sp::Runtime const warm_up;
  }
  int failures = 0;
  bool built = false;
  for (long n = 0; n < 1000 && !built; ++n) {
    sp::RuntimeOptions options;
    options.workers = 3;
    live_blocks = 0;
    bool threw = false;
    counting = true;
    allocations_left = n;
    try {
      sp::Runtime const runtime(options);
      allocations_left = -1;
      built = true;
    } catch (std::bad_alloc const&) {
      threw = true;
    }
    allocations_left = -1;
    counting = false;
    if (threw) ++failures;
    if (threw && threads() != threads_before) {
      std::printf("FAILED: allocation %ld failed and left a thread behind\n", n);
      return 1;
    }
    // A std::thread's own state is freed by the new thread, which does not count.
    if (threw && live_blocks > 3) {
      std::printf("FAILED: allocation %ld failed and left %ld blocks behind\n", n, live_blocks);
      return 1;
    }
  }
  std::printf("%d allocations failed one after the other, then the runtime was built\n", failures);
  return built && failures > 3 ? 0 : 1;
}
