// expect: error:.*actor_has_no_handle_message_for_this_message<NameServer, Forget>
// A timer for a message that the actor has no handler for.
#include <chrono>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Find {};
struct Forget {};

class NameServer : public sp::Actor<NameServer> {
 public:
  void handle_message(Find) {}
};

void demo(sp::ActorRef<NameServer> server) {
  (void)sp::send_after<Forget>(std::chrono::seconds(1), server);
}
