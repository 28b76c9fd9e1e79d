// One text, two flavours: behaviour.cpp is compiled once with each of these definitions.
#pragma once

#include <memory>
#include <utility>

#if SPAWNED_TEST_THREADS
#include <spawned/threads.hpp>
namespace sp = spawned::threads;
#define TASK(...) __VA_ARGS__
#define AWAIT
#define RETURN return
inline constexpr bool in_threads = true;
#else
#include <spawned/tasks.hpp>
namespace sp = spawned::tasks;
#define TASK(...) sp::Task<__VA_ARGS__>
#define AWAIT co_await
#define RETURN co_return
inline constexpr bool in_threads = false;
#endif

namespace test {

/// Runs `body` under a clock that jumps to the next timer whenever everybody waits.
template <typename Body>
void under_virtual_time(Body&& body) {
  sp::RuntimeOptions options;
  options.clock = std::make_shared<sp::ManualClock>(sp::ManualClock::Mode::auto_advance);
  sp::run(std::forward<Body>(body), std::move(options));
}

}  // namespace test
