// The simulated network: connections, listeners, datagram sockets, and the wires between hosts.
//
// A connection has two ends. What one end sends is a row of packets in it, each with the moment it
// arrives; a packet never overtakes another of its row. deliver() hands over what is due, unless
// the wire is cut: then the row waits for heal(). A reset replaces the whole row.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "simulation/world.hpp"

namespace spawned::simulation {

struct Connection;

/// One side of a connection.
class End final : public detail::IoObject {
 public:
  End(Connection& connection, int side) noexcept : connection_(&connection), side_(side) {}

  [[nodiscard]] bool start(detail::IoOperation& operation) noexcept override;
  void withdraw(detail::IoOperation& operation) noexcept override;
  void close() noexcept override;
  void shutdown_write() noexcept override;
  [[nodiscard]] io::Address const* local_address() const noexcept override { return &local; }
  [[nodiscard]] io::Address const* peer_address() const noexcept override;

  /// Its host fails.
  void crash() noexcept;
  /// Both sides know it at once, or this one and the other a while later.
  void reset() noexcept;
  /// Hands what is due to the other side.
  void deliver() noexcept;
  /// The other side has made room, or the wire has been healed.
  void go_on_writing() noexcept;

  io::Address local;
  SimulatedNetwork* network = nullptr;  // that it belongs to

 private:
  enum class What : std::uint8_t { bytes, end, reset };
  struct Packet {
    What what;
    std::int64_t due_ns;
    std::vector<std::byte> bytes;
  };

  [[nodiscard]] End& other() const noexcept;
  [[nodiscard]] bool read(detail::IoOperation& operation) noexcept;
  [[nodiscard]] bool write(detail::IoOperation& operation) noexcept;
  [[nodiscard]] std::size_t room() const noexcept;
  void send(What what, std::vector<std::byte> bytes = {}) noexcept;
  void send_reset() noexcept;
  void take(Packet packet) noexcept;
  void fail_waiting(io::IoErrorKind error) noexcept;
  void make_room_known() noexcept;

  Connection* connection_;
  int side_;
  std::deque<Packet> row_;           // sent, not arrived
  std::size_t bytes_under_way_ = 0;  // in it
  std::int64_t last_due_ns_ = 0;
  std::deque<std::byte> unread_;
  detail::IoOperation* reader_ = nullptr;
  detail::IoOperation* writer_ = nullptr;
  bool ended_ = false;  // the other side writes no more
  bool shut_ = false;   // this side writes no more
  bool reset_ = false;
  bool closed_ = false;  // by this side
};

struct Connection : std::enable_shared_from_this<Connection> {
  Connection(World& of, std::size_t bytes) : world(of.shared_from_this()), window(bytes) {}
  [[nodiscard]] std::shared_ptr<detail::IoObject> handle(int side) {
    return std::shared_ptr<detail::IoObject>(shared_from_this(), &ends[side]);
  }

  std::shared_ptr<World> world;
  std::size_t window;
  End ends[2] = {End(*this, 0), End(*this, 1)};
};

/// The state of the network between the hosts.
struct Wires {
  using Pair = std::pair<std::string, std::string>;

  [[nodiscard]] Link const& link(std::string const& one, std::string const& other) const;
  [[nodiscard]] bool is_cut(std::string const& from, std::string const& to) const {
    return cut.find(Pair(from, to)) != cut.end();
  }
  /// How long the next packet takes.
  [[nodiscard]] std::int64_t draw_latency(World& world, std::string const& from,
                                          std::string const& to) const;
  /// Those that live, in the order of their birth.
  [[nodiscard]] std::vector<std::shared_ptr<Connection>> living();

  NetworkFaults faults;
  Link standard;
  std::map<Pair, Link> links;
  std::set<Pair> cut;
  std::size_t window = 64 * 1024;
  std::vector<std::weak_ptr<Connection>> connections;
};

class Listener final : public detail::IoObject {
 public:
  Listener(SimulatedNetwork& network, io::Address address);
  ~Listener() override;
  [[nodiscard]] bool start(detail::IoOperation& operation) noexcept override;
  void withdraw(detail::IoOperation& operation) noexcept override;
  void close() noexcept override;
  [[nodiscard]] io::Address const* local_address() const noexcept override { return &address_; }

  /// False: too many wait already.
  [[nodiscard]] bool offer(std::shared_ptr<Connection> connection) noexcept;

 private:
  static constexpr std::size_t waiting_most = 128;

  std::weak_ptr<SimulatedNetwork> network_;
  io::Address address_;
  std::deque<std::shared_ptr<Connection>> waiting_;
  detail::IoOperation* acceptor_ = nullptr;
  bool closed_ = false;
};

class Socket final : public detail::IoObject {
 public:
  Socket(SimulatedNetwork& network, io::Address address);
  ~Socket() override;
  [[nodiscard]] bool start(detail::IoOperation& operation) noexcept override;
  void withdraw(detail::IoOperation& operation) noexcept override;
  void close() noexcept override;
  [[nodiscard]] io::Address const* local_address() const noexcept override { return &address_; }

  void take(std::vector<std::byte> bytes, io::Address const& from) noexcept;

 private:
  static constexpr std::size_t unread_most = 256;
  using Message = std::pair<std::vector<std::byte>, io::Address>;

  void send(detail::IoOperation& operation) noexcept;
  static void fill(detail::IoOperation& operation, Message const& message) noexcept;

  std::weak_ptr<SimulatedNetwork> network_;
  io::Address address_;
  std::deque<Message> unread_;
  detail::IoOperation* reader_ = nullptr;
  bool closed_ = false;
};

/// The network as one host sees it, until it crashes.
class SimulatedNetwork final : public detail::IoObject,
                               public std::enable_shared_from_this<SimulatedNetwork> {
 public:
  SimulatedNetwork(World& world, std::string host)
      : world_(world.shared_from_this()), host_(std::move(host)) {}

  [[nodiscard]] bool start(detail::IoOperation& operation) noexcept override;
  void withdraw(detail::IoOperation& operation) noexcept override;
  /// The host fails.
  void close() noexcept override;
  [[nodiscard]] std::shared_ptr<detail::IoObject> listen(io::Address const& address, bool stream,
                                                         io::IoErrorKind& error) override;

  [[nodiscard]] World& world() const noexcept { return *world_; }
  [[nodiscard]] std::string const& host() const noexcept { return host_; }
  /// Which host `name` means here.
  [[nodiscard]] std::string const& resolve(std::string const& name) const noexcept {
    return name.empty() || name == "localhost" ? host_ : name;
  }
  void forget(io::Address const& address, bool stream) noexcept {
    (stream ? listeners_ : sockets_).erase(address.port());
  }
  [[nodiscard]] Socket* socket(std::uint16_t port) const noexcept;

 private:
  using Objects = std::map<std::uint16_t, detail::IoObject*>;
  /// Somebody connects.
  struct Attempt {
    detail::IoOperation* operation;  // null once it has given up
    std::shared_ptr<Connection> connection;
    std::string host;  // where to
    std::uint16_t port;
    std::int64_t until_ns;
  };

  [[nodiscard]] std::uint16_t free_port(Objects const& taken) noexcept;
  void send_attempt(std::shared_ptr<Attempt> attempt);
  void arrive(std::shared_ptr<Attempt> const& attempt);
  void answer(std::shared_ptr<Attempt> attempt, bool accepted);
  void settle_attempt(Attempt& attempt, bool accepted, io::IoErrorKind error) noexcept;

  std::shared_ptr<World> world_;
  std::string host_;
  Objects listeners_;
  Objects sockets_;
  std::vector<std::shared_ptr<Attempt>> attempts_;
  std::uint16_t next_port_ = 49'152;
  bool closed_ = false;
};

/// Settles an operation that waits and wakes its task.
inline void finish(detail::IoOperation& operation) noexcept {
  settle(operation);
  (void)operation.slot.complete();
}
inline void finish(detail::IoOperation& operation, io::IoErrorKind error) noexcept {
  settle(operation, error);
  (void)operation.slot.complete();
}

}  // namespace spawned::simulation
