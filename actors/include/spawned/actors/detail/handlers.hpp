// Which handlers an actor has, found at compile time, and the error messages for those it lacks.
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include <spawned/actors/exit_reason.hpp>
#include <spawned/actors/responses.hpp>
#include <spawned/runtime/moved.hpp>
#include <spawned/runtime/task.hpp>

namespace spawned {

template <typename A>
class Context;

namespace detail {

/// The context that the callbacks of A may ask for: each flavour has its own.
template <typename A>
using context_t = typename A::context_type;

/// A StateMachine: its handlers may take the state behind the message.
template <typename A>
concept is_state_machine = requires { typename A::machine_hooks; };

// How a handler gets its message. A machine may postpone and get it again: nothing is moved from.
template <typename A, typename M>
using handed_t = std::conditional_t<is_state_machine<A>, M&, M&&>;

// A handler takes the message (by value, const& or &&) and, optionally, the context.
template <typename A, typename M, typename Handed = handed_t<A, M>>
concept plain_request_handler =
    requires(A& actor, M& message) { actor.handle_request(static_cast<Handed>(message)); };
template <typename A, typename M, typename Handed = handed_t<A, M>>
concept context_request_handler = requires(A& actor, M& message, context_t<A>& context) {
  actor.handle_request(static_cast<Handed>(message), context);
};
template <typename A, typename M, typename Handed = handed_t<A, M>>
concept plain_message_handler =
    requires(A& actor, M& message) { actor.handle_message(static_cast<Handed>(message)); };
template <typename A, typename M, typename Handed = handed_t<A, M>>
concept context_message_handler = requires(A& actor, M& message, context_t<A>& context) {
  actor.handle_message(static_cast<Handed>(message), context);
};

template <typename A, typename M, typename Handed = handed_t<A, M>>
concept state_request_handler =
    is_state_machine<A> && requires(A& actor, M& message, typename A::state_type const& state) {
      actor.handle_request(static_cast<Handed>(message), state);
    };
template <typename A, typename M, typename Handed = handed_t<A, M>>
concept state_context_request_handler =
    is_state_machine<A> &&
    requires(A& actor, M& message, typename A::state_type const& state, context_t<A>& context) {
      actor.handle_request(static_cast<Handed>(message), state, context);
    };
template <typename A, typename M, typename Handed = handed_t<A, M>>
concept state_message_handler =
    is_state_machine<A> && requires(A& actor, M& message, typename A::state_type const& state) {
      actor.handle_message(static_cast<Handed>(message), state);
    };
template <typename A, typename M, typename Handed = handed_t<A, M>>
concept state_context_message_handler =
    is_state_machine<A> &&
    requires(A& actor, M& message, typename A::state_type const& state, context_t<A>& context) {
      actor.handle_message(static_cast<Handed>(message), state, context);
    };

template <typename A, typename M, typename Handed = handed_t<A, M>>
concept direct_request =
    plain_request_handler<A, M, Handed> || context_request_handler<A, M, Handed> ||
    state_request_handler<A, M, Handed> || state_context_request_handler<A, M, Handed>;
template <typename A, typename M, typename Handed = handed_t<A, M>>
concept direct_message =
    plain_message_handler<A, M, Handed> || context_message_handler<A, M, Handed> ||
    state_message_handler<A, M, Handed> || state_context_message_handler<A, M, Handed>;

// A variant is dispatched over the handlers of its alternatives.
template <typename A, typename M>
inline constexpr bool variant_of_requests = false;
template <typename A, typename... Ms>
inline constexpr bool variant_of_requests<A, std::variant<Ms...>> = (direct_request<A, Ms> && ...);
template <typename A, typename M>
inline constexpr bool variant_of_messages = false;
template <typename A, typename... Ms>
inline constexpr bool variant_of_messages<A, std::variant<Ms...>> = (direct_message<A, Ms> && ...);

/// The actor has a handle_request for M.
template <typename A, typename M>
concept handles_request = direct_request<A, M> || variant_of_requests<A, M>;
/// The actor has a handle_message for M.
template <typename A, typename M>
concept handles_message = direct_message<A, M> || variant_of_messages<A, M>;

template <typename A, typename M>
  requires direct_request<A, M>
decltype(auto) call_request(A& actor, M& message, context_t<A>& context) {
  using Handed = handed_t<A, M>;
  if constexpr (state_context_request_handler<A, M>) {
    return actor.handle_request(static_cast<Handed>(message), actor.state(), context);
  } else if constexpr (state_request_handler<A, M>) {
    return actor.handle_request(static_cast<Handed>(message), actor.state());
  } else if constexpr (context_request_handler<A, M>) {
    return actor.handle_request(static_cast<Handed>(message), context);
  } else {
    return actor.handle_request(static_cast<Handed>(message));
  }
}

template <typename A, typename M>
  requires direct_message<A, M>
decltype(auto) call_message(A& actor, M& message, context_t<A>& context) {
  using Handed = handed_t<A, M>;
  if constexpr (state_context_message_handler<A, M>) {
    return actor.handle_message(static_cast<Handed>(message), actor.state(), context);
  } else if constexpr (state_message_handler<A, M>) {
    return actor.handle_message(static_cast<Handed>(message), actor.state());
  } else if constexpr (context_message_handler<A, M>) {
    return actor.handle_message(static_cast<Handed>(message), context);
  } else {
    return actor.handle_message(static_cast<Handed>(message));
  }
}

template <typename T>
inline constexpr bool is_request_response = false;
template <typename R>
inline constexpr bool is_request_response<RequestResponse<R>> = true;

// What a handler's result means for the caller: Task<X> -> X, RequestResponse<R> -> R.
template <typename H>
struct handler_result {
  using type = std::remove_cvref_t<H>;
};
template <typename R>
struct handler_result<RequestResponse<R>> {
  using type = R;
};
template <typename X>
struct handler_result<Task<X>> {
  using type = typename handler_result<X>::type;
};

template <typename A, typename M>
struct direct_reply {
  using result = std::remove_cvref_t<decltype(call_request(std::declval<A&>(), std::declval<M&>(),
                                                           std::declval<context_t<A>&>()))>;
  using type = typename handler_result<result>::type;
};

// The handler can await, and so hand the deadline of its request on.
template <typename A, typename M>
inline constexpr bool awaits_in_request = false;
template <typename A, typename M>
  requires direct_request<A, M>
inline constexpr bool awaits_in_request<A, M> = is_task<typename direct_reply<A, M>::result>;
template <typename A, typename... Ms>
  requires(!direct_request<A, std::variant<Ms...>> && variant_of_requests<A, std::variant<Ms...>>)
inline constexpr bool awaits_in_request<A, std::variant<Ms...>> = (awaits_in_request<A, Ms> || ...);

template <typename T, typename... Ts>
inline constexpr bool is_one_of = (std::is_same_v<T, Ts> || ...);

// The distinct types of a list, as a variant; one type alone stays itself.
template <typename Found, typename... Rest>
struct distinct;
template <typename... Found>
struct distinct<std::variant<Found...>> {
  using type = std::variant<Found...>;
};
template <typename Only>
struct distinct<std::variant<Only>> {
  using type = Only;
};
template <typename... Found, typename Next, typename... Rest>
struct distinct<std::variant<Found...>, Next, Rest...> {
  using type = typename std::conditional_t<is_one_of<Next, Found...>,
                                           distinct<std::variant<Found...>, Rest...>,
                                           distinct<std::variant<Found..., Next>, Rest...>>::type;
};
template <typename T>
using void_to_monostate = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <typename A, typename M>
struct reply_of : direct_reply<A, M> {};
template <typename A, typename... Ms>
  requires(!direct_request<A, std::variant<Ms...>>)
struct reply_of<A, std::variant<Ms...>> {
  static constexpr bool all_void = (std::is_void_v<typename direct_reply<A, Ms>::type> && ...);
  using type = typename std::conditional_t<
      all_void, direct_reply<A, std::variant_alternative_t<0, std::variant<Ms...>>>,
      distinct<std::variant<>, void_to_monostate<typename direct_reply<A, Ms>::type>...>>::type;
};

/// What a request of type M to actor A is answered with.
template <typename A, typename M>
using reply_t = typename reply_of<A, M>::type;

// Never defined: their names are the error messages. A compiler's first `error:` line names the
// incomplete type with its arguments, and does not show the text of a static_assert.
template <typename Actor, typename Message>
struct actor_has_no_handle_request_for_this_message;
template <typename Actor, typename Message>
struct actor_has_only_handle_message_for_this_message__use_send;
template <typename Actor, typename Message>
struct actor_has_no_handle_message_for_this_message;
template <typename Actor, typename Message>
struct actor_has_only_handle_request_for_this_message__use_request;

template <typename Machine, typename Message>
struct a_state_machine_may_postpone_this_message__its_handler_must_take_an_lvalue;

template <typename Actor, typename Message, typename Returned>
struct handle_message_must_return_void_or_MessageResponse;

/// Stops the compilation, naming actor and message in the first line, unless A handles M so. The
/// deduced return type makes g++ look into the body at once, before it complains of anything else.
template <typename A, typename M>
constexpr auto require_request_handler() {
  if constexpr (!handles_request<A, M>) {
    if constexpr (handles_message<A, M>) {
      (void)sizeof(actor_has_only_handle_message_for_this_message__use_send<A, M>);
    } else if constexpr (direct_request<A, M, M&&>) {
      (void)sizeof(
          a_state_machine_may_postpone_this_message__its_handler_must_take_an_lvalue<A, M>);
    } else {
      (void)sizeof(actor_has_no_handle_request_for_this_message<A, M>);
    }
  }
}
template <typename A, typename M>
constexpr auto require_message_handler() {
  if constexpr (!handles_message<A, M>) {
    if constexpr (handles_request<A, M>) {
      (void)sizeof(actor_has_only_handle_request_for_this_message__use_request<A, M>);
    } else if constexpr (direct_message<A, M, M&&>) {
      (void)sizeof(
          a_state_machine_may_postpone_this_message__its_handler_must_take_an_lvalue<A, M>);
    } else {
      (void)sizeof(actor_has_no_handle_message_for_this_message<A, M>);
    }
  }
}

/// Builds M in place, with parentheses where they will do: braces would narrow and prefer
/// initializer lists.
template <typename M, typename... Args>
void construct_message(M* place, Args&&... args) {
  if constexpr (std::is_constructible_v<M, Args&&...>) {
    ::new (static_cast<void*>(place)) M(std::forward<Args>(args)...);
  } else {
    ::new (static_cast<void*>(place)) M{std::forward<Args>(args)...};
  }
}

}  // namespace detail
}  // namespace spawned
