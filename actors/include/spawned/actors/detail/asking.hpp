// What all handles share: a message or request that is built, on its way.
#pragma once

#include <cstdint>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/error.hpp>
#include <spawned/actors/request.hpp>
#include <spawned/runtime/detail/pool.hpp>

namespace spawned {

/// What became of a send. A message to an actor that has ended is `ok` too: as in OTP, the sender
/// is not told.
enum class SendResult : std::uint8_t { ok };

namespace detail {

/// Sends `M(args...)` to an actor that handles it.
template <typename A, typename M, typename... Args>
SendResult post(CellBase& cell, Args&&... args) {
  auto* const envelope = pool_new<SendEnvelope<A, M>>(std::in_place, std::forward<Args>(args)...);
  if (!cell.push(*envelope)) (void)envelope->deliver(nullptr, *envelope, Operation::destroy);
  return SendResult::ok;
}

/// Sends a request and leaves the waiting for later.
template <typename R>
[[nodiscard]] PendingReply<R> ask(CellBase& cell, ReplyEnvelope<R>& request) {
  if (!cell.push(request)) {
    request.result.emplace(Unexpected(dead_actor_error(cell)));
    (void)request.slot.complete();
  }
  return PendingReply<R>(cell, request);
}

/// Sends a request and blocks the calling thread, which is no worker, until the reply.
template <typename R>
[[nodiscard]] Result<R, ActorError> ask_blocking(CellBase& cell, ReplyEnvelope<R>& request,
                                                 std::int64_t timeout_ns) {
  if (CellBase::running() == &cell) {
    request.destroy();
    return Unexpected(ActorError::Kind::deadlock);
  }
  ThreadWait wait;
  request.slot.start_waiting(wait);
  if (!cell.push(request)) {
    request.destroy();
    return Unexpected(dead_actor_error(cell));
  }
  if (!wait.block(request.slot, timeout_ns)) return Unexpected(ActorError::Kind::timeout);
  Result<R, ActorError> result = std::move(*request.result);
  request.destroy();
  return result;
}

}  // namespace detail
}  // namespace spawned
