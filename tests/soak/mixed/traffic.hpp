// Who talks to the servers of the soak: tasks that come and go, and plain threads.
#pragma once

#include <cstdint>
#include <deque>

#include <spawned/tasks.hpp>

#include "server.hpp"

namespace soak {

/// The timers somebody has set. Each is cancelled in the end, and what that says is entered.
class Timers {
 public:
  explicit Timers(World& world) noexcept : world_(&world) {}
  Timers(Timers const&) = delete;
  Timers& operator=(Timers const&) = delete;
  ~Timers();
  void set(sp::ActorRef<Server> const& server, stress::Random& random);

 private:
  void settle_oldest();
  World* world_;
  std::deque<sp::TimerHandle> timers_;
  std::deque<sp::TimerHandle> intervals_;
};

/// Keeps one place of the board taken: starts an actor anew when it has ended.
sp::Task<void> owner(World& world, sp::Runtime& runtime, std::size_t place, stress::Random random);

/// Keeps some clients at work, and cancels some of them.
sp::Task<void> boss(World& world, stress::Random random);

/// The work of a plain thread, until the period closes.
void outsider(World& world, stress::Random random);

}  // namespace soak
