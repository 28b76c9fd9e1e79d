// expect: error:.*actor_that_monitors_needs_handle_message_of_this<Keeper, spawned::Down>
// A start with a monitor by an actor that could not be told.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Begin {};

class Peer : public sp::Actor<Peer> {
 public:
  void handle_message(Begin) {}
};

class Keeper : public sp::Actor<Keeper> {
 public:
  sp::Task<void> handle_message(Begin, sp::Context<Keeper>& context) {
    auto started = co_await context.start_monitored<Peer>();
    (void)started;
  }
};

void demo(sp::ActorRef<Keeper> keeper) { keeper.send<Begin>(); }
