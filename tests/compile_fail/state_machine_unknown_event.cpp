// expect: error:.*actor_has_no_handle_message_for_this_message<Door, Knock>
// An event that no state of a machine handles.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

enum class State { open, closed };
struct Knock {};
struct Push {};

class Door : public sp::StateMachine<Door, State> {
 public:
  Door() : StateMachine(State::open) {}
  void handle_message(Push, State) {}
};

void demo(sp::ActorRef<Door> door) { door.send<Knock>(); }
