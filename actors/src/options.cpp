#include <spawned/actors/options.hpp>

#include <utility>

#include <spawned/actors/actor.hpp>
#include <spawned/actors/detail/cell_extra.hpp>
#include <spawned/actors/detail/unreferenced_stop.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/runtime.hpp>

namespace spawned::detail {

void check(ActorOptions const& options) {
  auto const refuse = [](char const* field, char const* allowed, std::string given) {
    throw InvalidOptions("ActorOptions", field, allowed, std::move(given));
  };
  if (options.mailbox_capacity == 0) refuse("mailbox_capacity", "1 or more, or unbounded", "0");
  if (options.handler_timeout <= std::chrono::nanoseconds::zero()) {
    refuse("handler_timeout", "longer than zero",
           std::to_string(options.handler_timeout.count()) + " ns");
  }
  if (options.urgent_burst == 0) refuse("urgent_burst", "1 or more", "0");
}

CellExtra* make_extra(ActorOptions options) {
  check(options);
  auto* const extra = pool_new<CellExtra>();
  extra->options = std::move(options);
  try {
    extra->mail.make(extra->options);
    if (extra->options.stop_when_unreferenced) {
      extra->unreferenced_stop = make_unreferenced_stop();
    }
  } catch (...) {
    pool_delete(extra);
    throw;
  }
  return extra;
}

Executor& executor_of(Scheduler& scheduler, Backend backend, char const* what) {
  switch (backend) {
    case Backend::Async:
      break;
    case Backend::Blocking:
      return blocking_executor(scheduler);
    case Backend::Thread:
      return dedicated_executor(scheduler);
  }
  return workers_of(scheduler, what);
}

}  // namespace spawned::detail
