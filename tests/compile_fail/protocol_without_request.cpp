// expect: error:.*actor_has_no_handle_request_for_this_message<Quiet, Count>
// A conversion to a recipient of a request from an actor that lacks the handler.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Joined {};
struct Count {};

class Quiet : public sp::Actor<Quiet> {
 public:
  void handle_message(Joined) {}
};

sp::Recipient<int(Count)> convert(sp::ActorRef<Quiet> quiet) { return quiet; }
