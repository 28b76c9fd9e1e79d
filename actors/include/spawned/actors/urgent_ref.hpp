// UrgentRef<A>: the right to send an actor messages that overtake its ordinary mail.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <utility>

#include <spawned/actors/actor_ref.hpp>

namespace spawned {

/// An actor without ActorOptions::urgent_messages was asked for an urgent ref.
class UrgentMessagesOff : public std::logic_error {
 public:
  explicit UrgentMessagesOff(detail::CellBase const& cell);
};

namespace detail {

/// The present generation of the actor's urgent refs. Errors: UrgentMessagesOff.
[[nodiscard]] std::uint64_t urgent_generation(CellBase& cell);
/// Errors: UrgentMessagesOff.
void revoke_urgent(CellBase& cell);

}  // namespace detail

/// Made by the actor itself, by Context::urgent_ref(), and handed out to whom it trusts; it may
/// travel in messages. Who has only an ActorRef sends ordinary messages.
///
/// Ordering   urgent messages overtake all ordinary mail that is unread, stops included, and stay
/// in
///            the order sent among themselves. They do not overtake exit signals. After
///            ActorOptions::urgent_burst of them in a row one piece of ordinary mail has its turn.
/// Capacity   in a bounded mailbox they count like all others, and its policy is theirs; `wait`
/// does
///            not apply: a send answers `full`.
/// Threads    as ActorRef.
/// Cost       an actor that takes urgent messages pays a lock for each piece of mail, twice.
/// Source     OTP 28's priority messages (EEP 76).
/// Example    tests/actors/urgent_test.cpp
template <typename A>
class UrgentRef {
 public:
  using actor_type = A;

  /// As ActorRef::send(). `dropped` when the actor has revoked its urgent refs.
  template <typename M, typename... Args>
  SendResult send(Args&&... args) const {
    return post<M>(std::forward<Args>(args)...);
  }
  template <typename Message>
  SendResult send(Message&& message) const {
    return post<detail::message_type<Message>>(std::forward<Message>(message));
  }

  /// The ordinary ref, which is not revoked.
  [[nodiscard]] ActorRef<A> const& plain() const noexcept { return ref_; }

  /// For the library.
  UrgentRef(ActorRef<A> ref, std::uint64_t generation) noexcept
      : ref_(std::move(ref)), generation_(generation) {}

 private:
  template <typename M, typename... Args>
  SendResult post(Args&&... args) const {
    detail::require_message_handler<A, M>();
    if constexpr (detail::handles_message<A, M>) {
      (detail::reject_dangerous_temporary<Args>(), ...);
      detail::CellBase& cell = ref_.cell();
      auto* const envelope = detail::pool_new<detail::SendEnvelope<A, M>>(
          std::in_place, detail::forward_moved<Args>(args)...);
      detail::Pushed const how =
          cell.push_queued(*envelope, detail::MailKind::urgent, false, generation_);
      if (how != detail::Pushed::accepted) {
        return detail::refuse_message(cell, *envelope, how, detail::dead_letter_name<M>());
      }
    }
    return SendResult::ok;
  }

  ActorRef<A> ref_;
  std::uint64_t generation_;
};

template <typename A>
UrgentRef<A> Context<A>::urgent_ref() const {
  return UrgentRef<A>(self(), detail::urgent_generation(*cell_));
}
template <typename A>
void Context<A>::revoke_urgent() const {
  detail::revoke_urgent(*cell_);
}

}  // namespace spawned
