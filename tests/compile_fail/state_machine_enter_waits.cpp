// expect: error:.*enter_of_a_state_machine_must_return_void__it_cannot_wait<Door,
// spawned::Task<(void)?> A state that is entered by a coroutine.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

enum class State { open, closed };
struct Push {};

class Door : public sp::StateMachine<Door, State> {
 public:
  Door() : StateMachine(State::open) {}
  sp::Task<void> enter(State, State) { co_return; }
  void handle_message(Push, State) {}
};

void demo() { Door().start(); }
