// expect: error:.*a_state_machine_has_no_idle_timeout__use_set_event_timeout<Door>
// A machine that waits the way of other actors.
#include <chrono>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

enum class State { open, closed };
struct Push {};

class Door : public sp::StateMachine<Door, State> {
 public:
  Door() : StateMachine(State::open) {}
  void handle_message(Push, State, sp::Context<Door>& context) {
    context.set_idle_timeout<Push>(std::chrono::seconds(1));
  }
};

void demo(sp::ActorRef<Door> door) { door.send<Push>(); }
