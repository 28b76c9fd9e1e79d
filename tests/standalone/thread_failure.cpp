// nosanitize: the sanitizers replace pthread_create themselves.
// A runtime whose n-th thread cannot be started throws and leaves nothing behind.
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include <dlfcn.h>
#include <pthread.h>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

namespace {

int until_failure = -1;  // threads that still start; negative: all

}  // namespace

// Stands before the C library's for the whole program.
extern "C" int pthread_create(pthread_t* thread, pthread_attr_t const* attributes,
                              void* (*start)(void*), void* argument) {
  using Create = int (*)(pthread_t*, pthread_attr_t const*, void* (*)(void*), void*);
  static auto const create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  if (until_failure == 0) return EAGAIN;
  if (until_failure > 0) --until_failure;
  return create(thread, attributes, start, argument);
}

namespace {

auto threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                       std::filesystem::directory_iterator());
}

sp::RuntimeOptions four_workers() {
  sp::RuntimeOptions options;
  options.workers = 4;
  return options;
}

sp::Task<int> answer() {
  co_await sp::yield_now();
  co_return 42;
}

sp::Task<bool> blocking_fails() {
  auto work = [] { return 1; };
  until_failure = 0;
  bool failed = false;
  try {
    auto job = sp::spawn_blocking(sp::moved(work));
    (void)job;
  } catch (std::system_error const& error) {
    failed = error.code() == std::errc::resource_unavailable_try_again;
  }
  until_failure = -1;
  auto again = sp::spawn_blocking(sp::moved(work));
  auto value = co_await again;
  co_return failed&& value.value() == 1;
}

int fail(char const* what, int n) {
  std::printf("FAILED: %s (n = %d)\n", what, n);
  return 1;
}

}  // namespace

int main() {
  for (int n = 1; n <= 4; ++n) {
    until_failure = n - 1;
    bool thrown = false;
    try {
      sp::Runtime const runtime(four_workers());
    } catch (std::system_error const& error) {
      thrown = error.code() == std::errc::resource_unavailable_try_again;
    }
    until_failure = -1;
    if (!thrown) return fail("no std::system_error for the n-th thread", n);
    if (threads() != 1) return fail("a thread was left behind", n);
    sp::Runtime runtime(four_workers());
    if (runtime.block_on(answer()) != 42) return fail("a later runtime does not work", n);
  }
  sp::Runtime runtime(four_workers());
  if (!runtime.block_on(blocking_fails())) return fail("spawn_blocking without a thread", 0);
  std::printf("passed\n");
  return 0;
}
