// What all handles share: a message or request that is built, on its way.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/cycles.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/error.hpp>
#include <spawned/actors/request.hpp>
#include <spawned/runtime/detail/pool.hpp>

namespace spawned {

/// What became of a send. A message to an actor that has ended is `ok` too: as in OTP, the sender
/// is not told (it is a dead letter).
enum class SendResult : std::uint8_t {
  ok,
  full,     ///< the bounded mailbox has no room: nothing was sent
  dropped,  ///< the same, and the message has become a dead letter
};

namespace detail {

/// Ends what push_mail() did not accept. `message`: see dead_letter_name().
[[nodiscard]] SendResult refuse_message(CellBase& cell, Envelope& envelope, Pushed how,
                                        std::string_view message) noexcept;

/// Sends `M(args...)` to an actor that handles it.
template <typename A, typename M, typename... Args>
SendResult post(CellBase& cell, Args&&... args) {
  auto* const envelope = pool_new<SendEnvelope<A, M>>(std::in_place, std::forward<Args>(args)...);
  Pushed const how = cell.push_mail(*envelope);
  if (how == Pushed::accepted) [[likely]]
    return SendResult::ok;
  return refuse_message(cell, *envelope, how, dead_letter_name<M>());
}

/// Sends a request and leaves the waiting for later, that for room excepted.
template <typename R>
[[nodiscard]] PendingReply<R> ask(CellBase& cell, ReplyEnvelope<R>& request) {
  if (CellBase const* const caller = CellBase::running())
    request.deadline_ns = caller->deadline_ns();
  if (Pushed const how = cell.push_mail(request); how != Pushed::accepted) {
    request.result.emplace(Unexpected(refused_error(cell, how)));
    (void)request.slot.complete();
  }
  return PendingReply<R>(cell, request);
}

/// Sends a request and blocks the calling thread, which is no worker, until the reply.
template <typename R>
[[nodiscard]] Result<R, ActorError> ask_blocking(CellBase& cell, ReplyEnvelope<R>& request,
                                                 std::int64_t timeout_ns) {
  ThreadWait wait;
  WaitEdge* edge = nullptr;
  CellBase* const caller = CellBase::running();
  if (caller != nullptr) {
    if (caller == &cell) {
      request.destroy();
      return Unexpected(ActorError::Kind::deadlock);
    }
    timeout_ns = caller->limit_by_deadline(timeout_ns);
    edge = WaitEdge::enter(*caller, cell, wait);
  }
  EdgeGuard const left_at_the_end(edge);
  if (edge != nullptr && edge->closes_cycle()) {
    request.destroy();
    return Unexpected(edge->error());
  }
  stamp_deadline(request, timeout_ns);
  request.slot.start_waiting(wait);
  RoomWait* line = nullptr;
  Pushed how = cell.push_mail(request);
  if (how == Pushed::no_room) how = stand_in_line(cell, request, line);
  if (how != Pushed::accepted && line == nullptr) {
    request.destroy();
    return Unexpected(refused_error(cell, how));
  }
  if (caller != nullptr) tell_blocking(*caller, static_cast<ExecutionContext*>(&cell), request);
  bool const answered = wait.block(request.slot, timeout_ns);
  bool const refused = line != nullptr && leave_line(cell, *line);
  if (!answered) {
    if (refused) request.destroy();
    return Unexpected(ActorError::Kind::timeout);
  }
  Result<R, ActorError> result = std::move(*request.result);
  request.destroy();
  return result;
}

}  // namespace detail
}  // namespace spawned
