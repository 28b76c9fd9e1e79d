// expect: error:.*actor_has_no_handle_message_for_this_message<NameServer, Forget>
// A message that the actor has no handler for.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Find {};
struct Forget {};

class NameServer : public sp::Actor<NameServer> {
 public:
  void handle_message(Find) {}
};

void demo(sp::ActorRef<NameServer> server) { server.send<Forget>(); }
