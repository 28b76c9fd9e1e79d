// Recipient<M>: a handle that knows one message. A Protocol with a single entry.
#pragma once

#include <spawned/actors/protocol.hpp>
