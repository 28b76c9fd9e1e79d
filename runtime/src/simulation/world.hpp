// World: the hosts of a run, their network and disks, and what is under way between them.
//
// All that takes time is an event: a function to be called at a moment of virtual time. One unit of
// work, the pump, carries out those that are due, in the order of (moment, birth); one timer runs
// it. So the network delivers at a step of its own, and which unit runs before that is a choice.
//
// One thread at a time is in here: the one that has the baton.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <spawned/runtime/detail/simulated.hpp>
#include <spawned/runtime/detail/timer.hpp>
#include <spawned/runtime/io/detail/operation.hpp>
#include <spawned/runtime/io/disk.hpp>
#include <spawned/runtime/io/network.hpp>
#include <spawned/runtime/simulation/network.hpp>

namespace spawned::simulation {

class SimulatedNetwork;
class SimulatedDisk;
struct Wires;
struct Drive;

/// What a machine is. Its network and disk are replaced when it crashes; what is on the drive
/// stays.
struct Machine {
  std::string name;
  std::shared_ptr<SimulatedNetwork> network;
  std::shared_ptr<SimulatedDisk> disk;
  std::shared_ptr<Drive> drive;
};

class World final : public std::enable_shared_from_this<World> {
 public:
  explicit World(detail::Simulated& simulated);
  World(World const&) = delete;
  World& operator=(World const&) = delete;
  ~World();

  /// That of the calling thread's simulation. Throws std::logic_error naming `what` elsewhere.
  static World& current(char const* what);

  /// The run is over: nothing happens any more, whoever still has a handle.
  void end() noexcept;
  [[nodiscard]] bool ended() const noexcept { return simulated_ == nullptr; }

  /// Calls `function` when so much time has gone by, in a step of its own.
  void after(std::int64_t ns, std::function<void()> function);
  [[nodiscard]] std::int64_t now_ns() const noexcept;

  [[nodiscard]] bool chance(double rate, Choice kind) noexcept {
    return !ended() && simulated_->chance(rate, kind);
  }
  [[nodiscard]] std::uint32_t choose(std::size_t n, Choice kind) noexcept;
  /// For the story.
  void remark(std::string const& text) noexcept {
    if (!ended()) simulated_->remark(text);
  }

  /// Made if there is none.
  Machine& machine(std::string_view name);
  /// Throws InvalidSimulation if there is none.
  Machine& known_machine(std::string_view name);
  [[nodiscard]] bool has_machine(std::string_view name) const {
    return machines_.find(name) != machines_.end();
  }
  void crash(Machine& machine);

  [[nodiscard]] Wires& wires() noexcept { return *wires_; }
  std::string present = "localhost";  // of the HostScope

 private:
  class Pump;

  detail::Simulated* simulated_;
  std::multimap<std::int64_t, std::function<void()>> events_;  // equal moments: oldest first
  std::unique_ptr<Pump> pump_;
  std::unique_ptr<Wires> wires_;
  std::map<std::string, Machine, std::less<>> machines_;
};

/// Settles an operation. finish() completes its slot too, for who waits.
void settle(detail::IoOperation& operation) noexcept;
void settle(detail::IoOperation& operation, io::IoErrorKind error) noexcept;

/// Throws InvalidSimulation unless it is a rate.
void require_rate(double rate, char const* what);

[[nodiscard]] io::Network current_network();
[[nodiscard]] io::Disk current_disk();

}  // namespace spawned::simulation
