// How this flavour waits for ctrl-c: a thread blocks until it comes.
#pragma once

#include <spawned/threads.hpp>

/// Sends the actor an M at the next SIGINT. The subscription begins here, not with the waiting.
template <typename M, typename A>
void send_on_ctrl_c(spawned::threads::ActorRef<A> const& ref) {
  auto wait = [signal = spawned::ctrl_c()]() mutable { signal.wait_blocking(); };
  spawned::threads::send_message_on_blocking<M>(ref, spawned::threads::moved(wait));
}
