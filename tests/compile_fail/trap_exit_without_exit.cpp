// expect: error:.*actor_that_traps_exits_needs_handle_message_of_Exit<Keeper>
// An actor that traps exits and has no handler for them.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Begin {};

class Keeper : public sp::Actor<Keeper> {
 public:
  void handle_message(Begin, sp::Context<Keeper>& context) { (void)context.trap_exit(true); }
};

void demo(sp::ActorRef<Keeper> keeper) { keeper.send<Begin>(); }
