// expect: error:.*spawn_listener_needs_a_sequence\w*<std::.*vector<int
// A vector is no sequence to await.
#include <vector>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

class Server : public sp::Actor<Server> {
 public:
  void handle_message(int) {}
};

void demo(sp::ActorRef<Server> server) {
  std::vector<int> numbers{1, 2, 3};
  (void)sp::spawn_listener(server, numbers);
}
