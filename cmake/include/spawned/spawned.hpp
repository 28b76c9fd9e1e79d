// Everything the library offers.
#pragma once

#include <spawned/registry/registry.hpp>
#include <spawned/tasks.hpp>
#include <spawned/threads.hpp>
