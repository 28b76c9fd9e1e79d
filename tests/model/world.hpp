// What surrounds the sources under test in a model: the calls they make into the rest of the
// runtime, as hooks that a program of the model sets anew in each execution.
#pragma once

#include <functional>

#include <spawned/runtime/detail/scheduling.hpp>
#include <spawned/runtime/detail/timer.hpp>

namespace model_test {

struct World {
  std::function<void(spawned::detail::Runnable&)> schedule;
  std::function<void(spawned::detail::TimerEntry&)> arm;
  std::function<void(spawned::detail::TimerEntry&)> disarm;
  int looks_at_clock = 0;
};

inline World world;

}  // namespace model_test
