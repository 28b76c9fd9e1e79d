// expect: error:.*send_message_on_needs_something_to_await__or_a_callable_that_returns_it<int>
// An int is no event.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Shutdown {};

class Server : public sp::Actor<Server> {
 public:
  void handle_message(Shutdown) {}
};

void demo(sp::ActorRef<Server> server) { (void)sp::send_message_on<Shutdown>(server, 7); }
