// Everything the library offers.
#pragma once

#include <spawned/registry/groups.hpp>
#include <spawned/registry/registry.hpp>
#include <spawned/registry/topics.hpp>
#include <spawned/tasks.hpp>
#include <spawned/threads.hpp>
