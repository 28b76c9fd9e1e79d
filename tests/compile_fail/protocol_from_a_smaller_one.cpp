// expect: error:.*protocol_does_not_have_this_entry.*<spawned::Protocol<Joined>, Said>
// A conversion from a protocol that lacks an entry.
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

struct Joined {};
struct Said {};

sp::Protocol<Joined, Said> convert(sp::Recipient<Joined> const& one) { return one; }
