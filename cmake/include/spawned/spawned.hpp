// Everything the library offers.
#pragma once

#include <spawned/tasks.hpp>
#include <spawned/threads.hpp>
