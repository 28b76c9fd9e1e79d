// expect: error:.*actor_has_no_handle_message_for_this_message<Door, Timeout>
// A timeout that the machine has no handler for.
#include <chrono>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

enum class State { open, closed };
struct Timeout {};
struct Push {};

class Door : public sp::StateMachine<Door, State> {
 public:
  Door() : StateMachine(State::open) {}
  void handle_message(Push, State) { set_state_timeout<Timeout>(std::chrono::seconds(1)); }
};

void demo(sp::ActorRef<Door> door) { door.send<Push>(); }
