// expect: error:.*actor_has_no_handle_message_for_this_message<Server, std::.*string
// The actor has no handler for the items of the sequence.
#include <optional>
#include <string>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

class Server : public sp::Actor<Server> {
 public:
  void handle_message(int) {}
};
class Lines {
 public:
  sp::Task<std::optional<std::string>> next() { co_return "line"; }
};

void demo(sp::ActorRef<Server> server) { (void)sp::spawn_listener(server, Lines()); }
