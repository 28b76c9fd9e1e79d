// expect: error:.*protocol_takes_this_as_a_request__use_request<.*<int ?\(Count\)>, Count>
// A send of what the protocol has as a request.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Count {};

void tell(sp::Recipient<int(Count)> const& somebody) { somebody.send<Count>(); }
