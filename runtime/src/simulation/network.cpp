#include "simulation/network.hpp"

#include <algorithm>
#include <stdexcept>

namespace spawned::simulation {

using detail::IoObject;
using detail::IoOperation;
using detail::IoVerb;
using io::IoErrorKind;

namespace {

constexpr std::int64_t connect_resend_ns = 1'000'000'000;
constexpr std::int64_t connect_limit_ns = 127'000'000'000;

}  // namespace

// --- Wires ---

Link const& Wires::link(std::string const& one, std::string const& other) const {
  auto const found = links.find(one < other ? Pair(one, other) : Pair(other, one));
  return found == links.end() ? standard : found->second;
}

std::int64_t Wires::draw_latency(World& world, std::string const& from,
                                 std::string const& to) const {
  if (from == to) return 0;
  constexpr std::int64_t parts = 16;
  Link const& wire = link(from, to);
  std::int64_t latency = wire.latency.count();
  if (wire.jitter.count() > 0) {
    latency += wire.jitter.count() * world.choose(parts, Choice::network) / (parts - 1);
  }
  return latency;
}

std::vector<std::shared_ptr<Connection>> Wires::living() {
  std::vector<std::shared_ptr<Connection>> alive;
  std::erase_if(connections, [&alive](std::weak_ptr<Connection> const& each) {
    if (auto connection = each.lock()) alive.push_back(std::move(connection));
    return each.expired();
  });
  return alive;
}

// --- Listener ---

Listener::Listener(SimulatedNetwork& network, io::Address address)
    : network_(network.weak_from_this()), address_(std::move(address)) {}

Listener::~Listener() { close(); }

bool Listener::start(IoOperation& operation) noexcept {
  if (closed_) {
    settle(operation, IoErrorKind::closed);
  } else if (acceptor_ != nullptr) {
    settle(operation, IoErrorKind::busy);
  } else if (waiting_.empty()) {
    acceptor_ = &operation;
    return false;
  } else {
    operation.object = waiting_.front()->handle(1);
    waiting_.pop_front();
    settle(operation);
  }
  return true;
}

void Listener::withdraw(IoOperation& operation) noexcept {
  if (acceptor_ == &operation) acceptor_ = nullptr;
}

void Listener::close() noexcept {
  if (std::exchange(closed_, true)) return;
  if (auto const network = network_.lock()) network->forget(address_, true);
  for (auto const& each : std::exchange(waiting_, {})) each->ends[1].crash();
  if (acceptor_ != nullptr) finish(*std::exchange(acceptor_, nullptr), IoErrorKind::closed);
}

bool Listener::offer(std::shared_ptr<Connection> connection) noexcept {
  if (acceptor_ != nullptr) {
    acceptor_->object = connection->handle(1);
    finish(*std::exchange(acceptor_, nullptr));
    return true;
  }
  if (waiting_.size() == waiting_most) return false;
  waiting_.push_back(std::move(connection));
  return true;
}

// --- Socket ---

Socket::Socket(SimulatedNetwork& network, io::Address address)
    : network_(network.weak_from_this()), address_(std::move(address)) {}

Socket::~Socket() { close(); }

bool Socket::start(IoOperation& operation) noexcept {
  if (closed_) {
    settle(operation, IoErrorKind::closed);
  } else if (operation.verb != IoVerb::read) {
    send(operation);
  } else if (reader_ != nullptr) {
    settle(operation, IoErrorKind::busy);
  } else if (unread_.empty()) {
    reader_ = &operation;
    return false;
  } else {
    fill(operation, unread_.front());
    unread_.pop_front();
    settle(operation);
  }
  return true;
}

void Socket::fill(IoOperation& operation, Message const& message) noexcept {
  operation.count = std::min(operation.size, message.first.size());
  std::copy_n(message.first.begin(), operation.count, operation.into);
  *operation.sender = message.second;
}

void Socket::send(IoOperation& operation) noexcept {
  auto const network = network_.lock();
  if (network == nullptr || network->world().ended()) {
    return settle(operation, IoErrorKind::closed);
  }
  World& world = network->world();
  std::string const& from = network->host();
  std::string const to = network->resolve(operation.address->host());
  std::uint16_t const port = operation.address->port();
  if (port == 0 || !world.has_machine(to)) return settle(operation, IoErrorKind::bad_address);
  if (operation.size > io::UdpSocket::size_most) return settle(operation, IoErrorKind::too_big);
  settle(operation);
  bool const far = from != to;
  NetworkFaults const& faults = world.wires().faults;
  if (far && world.chance(faults.loss, Choice::network)) {
    return world.remark("network: a datagram from " + from + " to " + to + " is lost");
  }
  std::vector<std::byte> const bytes(operation.from, operation.from + operation.size);
  int const copies = far && world.chance(faults.duplication, Choice::network) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    world.after(world.wires().draw_latency(world, from, to),
                [&world, from = address_, to, port, bytes] {
                  if (world.wires().is_cut(from.host(), to)) return;
                  Socket* const socket = world.machine(to).network->socket(port);
                  if (socket != nullptr) socket->take(bytes, from);
                });
  }
}

void Socket::take(std::vector<std::byte> bytes, io::Address const& from) noexcept {
  Message message(std::move(bytes), from);
  if (reader_ != nullptr) {
    fill(*reader_, message);
    finish(*std::exchange(reader_, nullptr));
  } else if (unread_.size() < unread_most) {
    unread_.push_back(std::move(message));
  }
}

void Socket::withdraw(IoOperation& operation) noexcept {
  if (reader_ == &operation) reader_ = nullptr;
}

void Socket::close() noexcept {
  if (std::exchange(closed_, true)) return;
  if (auto const network = network_.lock()) network->forget(address_, false);
  if (reader_ != nullptr) finish(*std::exchange(reader_, nullptr), IoErrorKind::closed);
}

// --- SimulatedNetwork ---

std::uint16_t SimulatedNetwork::free_port(Objects const& taken) noexcept {
  do {
    next_port_ = next_port_ == UINT16_MAX ? 49'152 : static_cast<std::uint16_t>(next_port_ + 1);
  } while (taken.find(next_port_) != taken.end());
  return next_port_;
}

std::shared_ptr<IoObject> SimulatedNetwork::listen(io::Address const& address, bool stream,
                                                   IoErrorKind& error) {
  if (closed_ || world_->ended()) {
    error = IoErrorKind::closed;
    return nullptr;
  }
  Objects& taken = stream ? listeners_ : sockets_;
  std::uint16_t const port = address.port() == 0 ? free_port(taken) : address.port();
  if (taken.find(port) != taken.end()) {
    error = IoErrorKind::address_in_use;
    return nullptr;
  }
  std::shared_ptr<IoObject> made;
  if (stream) {
    made = std::make_shared<Listener>(*this, io::Address(host_, port));
  } else {
    made = std::make_shared<Socket>(*this, io::Address(host_, port));
  }
  taken[port] = made.get();
  return made;
}

Socket* SimulatedNetwork::socket(std::uint16_t port) const noexcept {
  auto const found = sockets_.find(port);
  return found == sockets_.end() ? nullptr : static_cast<Socket*>(found->second);
}

bool SimulatedNetwork::start(IoOperation& operation) noexcept {
  std::string const host = resolve(operation.address->host());
  if (closed_ || world_->ended()) {
    settle(operation, IoErrorKind::closed);
  } else if (operation.address->port() == 0 || !world_->has_machine(host)) {
    settle(operation, IoErrorKind::bad_address);
  } else {
    auto connection = std::make_shared<Connection>(*world_, world_->wires().window);
    connection->ends[0].local = io::Address(host_, free_port(listeners_));
    connection->ends[0].network = this;
    connection->ends[1].local = io::Address(host, operation.address->port());
    auto attempt = std::make_shared<Attempt>(Attempt{&operation, std::move(connection), host,
                                                     operation.address->port(),
                                                     world_->now_ns() + connect_limit_ns});
    attempts_.push_back(attempt);
    send_attempt(std::move(attempt));
    return false;
  }
  return true;
}

void SimulatedNetwork::withdraw(IoOperation& operation) noexcept {
  auto const found =
      std::find_if(attempts_.begin(), attempts_.end(),
                   [&operation](auto const& attempt) { return attempt->operation == &operation; });
  if (found == attempts_.end()) return;
  (*found)->operation = nullptr;
  (*found)->connection->ends[0].close();
  attempts_.erase(found);
}

void SimulatedNetwork::send_attempt(std::shared_ptr<Attempt> attempt) {
  std::int64_t const latency = world_->wires().draw_latency(*world_, host_, attempt->host);
  world_->after(latency, [kept = shared_from_this(), attempt = std::move(attempt)] {
    if (attempt->operation != nullptr) kept->arrive(attempt);
  });
}

// At the host it goes to.
void SimulatedNetwork::arrive(std::shared_ptr<Attempt> const& attempt) {
  if (world_->wires().is_cut(host_, attempt->host)) {
    if (world_->now_ns() >= attempt->until_ns) {
      return settle_attempt(*attempt, false, IoErrorKind::timed_out);
    }
    world_->after(connect_resend_ns, [kept = shared_from_this(), attempt] {
      if (attempt->operation != nullptr) kept->arrive(attempt);
    });
    return;
  }
  SimulatedNetwork& there = *world_->machine(attempt->host).network;
  auto const found = there.listeners_.find(attempt->port);
  bool accepted = found != there.listeners_.end() &&
                  !world_->chance(world_->wires().faults.refuse, Choice::network);
  if (accepted) {
    attempt->connection->ends[1].network = &there;
    accepted = static_cast<Listener*>(found->second)->offer(attempt->connection);
  }
  if (accepted) world_->wires().connections.push_back(attempt->connection);
  answer(attempt, accepted);
}

void SimulatedNetwork::answer(std::shared_ptr<Attempt> attempt, bool accepted) {
  std::int64_t const latency = world_->wires().draw_latency(*world_, attempt->host, host_);
  world_->after(latency, [kept = shared_from_this(), attempt = std::move(attempt), accepted] {
    World& world = *kept->world_;
    if (attempt->operation == nullptr) return;
    if (!world.wires().is_cut(attempt->host, kept->host_)) {
      return kept->settle_attempt(*attempt, accepted, IoErrorKind::refused);
    }
    if (world.now_ns() >= attempt->until_ns) {
      return kept->settle_attempt(*attempt, false, IoErrorKind::timed_out);
    }
    world.after(connect_resend_ns, [kept, attempt, accepted] {
      if (attempt->operation != nullptr) kept->answer(attempt, accepted);
    });
  });
}

void SimulatedNetwork::settle_attempt(Attempt& attempt, bool accepted, IoErrorKind error) noexcept {
  std::erase_if(attempts_, [&attempt](auto const& each) { return each.get() == &attempt; });
  IoOperation& operation = *std::exchange(attempt.operation, nullptr);
  if (!accepted) {
    attempt.connection->ends[0].close();
    return finish(operation, error);
  }
  operation.object = attempt.connection->handle(0);
  finish(operation);
}

void SimulatedNetwork::close() noexcept {
  closed_ = true;
  for (auto const& connection : world_->wires().living()) {
    for (End& end : connection->ends) {
      if (end.network == this) end.crash();
    }
  }
  for (auto const& [port, listener] : Objects(listeners_)) listener->close();
  for (auto const& [port, socket] : Objects(sockets_)) socket->close();
  for (auto const& attempt : std::exchange(attempts_, {})) {
    finish(*std::exchange(attempt->operation, nullptr), IoErrorKind::closed);
  }
}

}  // namespace spawned::simulation
