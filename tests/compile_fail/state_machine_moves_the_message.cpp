// expect: error:.*a_state_machine_may_postpone_this_message__its_handler_must_take_an_lvalue<Door,
// Knock> A machine's handler that would leave nothing to postpone.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

enum class State { open, closed };
struct Knock {};

class Door : public sp::StateMachine<Door, State> {
 public:
  Door() : StateMachine(State::open) {}
  void handle_message(Knock&&, State) {}
};

void demo(sp::ActorRef<Door> door) { door.send<Knock>(); }
