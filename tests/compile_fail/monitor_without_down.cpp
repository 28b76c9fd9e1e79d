// expect: error:.*actor_that_monitors_needs_handle_message_of_this<Keeper, spawned::Down>
// A monitor by an actor that could not be told.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Watch {};

class Peer : public sp::Actor<Peer> {
 public:
  void handle_message(Watch) {}
};

class Keeper : public sp::Actor<Keeper> {
 public:
  explicit Keeper(sp::ActorRef<Peer> peer) : peer_(peer) {}
  void handle_message(Watch, sp::Context<Keeper>& context) { (void)context.monitor(peer_); }

 private:
  sp::ActorRef<Peer> peer_;
};

void demo(sp::ActorRef<Keeper> keeper) { keeper.send<Watch>(); }
