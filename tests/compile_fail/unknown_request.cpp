// expect: error:.*actor_has_no_handle_request_for_this_message<NameServer, Forget>
// A request that the actor has no handler for.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Find {};
struct Forget {};

class NameServer : public sp::Actor<NameServer> {
 public:
  int handle_request(Find) { return 1; }
};

sp::Task<void> demo(sp::ActorRef<NameServer> server) {
  auto reply = co_await server.request<Forget>();
  (void)reply;
}
