// How this flavour waits for ctrl-c: a task awaits it.
#pragma once

#include <spawned/tasks.hpp>

/// Sends the actor an M at the next SIGINT.
template <typename M, typename A>
void send_on_ctrl_c(spawned::tasks::ActorRef<A> const& ref) {
  spawned::tasks::send_message_on<M>(ref, spawned::tasks::ctrl_c());
}
