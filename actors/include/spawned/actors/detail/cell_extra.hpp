// CellExtra: what few actors need and no other should pay for. Made at the start for an actor with
// options, or by the first that needs it (CellBase::extra()).
#pragma once

#include <cstdint>
#include <optional>

#include <spawned/actors/detail/ancestry.hpp>
#include <spawned/actors/detail/dependants.hpp>
#include <spawned/actors/detail/end_hooks.hpp>
#include <spawned/actors/detail/idle_timeout.hpp>
#include <spawned/actors/exit_reason.hpp>
#include <spawned/actors/options.hpp>
#include <spawned/runtime/cancellation.hpp>
#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned::detail {

class MailQueue;
void destroy_mail_queue(MailQueue* queue) noexcept;

/// The queue of an actor that is bounded or takes urgent messages, or nothing.
class OwnMailQueue {
 public:
  OwnMailQueue() noexcept = default;
  OwnMailQueue(OwnMailQueue const&) = delete;
  OwnMailQueue& operator=(OwnMailQueue const&) = delete;
  ~OwnMailQueue() { destroy_mail_queue(queue_); }
  /// Once. Errors: std::bad_alloc.
  void make(ActorOptions const& options);
  [[nodiscard]] MailQueue* get() const noexcept { return queue_; }

 private:
  MailQueue* queue_ = nullptr;
};
class UnreferencedStop;
class HandlerWatch;

struct CellExtra {
  CellExtra() = default;
  CellExtra(CellExtra const&) = delete;
  CellExtra& operator=(CellExtra const&) = delete;
  ~CellExtra();

  ActorOptions options;
  OwnMailQueue mail;
  Dependants dependants;  // timers and listeners
  EndHooks end_hooks;     // names and memberships
  IdleTimeout idle;
  bool own_home = false;  // the executor is this actor's alone and is given back at its end
  Ancestor* as_ancestor = nullptr;  // made by the first actor that this one starts
  std::uint32_t continuations = 0;  // as many of the first in the inbox are such; owner
  UnreferencedStop* unreferenced_stop = nullptr;  // for ActorOptions::stop_when_unreferenced

  atomic<std::uint64_t> expired{0};  // requests that skip_expired dropped

  // --- exit signals: docs/design/exit.md ---
  atomic<bool> traps_exits{false};  // they come as messages; the owner writes
  enum class ExitPhase : std::uint8_t { none, claimed, delivered };
  atomic<ExitPhase> exit_phase{ExitPhase::none};  // of the first lethal signal: supervised.hpp
  ExitReason exit_reason;                         // its; published by Attention::lethal

  // --- Context::cancellation_token() ---
  SpinLock token_lock;
  std::optional<CancellationToken> token;  // of the present callback

  HandlerWatch* watch = nullptr;  // owner: over the present call of a coroutine handler
  bool timed_out = false;         // owner: the call that has just ended was cancelled by it
};

/// Checked, in a block from the pool. Errors: InvalidOptions.
[[nodiscard]] CellExtra* make_extra(ActorOptions options);

}  // namespace spawned::detail
