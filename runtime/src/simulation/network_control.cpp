// What a scenario does to the simulated network.
#include <algorithm>
#include <string>
#include <utility>

#include "simulation/network.hpp"

namespace spawned::simulation {

namespace {

Wires& wires_between(std::string_view one, std::string_view other) {
  World& world = World::current("simulation::network");
  (void)world.known_machine(one);
  (void)world.known_machine(other);
  return world.wires();
}

void require_link(Link const& link) {
  if (link.latency.count() < 0 || link.jitter.count() < 0) {
    throw InvalidSimulation("Link: latency or jitter is less than zero");
  }
}

// What waited at a wire that was cut goes on.
void go_on(World& world) {
  for (auto const& connection : world.wires().living()) {
    for (End& end : connection->ends) {
      world.after(world.wires().standard.latency.count(), [connection, &end] {
        end.deliver();
        end.go_on_writing();
      });
    }
  }
}

}  // namespace

NetworkControl network() {
  (void)World::current("simulation::network");
  return NetworkControl();
}

void NetworkControl::set_faults(NetworkFaults const& faults) const {
  require_rate(faults.loss, "NetworkFaults::loss");
  require_rate(faults.duplication, "NetworkFaults::duplication");
  require_rate(faults.reset, "NetworkFaults::reset");
  require_rate(faults.refuse, "NetworkFaults::refuse");
  require_rate(faults.short_read, "NetworkFaults::short_read");
  require_rate(faults.short_write, "NetworkFaults::short_write");
  World::current("simulation::network").wires().faults = faults;
}

void NetworkControl::set_link(Link const& link) const {
  require_link(link);
  World::current("simulation::network").wires().standard = link;
}

void NetworkControl::set_link(std::string_view one, std::string_view other,
                              Link const& link) const {
  require_link(link);
  auto const ends = std::minmax(one, other);
  wires_between(one, other).links[{std::string(ends.first), std::string(ends.second)}] = link;
}

void NetworkControl::partition(std::string_view one, std::string_view other) const {
  partition_one_way(one, other);
  partition_one_way(other, one);
}

void NetworkControl::partition_one_way(std::string_view from, std::string_view to) const {
  Wires& wires = wires_between(from, to);
  if (from == to) throw InvalidSimulation("partition: a host is always connected to itself");
  wires.cut.emplace(from, to);
  World::current("simulation::network")
      .remark("network: nothing gets from " + std::string(from) + " to " + std::string(to));
}

void NetworkControl::heal(std::string_view one, std::string_view other) const {
  Wires& wires = wires_between(one, other);
  wires.cut.erase({std::string(one), std::string(other)});
  wires.cut.erase({std::string(other), std::string(one)});
  World& world = World::current("simulation::network");
  world.remark("network: " + std::string(one) + " and " + std::string(other) + " are healed");
  go_on(world);
}

void NetworkControl::heal() const {
  World& world = World::current("simulation::network");
  world.wires().cut.clear();
  world.remark("network: all is healed");
  go_on(world);
}

void NetworkControl::reset(std::string_view one, std::string_view other) const {
  Wires& wires = wires_between(one, other);
  for (auto const& connection : wires.living()) {
    std::string const& from = connection->ends[0].local.host();
    std::string const& to = connection->ends[1].local.host();
    if ((from != one || to != other) && (from != other || to != one)) continue;
    for (End& end : connection->ends) end.reset();
  }
}

void NetworkControl::set_window(std::size_t bytes) const {
  if (bytes == 0)
    throw InvalidSimulation("set_window: a window of zero bytes lets nothing through");
  World::current("simulation::network").wires().window = bytes;
}

}  // namespace spawned::simulation
