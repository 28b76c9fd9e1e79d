// expect: error:.*the_state_of_a_state_machine_must_be_copyable_and_have_an_equality_operator<Open>
// States that cannot be told apart.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Open {
  int guests = 0;
};
struct Push {};

class Door : public sp::StateMachine<Door, Open> {
 public:
  Door() : StateMachine(Open()) {}
  void handle_message(Push, Open) {}
};

void demo(sp::ActorRef<Door> door) { door.send<Push>(); }
sp::ActorRef<Door> start() { return Door().start(); }
