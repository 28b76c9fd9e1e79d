// threads::send_message_on, threads::spawn_listener: events and streams as messages, from calls
// that block.
#pragma once

#include <utility>

#include <spawned/actors/listeners.hpp>
#include <spawned/actors/threads/actor_ref.hpp>

namespace spawned::threads {

/// Calls `function()`, which may block, on another thread, and then sends the actor `M(args...)`,
/// or, without arguments, M made of what it returned. As spawned::send_message_on_blocking. Example
/// tests/actors/threads_listeners_test.cpp
template <typename M, typename A, typename Function, typename... Args>
ListenerHandle send_message_on(ActorRef<A> const& ref, Function&& function, Args&&... args) {
  return send_message_on_blocking<M>(static_cast<spawned::ActorRef<A> const&>(ref),
                                     std::forward<Function>(function), std::forward<Args>(args)...);
}

/// Goes through `range` on another thread and sends the actor each item, or what `map` makes of it.
/// As spawned::spawn_listener_blocking.
template <typename A, typename Range, typename Map = detail::SameItem>
ListenerHandle spawn_listener(ActorRef<A> const& ref, Range&& range, Map map = {}) {
  return spawn_listener_blocking(static_cast<spawned::ActorRef<A> const&>(ref),
                                 std::forward<Range>(range), std::move(map));
}

}  // namespace spawned::threads
