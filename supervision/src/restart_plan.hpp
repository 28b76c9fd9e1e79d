// What a supervisor decides when a child has ended that is to be restarted.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include <spawned/actors/context.hpp>
#include <spawned/actors/signals.hpp>
#include <spawned/actors/timers.hpp>
#include <spawned/runtime/log.hpp>
#include <spawned/supervision/detail/child_event.hpp>

#include "child.hpp"
#include "restart_budget.hpp"

namespace spawned::detail {

enum class RestartPlan : std::uint8_t {
  give_up,  // that is one too many
  now,
  later,  // a ChildRetry will come
};

/// Spends one token. A child that could not start comes behind what waits in the mailbox, one with
/// back-off after its pause.
template <typename A>
[[nodiscard]] RestartPlan plan_restart_of(Child& child, RestartBudget& budget,
                                          Context<A>& context) {
  bool const failed_start = child.status != ChildState::running;
  if (!budget.take()) {
    log::error("spawned", context.self().cell().describe() + " gives up: its child " +
                              child.label() + " ended with " + child.reason().to_string() +
                              ", which is one restart too many (" +
                              std::to_string(budget.intensity()) + " allowed)");
    return RestartPlan::give_up;
  }
  child.status = ChildState::restarting;
  ++child.attempt;
  std::int64_t const pause_ns = next_pause(child);
  if (pause_ns <= 0 && !failed_start) return RestartPlan::now;
  ChildRetry retry(child, child.attempt);
  auto self = context.self();
  if (pause_ns > 0) {
    (void)send_after<ChildRetry>(std::chrono::nanoseconds(pause_ns), self, retry);
  } else {
    self.template send<ChildRetry>(std::move(retry));
  }
  return RestartPlan::later;
}

/// Its own end says whether it is restarted.
[[nodiscard]] inline bool is_to_restart(Child& child) noexcept {
  Restart const when = child.spec().restart();
  return when == Restart::permanent || (when == Restart::transient && child.reason().is_abnormal());
}

/// PostChildEvent of a supervisor A.
template <typename A>
void post_child_event(CellBase& supervisor, Child& child) noexcept {
  ChildEvent event(child);
  auto& envelope = *pool_new<SendEnvelope<A, ChildEvent>>(std::in_place, std::move(event));
  if (!supervisor.push(envelope)) pool_delete(&envelope);
}

/// Of whoever is linked to a supervisor and not its parent.
inline void log_ignored(char const* who, Exit const& exit) {
  log::debug("spawned", std::string(who) + " ignores the exit signal of actor #" +
                            std::to_string(exit.from.value) + ": " + exit.reason.to_string());
}

/// Throws InvalidOptions.
inline void check_budget(char const* options, int intensity, std::chrono::nanoseconds period) {
  if (intensity < 0) {
    throw InvalidOptions(options, "intensity", "0 and more", std::to_string(intensity));
  }
  if (period.count() <= 0) {
    throw InvalidOptions(options, "period", "more than 0", std::to_string(period.count()) + " ns");
  }
}

}  // namespace spawned::detail
