// expect: error:.*actor_has_no_handle_request_for_this_message<NameServer, Forget>
// request_blocking of what the actor has no handler for.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Find {};
struct Forget {};

class NameServer : public sp::Actor<NameServer> {
 public:
  int handle_request(Find) { return 1; }
};

void demo(sp::ActorRef<NameServer> server) { (void)server.request_blocking<Forget>(); }
