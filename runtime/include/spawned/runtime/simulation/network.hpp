// The hosts of a simulation, what their network does to them, and their disks.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <spawned/runtime/io/disk.hpp>
#include <spawned/runtime/io/network.hpp>
#include <spawned/runtime/simulation/options.hpp>

namespace spawned::simulation {

/// How long what is sent is under way. Within one host nothing takes time.
struct Link {
  std::chrono::nanoseconds latency = std::chrono::milliseconds(1);
  /// Up to so much more, drawn for each packet: datagrams overtake each other.
  std::chrono::nanoseconds jitter = std::chrono::milliseconds(0);
};

/// How often the network misbehaves: of packets, operations or connections, 0 to 1.
struct NetworkFaults {
  double loss = 0;         ///< datagrams that are lost; what TCP loses comes later
  double duplication = 0;  ///< datagrams that come twice
  double reset = 0;        ///< writes at which the connection is reset
  double refuse = 0;       ///< connections that are refused though somebody listens
  double short_read = 0;   ///< reads that yield less than there is
  double short_write = 0;  ///< writes that take less than there is room for
};

/// The network of the calling thread's simulation. Names that no Host has are InvalidSimulation, as
/// are rates out of range.
class NetworkControl {
 public:
  void set_faults(NetworkFaults const& faults) const;
  /// Of all pairs of hosts that have no link of their own.
  void set_link(Link const& link) const;
  void set_link(std::string_view one, std::string_view other, Link const& link) const;

  /// Nothing gets from one to the other any more, in either direction. Datagrams are lost; bytes of
  /// connections wait, for ever if need be.
  void partition(std::string_view one, std::string_view other) const;
  void partition_one_way(std::string_view from, std::string_view to) const;
  /// What waited is sent again.
  void heal(std::string_view one, std::string_view other) const;
  /// All partitions.
  void heal() const;
  /// Resets every connection between the two at once.
  void reset(std::string_view one, std::string_view other) const;

  /// How many bytes of a connection may be under way or unread in one direction: writes wait for
  /// room. For connections made later; 64 KiB at first.
  void set_window(std::size_t bytes) const;
};

/// Errors  std::logic_error on a thread that does not simulate.
[[nodiscard]] NetworkControl network();

/// How often a disk misbehaves, 0 to 1, and its size and pace.
struct DiskFaults {
  double read_error = 0;   ///< reads that yield `broken`
  double write_error = 0;  ///< writes that yield `broken`, with part of the bytes written or none
  double sync_error = 0;   ///< syncs that yield `broken`, after which what was not synced is not
  double short_read = 0;
  double short_write = 0;
  std::chrono::nanoseconds latency{0};  ///< of each operation
  std::uint64_t capacity = UINT64_MAX;  ///< of all files together, in bytes
};

/// A simulated machine: a name in the network, and a disk. A name is the same host until the end of
/// the run.
///
/// A node of the program gets what it works with when it is made:
/// `start<Server>(host.network(), host.disk())`, or what io::network() and io::disk() yield under a
/// HostScope.
class Host {
 public:
  /// Makes the host if there is none of that name. Errors: std::logic_error on a thread that does
  /// not simulate; InvalidSimulation for an empty name.
  explicit Host(std::string name);

  [[nodiscard]] std::string const& name() const noexcept { return name_; }
  /// After crash(): those of the machine that was started again.
  [[nodiscard]] io::Network network() const;
  [[nodiscard]] io::Disk disk() const;
  void set_disk_faults(DiskFaults const& faults) const;

  /// The machine fails and starts again. Its sockets and files are `closed`, also for whoever still
  /// has handles of them, so that code of before the crash does no harm; its network and disk of
  /// before do nothing any more. Other hosts' connections to it are reset. Of what was written and
  /// not synced, each file keeps all, a part, or nothing, and so does the list of names.
  ///
  /// Tasks and actors are not the machine's: the program ends them itself.
  void crash() const;

 private:
  std::string name_;
};

/// Host(name).crash().
void crash_host(std::string_view name);

/// While it lives, io::network() and io::disk() are those of this host. Not over a co_await: others
/// run meanwhile, and would be there too.
class HostScope {
 public:
  explicit HostScope(Host const& host);
  ~HostScope();
  HostScope(HostScope const&) = delete;
  HostScope& operator=(HostScope const&) = delete;

 private:
  std::string before_;
};

}  // namespace spawned::simulation
