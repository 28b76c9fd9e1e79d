#include <spawned/runtime/detail/extensions.hpp>

#include "scheduler/scheduler.hpp"

namespace spawned::detail {

Extensions::~Extensions() {
  Extension* each = first_.load(memory_order_relaxed);  // the last user
  while (each != nullptr) {
    Extension* const next = each->next;
    each->destroy(*each);
    each = next;
  }
}

Extension& Extensions::add(Extension& made) noexcept {
  Extension* head = first_.load(memory_order_acquire);  // known
  do {
    if (Extension* const there = find_in(head, *made.tag)) return *there;
    made.next = head;
  } while (!first_.compare_exchange_weak(head, &made, memory_order_acq_rel,
                                         memory_order_acquire));  // known
  return made;
}

Extensions& extensions_of(Scheduler& scheduler) noexcept { return scheduler.extensions; }

}  // namespace spawned::detail
