// Context::continue_with: a message to oneself that comes before the mail.
#pragma once

#include <utility>

#include <spawned/actors/context.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/detail/handlers.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/moved.hpp>

namespace spawned {

namespace detail {
// Never defined: their names are the error messages.
template <typename Machine>
struct a_state_machine_does_not_continue_with__use_next_event;
}  // namespace detail

template <typename A>
template <typename M, typename... Args>
void Context<A>::continue_with(Args&&... args) {
  if constexpr (detail::is_state_machine<A>) {
    (void)sizeof(detail::a_state_machine_does_not_continue_with__use_next_event<A>);
  }
  detail::require_message_handler<A, M>();
  if constexpr (detail::handles_message<A, M>) {
    (detail::reject_dangerous_temporary<Args>(), ...);
    using Message = detail::SendEnvelope<A, M>;
    cell_->continue_with(*detail::pool_new<Message>(typename Message::Continuation(),
                                                    detail::forward_moved<Args>(args)...));
  }
}

}  // namespace spawned
