// expect: error:.*protocol_takes_this_as_a_message__use_send<spawned::Protocol<Joined>, Joined>
// A request of what the protocol has as a message.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Joined {};

void tell(sp::Recipient<Joined> const& somebody) {
  auto pending = somebody.start_request<Joined>();
  (void)pending;
}
