// Compiled as if it were a source of the runtime, which must not see the layer above.
#include <spawned/actors/actor.hpp>
