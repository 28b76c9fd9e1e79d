// expect: error:.*a_state_machine_does_not_continue_with__use_next_event<Door>
// A machine that inserts an event the way of other actors.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

enum class State { open, closed };
struct Push {};

class Door : public sp::StateMachine<Door, State> {
 public:
  Door() : StateMachine(State::open) {}
  void handle_message(Push, State, sp::Context<Door>& context) { context.continue_with<Push>(); }
};

void demo(sp::ActorRef<Door> door) { door.send<Push>(); }
