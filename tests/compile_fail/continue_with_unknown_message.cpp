// expect: error:.*actor_has_no_handle_message_for_this_message<Worker, Next>
// A continuation that the actor has no handler for.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Work {};
struct Next {};

class Worker : public sp::Actor<Worker> {
 public:
  void handle_message(Work, sp::Context<Worker>& context) { context.continue_with<Next>(); }
};

void demo(sp::ActorRef<Worker> worker) { worker.send<Work>(); }
