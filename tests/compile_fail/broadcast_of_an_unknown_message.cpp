// expect: error:.*actor_has_no_handle_message_for_this_message<Worker, Said>
// A broadcast of a message that the members of the group do not handle.
#include <spawned/registry/groups.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Joined {};
struct Said {};

class Worker : public sp::Actor<Worker> {
 public:
  void handle_message(Joined) {}
};

void tell(sp::groups::Group<Worker> const& group) { sp::groups::broadcast<Said>(group); }
