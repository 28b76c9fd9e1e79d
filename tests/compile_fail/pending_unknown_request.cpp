// expect: error:.*actor_has_no_handle_request_for_this_message<NameServer, Forget>
// start_request of what the actor has no handler for.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Find {};
struct Forget {};

class NameServer : public sp::Actor<NameServer> {
 public:
  int handle_request(Find) { return 1; }
};

void demo(sp::ActorRef<NameServer> server) { auto pending = server.start_request<Forget>(); }
