// expect: error:.*protocol_does_not_take_this_message<spawned::Protocol<Joined>, Said>
// A send of a message that the protocol does not have.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Joined {};
struct Said {};

void tell(sp::Recipient<Joined> const& somebody) { somebody.send<Said>(); }
