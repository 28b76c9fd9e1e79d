// expect: error:.*actor_has_only_handle_request_for_this_message__use_request<NameServer, Find>
// A send where the actor has only a handle_request.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Find {};

class NameServer : public sp::Actor<NameServer> {
 public:
  int handle_request(Find) { return 1; }
};

void demo(sp::ActorRef<NameServer> server) { server.send(Find()); }
