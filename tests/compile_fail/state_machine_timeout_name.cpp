// expect: error:.*a_timeout_is_named_by_an_enumerator_or_an_integer<(char const|const char) ?\*>
// A timeout named by what can only be compared by its address.
#include <chrono>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

enum class State { open, closed };
struct Push {};

class Door : public sp::StateMachine<Door, State> {
 public:
  Door() : StateMachine(State::open) {}
  void handle_message(Push, State) { set_timeout<Push>("name", std::chrono::seconds(1)); }
};

void demo(sp::ActorRef<Door> door) { door.send<Push>(); }
