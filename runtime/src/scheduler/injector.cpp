#include "scheduler/injector.hpp"

#include <cstdio>
#include <cstdlib>

#include <concurrentqueue/concurrentqueue.h>

namespace spawned::detail {

struct Injector::Queue {
  moodycamel::ConcurrentQueue<Runnable*> items;
};

Injector::Injector() : queue_(std::make_unique<Queue>()) {}
Injector::~Injector() = default;

void Injector::push(Runnable& work) noexcept {
  if (!queue_->items.enqueue(&work)) {
    std::fputs("spawned: out of memory in the injection queue; a wake-up would be lost\n", stderr);
    std::abort();
  }
  pending_.fetch_add(1, memory_order_seq_cst);  // pending
}

std::size_t Injector::take(Runnable** items, std::size_t most) noexcept {
  std::size_t const count = queue_->items.try_dequeue_bulk(items, most);
  if (count != 0) {
    pending_.fetch_sub(static_cast<std::int64_t>(count), memory_order_relaxed);  // a number
  }
  return count;
}

}  // namespace spawned::detail
