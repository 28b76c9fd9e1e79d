// AsyncSequence: what yields values over time, one per await.
#pragma once

#include <optional>
#include <utility>

namespace spawned {

namespace detail {

template <typename Awaitable>
decltype(auto) awaiter_of(Awaitable&& awaitable) {
  if constexpr (requires { std::forward<Awaitable>(awaitable).operator co_await(); }) {
    return std::forward<Awaitable>(awaitable).operator co_await();
  } else {
    return std::forward<Awaitable>(awaitable);
  }
}

template <typename T>
inline constexpr bool is_optional = false;
template <typename T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// What `co_await awaitable` yields.
template <typename Awaitable>
using awaited = decltype(awaiter_of(std::declval<Awaitable>()).await_resume());

}  // namespace detail

/// `co_await sequence.next()` yields a `std::optional<T>`: the next value, or nullopt when the
/// sequence is over, and from then on always. In a cancelled task it throws Cancelled instead of
/// waiting, and loses nothing.
///
/// Example   while (auto value = co_await sequence.next()) use(*value);
template <typename S>
concept AsyncSequence = requires(S& sequence) {
  sequence.next();
  requires detail::is_optional<detail::awaited<decltype(sequence.next())>>;
};

}  // namespace spawned
