// expect: error:.*actor_has_no_handle_message_for_this_message<Quiet, Said>
// A conversion to a protocol from an actor that lacks a handler.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Joined {};
struct Said {};

class Quiet : public sp::Actor<Quiet> {
 public:
  void handle_message(Joined) {}
};

sp::Protocol<Joined, Said> convert(sp::ActorRef<Quiet> quiet) { return quiet; }
