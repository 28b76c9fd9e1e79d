// nosanitize: the sanitizers replace pthread_create themselves.
// A runtime whose n-th thread cannot be started throws and leaves nothing behind.
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <system_error>
#include <thread>
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

/// Counts the lines about spares.
class SpareLines final : public sp::log::Sink {
 public:
  void write(sp::log::Record const& record) noexcept override {
    if (record.text.find("no thread for a spare") != std::string_view::npos) ++count_;
  }
  [[nodiscard]] int count() const { return count_.load(); }

 private:
  std::atomic<int> count_{0};
};

sp::Task<void> block_until_reported(SpareLines const& lines) {
  while (lines.count() == 0) std::this_thread::yield();
  co_return;
}

// What waits at a blocked worker runs when it is back, and the next time there is a spare.
bool blocks_without_spare() {
  SpareLines lines;
  sp::log::Sink* const before = sp::log::set_sink(&lines);
  bool passed = false;
  {
    sp::RuntimeOptions options;
    options.workers = 1;
    sp::Runtime runtime(options);
    until_failure = 0;
    auto blocked = runtime.spawn(block_until_reported(lines));
    passed = runtime.block_on(answer()) == 42 && blocked.join_blocking().has_value();
    passed = passed && lines.count() == 1 && runtime.counters().rescues == 0;
    until_failure = -1;
    std::atomic<bool> over{false};
    auto spin = [](std::atomic<bool>& stop) -> sp::Task<void> {
      while (!stop.load()) std::this_thread::yield();
      co_return;
    };
    auto again = runtime.spawn(spin(over));
    passed = passed && runtime.block_on(answer()) == 42;
    passed = passed && runtime.counters().rescues == 1;
    over.store(true);
  }
  sp::log::set_sink(before);
  return passed;
}

int fail(char const* what, int n) {
  std::printf("FAILED: %s (n = %d)\n", what, n);
  return 1;
}

}  // namespace

int main() {
  for (int n = 1; n <= 5; ++n) {  // four workers and their monitor
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
  if (!blocks_without_spare()) return fail("a blocked worker without a thread for a spare", 0);
  std::printf("passed\n");
  return 0;
}
