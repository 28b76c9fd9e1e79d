#include "simulation/world.hpp"

#include <stdexcept>

#include <spawned/runtime/clock.hpp>

#include "scheduler/scheduler.hpp"
#include "simulation/disk.hpp"
#include "simulation/network.hpp"

namespace spawned::simulation {

/// The unit of work that carries out what is due.
class World::Pump final : public detail::Runnable, public detail::TimerEntry {
 public:
  explicit Pump(World& world)
      : Runnable(&detail::workers_of(world.simulated_->scheduler(), "simulated network and disk"),
                 &on_run),
        TimerEntry(&on_timer),
        world_(&world) {}

  /// There may be something earlier than before.
  void look() noexcept {
    if (queued_ || world_->events_.empty()) return;
    if (wheel != nullptr) detail::timer_cancel(*this);
    std::int64_t const due = world_->events_.begin()->first;
    if (due <= world_->now_ns()) {
      queued_ = true;
      world_->simulated_->post(*this);
    } else {
      detail::timer_arm_at_on(world_->simulated_->scheduler(), *this, due);
    }
  }

 private:
  static detail::Runnable* on_timer(detail::TimerEntry& self) noexcept {
    auto& pump = static_cast<Pump&>(self);
    pump.queued_ = true;
    return &pump;
  }
  static void on_run(detail::Runnable& self) noexcept {
    static constexpr detail::Step step{
        [](detail::Step const&, std::uint64_t) { return std::string("the network and the disks"); },
        "", "network"};
    auto& pump = static_cast<Pump&>(self);
    if (detail::current_worker != nullptr) detail::current_worker->activity.begin_turn(step, 0);
    World& world = *pump.world_;
    std::int64_t const now = world.now_ns();
    while (!world.events_.empty() && world.events_.begin()->first <= now) {
      auto const event = world.events_.extract(world.events_.begin());
      event.mapped()();
    }
    pump.queued_ = false;
    pump.look();
  }

  World* world_;
  bool queued_ = false;
};

World::World(detail::Simulated& simulated)
    : simulated_(&simulated),
      pump_(std::make_unique<Pump>(*this)),
      wires_(std::make_unique<Wires>()) {}

World::~World() = default;

World& World::current(char const* what) {
  detail::Simulated* const simulated = detail::simulated;
  if (simulated == nullptr) {
    throw std::logic_error(std::string(what) + ": the calling thread does not simulate");
  }
  struct Owner {
    explicit Owner(detail::Simulated& of) : world(std::make_shared<World>(of)) {}
    ~Owner() { world->end(); }
    Owner(Owner const&) = delete;
    Owner& operator=(Owner const&) = delete;
    std::shared_ptr<World> world;
  };
  if (simulated->world == nullptr) simulated->world = std::make_shared<Owner>(*simulated);
  return *static_cast<Owner*>(simulated->world.get())->world;
}

void World::end() noexcept {
  simulated_ = nullptr;  // and with it the wheel that may hold the pump's timer
  events_.clear();
  wires_->connections.clear();
  machines_.clear();
}

void World::after(std::int64_t ns, std::function<void()> function) {
  if (ended()) return;
  events_.emplace(now_ns() + (ns < 0 ? 0 : ns), std::move(function));
  pump_->look();
}

std::int64_t World::now_ns() const noexcept {
  return ended() ? 0 : detail::clock_now_ns(simulated_->scheduler());
}

std::uint32_t World::choose(std::size_t n, Choice kind) noexcept {
  if (ended() || n < 2) return 0;
  std::size_t constexpr most = UINT32_MAX;
  return simulated_->choose(static_cast<std::uint32_t>(n < most ? n : most), kind);
}

Machine& World::machine(std::string_view name) {
  if (name.empty()) throw InvalidSimulation("Host: a host needs a name");
  auto const found = machines_.find(name);
  if (found != machines_.end()) return found->second;
  Machine& made = machines_[std::string(name)];
  made.name = name;
  made.drive = std::make_shared<Drive>();
  made.network = std::make_shared<SimulatedNetwork>(*this, made.name);
  made.disk = std::make_shared<SimulatedDisk>(*this, made.drive);
  return made;
}

Machine& World::known_machine(std::string_view name) {
  auto const found = machines_.find(name);
  if (found == machines_.end()) {
    throw InvalidSimulation("simulation::network(): no Host is called \"" + std::string(name) +
                            "\"");
  }
  return found->second;
}

void World::crash(Machine& machine) {
  remark("host " + machine.name + " crashes");
  machine.network->close();
  machine.disk->close();
  machine.drive->crash(*this, machine.name);
  machine.network = std::make_shared<SimulatedNetwork>(*this, machine.name);
  machine.disk = std::make_shared<SimulatedDisk>(*this, machine.drive);
}

void settle(detail::IoOperation& operation) noexcept { operation.finished = true; }

void settle(detail::IoOperation& operation, io::IoErrorKind error) noexcept {
  operation.failed = true;
  operation.error = error;
  operation.finished = true;
}

void require_rate(double rate, char const* what) {
  if (rate >= 0 && rate <= 1) return;
  throw InvalidSimulation(std::string(what) + ": a rate is from 0 to 1, not " +
                          std::to_string(rate));
}

io::Network current_network() {
  World& world = World::current("io::network");
  return io::Network(world.machine(world.present).network);
}

io::Disk current_disk() {
  World& world = World::current("io::disk");
  return io::Disk(world.machine(world.present).disk);
}

// --- Host ---

Host::Host(std::string name) : name_(std::move(name)) {
  (void)World::current("simulation::Host").machine(name_);
}

io::Network Host::network() const {
  return io::Network(World::current("Host::network").machine(name_).network);
}

io::Disk Host::disk() const { return io::Disk(World::current("Host::disk").machine(name_).disk); }

void Host::set_disk_faults(DiskFaults const& faults) const {
  require_rate(faults.read_error, "DiskFaults::read_error");
  require_rate(faults.write_error, "DiskFaults::write_error");
  require_rate(faults.sync_error, "DiskFaults::sync_error");
  require_rate(faults.short_read, "DiskFaults::short_read");
  require_rate(faults.short_write, "DiskFaults::short_write");
  if (faults.latency.count() < 0) {
    throw InvalidSimulation("DiskFaults::latency: less than zero");
  }
  World::current("Host::set_disk_faults").machine(name_).drive->faults = faults;
}

void Host::crash() const {
  World& world = World::current("Host::crash");
  world.crash(world.machine(name_));
}

void crash_host(std::string_view name) {
  World& world = World::current("crash_host");
  world.crash(world.known_machine(name));
}

HostScope::HostScope(Host const& host) {
  World& world = World::current("HostScope");
  before_ = std::exchange(world.present, host.name());
}

HostScope::~HostScope() { World::current("HostScope").present = std::move(before_); }

}  // namespace spawned::simulation
