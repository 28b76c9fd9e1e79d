// nosanitize: the pools are off under the address sanitizer.
// In steady state, messages, requests, spawned tasks and oneshots allocate nothing.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <utility>

#include <spawned/runtime/detail/pool.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

namespace {

std::atomic<std::size_t> news{0};

void* counted(std::size_t bytes) {
  news.fetch_add(1, std::memory_order_relaxed);
  void* const block = std::malloc(bytes != 0 ? bytes : 1);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t /*bytes*/) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t /*bytes*/) noexcept { std::free(block); }

namespace {

struct Add {
  std::uint64_t amount;
};
struct AddSlowly {
  std::uint64_t amount;
};

class Sum : public sp::Actor<Sum> {
 public:
  std::uint64_t handle_request(Add add) { return total_ += add.amount; }
  void handle_message(Add add) { total_ += add.amount; }
  sp::Task<std::uint64_t> handle_request(AddSlowly add) {
    co_await sp::yield_now();
    co_return total_ += add.amount;
  }

 private:
  std::uint64_t total_ = 0;
};

int failures = 0;

/// One worker: nothing at all. Two: blocks wander between their pools, and a pool may ask for one
/// more slab when more of its blocks are away than ever before; never once per operation.
std::size_t allowed = 0;

/// Counts what happens between two calls, after a warm-up.
class Counted {
 public:
  explicit Counted(char const* name) noexcept
      : name_(name), news_(news.load()), slabs_(spawned::detail::pool_system_allocations()) {}
  void report() const {
    std::size_t const more_news = news.load() - news_;
    std::size_t const more_slabs = spawned::detail::pool_system_allocations() - slabs_;
    std::printf("%-32s operator new %zu, pool from system %zu\n", name_, more_news, more_slabs);
    if (more_news > allowed || more_slabs > allowed) ++failures;
  }

 private:
  char const* name_;
  std::size_t news_;
  std::size_t slabs_;
};

sp::Task<void> messages(sp::ActorRef<Sum> sum, int count) {
  for (int i = 0; i < count; ++i) {
    sum.send<Add>(1U);
    if (i % 50 == 0) {
      auto total = co_await sum.request<Add>(0U);  // do not run ahead of the actor
      (void)total.value();
    }
  }
}
sp::Task<void> requests(sp::ActorRef<Sum> sum, int count) {
  for (int i = 0; i < count; ++i) {
    auto total = co_await sum.request_with_timeout<Add>(sp::no_timeout, 1U);
    (void)total.value();
  }
}
sp::Task<void> limited_requests(sp::ActorRef<Sum> sum, int count) {
  for (int i = 0; i < count; ++i) {
    auto total = co_await sum.request<Add>(1U);
    (void)total.value();
  }
}
sp::Task<void> coroutine_requests(sp::ActorRef<Sum> sum, int count) {
  for (int i = 0; i < count; ++i) {
    auto total = co_await sum.request<AddSlowly>(1U);
    (void)total.value();
  }
}
sp::Task<int> child(int value) { co_return value; }
sp::Task<void> children(sp::ActorRef<Sum> /*sum*/, int count) {
  for (int i = 0; i < count; ++i) {
    auto handle = sp::spawn(child(i));
    auto value = co_await handle;
    (void)value.value();
  }
}
sp::Task<void> send_one(sp::OneshotSender<int> sender, int value) {
  (void)sender.send(value);
  co_return;
}
sp::Task<void> oneshots(sp::ActorRef<Sum> /*sum*/, int count) {
  for (int i = 0; i < count; ++i) {
    auto [sender, receiver] = sp::oneshot<int>();
    (void)sp::spawn(send_one(std::move(sender), i));
    auto value = co_await receiver;
    (void)value.value();
  }
}
sp::Task<void> sleeps(sp::ActorRef<Sum> /*sum*/, int count) {
  for (int i = 0; i < count / 100; ++i) co_await sp::sleep(std::chrono::milliseconds(1));
}

using Body = sp::Task<void> (*)(sp::ActorRef<Sum>, int);

sp::Task<void> measure(char const* name, Body body) {
  auto sum = Sum().start();
  co_await body(sum, 20'000);  // fills the free lists and the queues
  Counted const counted(name);
  co_await body(sum, 20'000);
  counted.report();
  auto ended = co_await sum.stop_and_wait();
  (void)ended.value();
}

void all(unsigned workers) {
  sp::RuntimeOptions options;
  options.workers = workers;
  sp::Runtime runtime(std::move(options));
  std::printf("%u workers\n", workers);
  runtime.block_on(measure("messages", &messages));
  runtime.block_on(measure("requests", &requests));
  runtime.block_on(measure("requests with a time limit", &limited_requests));
  runtime.block_on(measure("requests, coroutine handler", &coroutine_requests));
  runtime.block_on(measure("spawn and join", &children));
  runtime.block_on(measure("oneshot", &oneshots));
  runtime.block_on(measure("sleep", &sleeps));
}

}  // namespace

int main() {
  all(1);
  allowed = 4;
  all(2);
  if (failures != 0) std::printf("FAILED: %d kinds of work allocate\n", failures);
  return failures == 0 ? 0 : 1;
}
