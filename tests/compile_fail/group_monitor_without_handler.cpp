// expect: error:.*actor_that_monitors_groups_needs_handle_message_of_GroupEvent<Worker>
// An actor that cannot be told of a group.
#include <spawned/registry/groups.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

class Worker : public sp::Actor<Worker> {};

void watch(sp::groups::Group<Worker> const& group, sp::ActorRef<Worker> const& worker) {
  (void)sp::groups::monitor(group, worker);
}
