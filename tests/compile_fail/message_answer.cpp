// expect: handle_message_must_return_void_or_MessageResponse<.*Speaker.*Hello.*int
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

class Speaker : public sp::Actor<Speaker> {
 public:
  struct Hello {};
  int handle_message(Hello /*hello*/) { return 1; }
};

void say(sp::ActorRef<Speaker> const& speaker) { speaker.send<Speaker::Hello>(); }
