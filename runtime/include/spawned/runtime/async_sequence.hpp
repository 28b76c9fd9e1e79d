// AsyncSequence: what channels, signals and other sources of values over time have in common.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

namespace spawned {

namespace detail {

template <typename Awaitable>
decltype(auto) awaiter_of(Awaitable&& awaitable) {
  if constexpr (requires { std::forward<Awaitable>(awaitable).operator co_await(); }) {
    return std::forward<Awaitable>(awaitable).operator co_await();
  } else if constexpr (requires { operator co_await(std::forward<Awaitable>(awaitable)); }) {
    return operator co_await(std::forward<Awaitable>(awaitable));
  } else {
    return std::forward<Awaitable>(awaitable);
  }
}

/// What `co_await` of an Awaitable yields.
template <typename Awaitable>
using await_result =
    std::remove_cvref_t<decltype(awaiter_of(std::declval<Awaitable>()).await_resume())>;

template <typename T>
inline constexpr bool is_optional = false;
template <typename T>
inline constexpr bool is_optional<std::optional<T>> = true;

}  // namespace detail

/// A source of values over time: `co_await sequence.next()` yields a std::optional, the next value
/// or, at the end, nothing. A model of it
///
/// - throws Cancelled when the awaiting task is cancelled, and loses nothing by that;
/// - yields nothing again when it is asked again after its end;
/// - serves one awaiting task at a time.
///
/// Example   `while (auto value = co_await sequence.next()) use(*value);`
template <typename S>
concept AsyncSequence = requires(S& sequence) {
  requires detail::is_optional<detail::await_result<decltype(sequence.next())>>;
};

/// The type of a sequence's values.
template <AsyncSequence S>
using sequence_value_t =
    typename detail::await_result<decltype(std::declval<S&>().next())>::value_type;

}  // namespace spawned
