// CellExtra: what few actors need and no other should pay for. Made at the start for an actor with
// options, or by the first that needs it (CellBase::extra()).
#pragma once

#include <cstdint>
#include <optional>

#include <spawned/actors/exit_reason.hpp>
#include <spawned/actors/options.hpp>
#include <spawned/runtime/cancellation.hpp>
#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned::detail {

class HandlerWatch;

struct CellExtra {
  ActorOptions options;
  bool own_home = false;  // the executor is this actor's alone and is given back at its end

  atomic<std::uint64_t> expired{0};  // requests that skip_expired dropped

  // --- exit signals: docs/design/exit.md ---
  atomic<bool> exit_claimed{false};  // by the first lethal signal
  ExitReason exit_reason;            // its; published by Attention::lethal

  // --- Context::cancellation_token() ---
  SpinLock token_lock;
  std::optional<CancellationToken> token;  // of the present callback

  HandlerWatch* watch = nullptr;  // owner: over the present call of a coroutine handler
  bool timed_out = false;         // owner: the call that has just ended was cancelled by it
};

/// Checked, in a block from the pool. Errors: InvalidOptions.
[[nodiscard]] CellExtra* make_extra(ActorOptions options);

}  // namespace spawned::detail
