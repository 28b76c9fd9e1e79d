// nosanitize. A small child of a template costs at most 400 bytes, everything counted.
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>

#include <malloc.h>

#include <spawned/runtime/detail/pool.hpp>
#include <spawned/supervision/dynamic_supervisor.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
using spawned::DynamicSupervisor;

namespace {

std::atomic<std::size_t> from_new{0};

std::size_t bytes() { return spawned::detail::pool_bytes_reserved() + from_new; }

struct Ping {};
struct Small : sp::Actor<Small> {
  int handle_request(Ping) { return value; }
  int value = 1;
};

constexpr std::size_t many = 100'000;

sp::Task<int> measure() {
  auto sup = DynamicSupervisor({}, spawned::child_template<>([] { return Small(); })).start();
  for (int i = 0; i < 1000; ++i) (void)co_await sup.request<DynamicSupervisor::StartWith>();
  std::size_t const before = bytes();
  for (std::size_t i = 0; i < many; ++i) {
    auto started = co_await sup.request<DynamicSupervisor::StartWith>();
    if (!started || !started->has_value()) co_return 2;
  }
  double const each = static_cast<double>(bytes() - before) / static_cast<double>(many);
  std::printf("%.1f bytes a child\n", each);
  (void)co_await sup.stop_and_wait();
  co_return each <= 400 ? 0 : 1;
}

}  // namespace

void* operator new(std::size_t size) {
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  from_new += malloc_usable_size(memory);
  return memory;
}
void operator delete(void* memory) noexcept {
  from_new -= memory != nullptr ? malloc_usable_size(memory) : 0;
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

int main() { return sp::run(measure()); }
