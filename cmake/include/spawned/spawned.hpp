// Everything the library offers.
#pragma once

#include <spawned/tasks.hpp>
