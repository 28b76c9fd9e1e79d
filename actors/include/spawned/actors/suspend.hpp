// suspend, resume: an actor that takes no mail for a while.
#pragma once

#include <spawned/actors/actor_ref.hpp>

namespace spawned {

/// Makes the actor take no further mail until resume(). A handler in work ends first, an init too.
/// Mail gathers meanwhile, within the limits of the mailbox; requests wait out their time limits,
/// and stop() waits in its place. Exit signals and the end of the runtime act as ever and end the
/// suspension. Suspending twice is suspending once.
///
/// False: too late, the actor has ended, is killed or its runtime ends.
///
/// Errors    std::bad_alloc; the actor is not suspended then.
/// Ordering  nothing that the caller sends afterwards is handled before a resume(); what it sent
///           before may be, or not. Urgent messages may overtake the suspension.
/// Threads   any. In a handler of the actor itself: takes effect when that is done.
/// Cost      one pooled block and a send; nothing for actors that are never suspended.
/// Source    sys:suspend/1.
/// Example   tests/actors/suspend_test.cpp
template <typename A>
bool suspend(ActorRef<A> const& ref) {
  return ref.cell().suspend();
}

/// Ends what suspend() began: the actor takes up its mail, oldest first. False: it was not
/// suspended, or has ended. Any thread. sys:resume/1.
template <typename A>
bool resume(ActorRef<A> const& ref) noexcept {
  return ref.cell().take_up();
}

}  // namespace spawned
