// What is simulated.
#pragma once

#include <functional>

#include <spawned/runtime/task.hpp>

namespace spawned::simulation {

/// Makes the task that is simulated; called once for each run.
using Program = std::function<Task<void>()>;

}  // namespace spawned::simulation
