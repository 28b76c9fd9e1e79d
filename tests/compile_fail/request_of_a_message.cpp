// expect: error:.*actor_has_only_handle_message_for_this_message__use_send<NameServer, Forget>
// A request where the actor has only a handle_message.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Forget {};

class NameServer : public sp::Actor<NameServer> {
 public:
  void handle_message(Forget) {}
};

sp::Task<void> demo(sp::ActorRef<NameServer> server) {
  auto reply = co_await server.request<Forget>();
  (void)reply;
}
