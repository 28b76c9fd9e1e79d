// expect: error:.*actor_replies_to_this_message_with_another.*<Room, Count, long( int)?, int>
// A conversion to a protocol that promises another reply than the actor gives.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Count {};

class Room : public sp::Actor<Room> {
 public:
  int handle_request(Count) { return 1; }
};

sp::Protocol<long(Count)> convert(sp::ActorRef<Room> room) { return room; }
