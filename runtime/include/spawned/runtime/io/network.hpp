// Network, TcpListener, TcpStream, UdpSocket: the network of a runtime, real or simulated.
//
// docs/design/io-seam.md says what is behind them.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <spawned/runtime/io/awaiter.hpp>

namespace spawned::io {

/// A host and a port.
class Address {
 public:
  Address() = default;
  Address(std::string host, std::uint16_t port) : host_(std::move(host)), port_(port) {}

  [[nodiscard]] std::string const& host() const noexcept { return host_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(Address const&, Address const&) = default;
  friend auto operator<=>(Address const&, Address const&) = default;

 private:
  std::string host_;
  std::uint16_t port_ = 0;
};

}  // namespace spawned::io

namespace spawned::detail {

/// What `which` says of an object that may be gone; empty if it says nothing.
inline io::Address address_of(IoObject const* object,
                              io::Address const* (IoObject::*which)() const noexcept) {
  io::Address const* const address = object == nullptr ? nullptr : (object->*which)();
  return address == nullptr ? io::Address() : *address;
}

template <typename Handle>
struct IoConnect : IoMake<Handle> {
  explicit IoConnect(io::Address to) noexcept : address(std::move(to)) {}
  void ask(IoOperation& operation) const noexcept { operation.address = &address; }

  io::Address address;
};

struct IoSendTo : IoWriteAll {
  IoSendTo(io::Address to, std::span<std::byte const> buffer) noexcept
      : IoWriteAll(buffer), address(std::move(to)) {}
  void ask(IoOperation& operation) const noexcept {
    IoWriteAll::ask(operation);
    operation.address = &address;
  }

  io::Address address;
};

}  // namespace spawned::detail

namespace spawned::io {

/// A connection. Bytes come in order, each once, or not at all once it is reset.
///
/// Errors   `reset`: what was under way is lost. `closed`: by this side. `busy`: one task reads and
///          one writes at a time.
/// Threads  the handle belongs to one task at a time; one may read while another one writes.
class TcpStream {
 public:
  TcpStream() noexcept = default;
  explicit TcpStream(std::shared_ptr<detail::IoObject> object) noexcept
      : handle_(std::move(object)) {}

  /// Reads what there is, one byte at least; 0: the other side has ended its direction.
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoRead> read_some(
      std::span<std::byte> into) noexcept {
    return IoAwaiter<detail::IoRead>(handle_.object(), detail::IoVerb::read, detail::IoRead(into));
  }
  /// Writes as much as there is room for, one byte at least; how many. That they were written does
  /// not mean that the other side gets them.
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoWrite> write_some(
      std::span<std::byte const> from) noexcept {
    return IoAwaiter<detail::IoWrite>(handle_.object(), detail::IoVerb::write,
                                      detail::IoWrite(from));
  }
  /// Writes all; after an error, part of it may have been.
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoWriteAll> write_all(
      std::span<std::byte const> from) noexcept {
    return IoAwaiter<detail::IoWriteAll>(handle_.object(), detail::IoVerb::write_all,
                                         detail::IoWriteAll(from));
  }
  /// Half-close: the other side reads what was written and then the end; reading goes on.
  void shutdown_write() noexcept {
    if (handle_.object() != nullptr) handle_.object()->shutdown_write();
  }
  /// Both directions. What waits here yields `closed`. The other side gets what was written, or
  /// `reset` if something was left unread here.
  void close() noexcept { handle_.close(); }

  [[nodiscard]] Address local_address() const {
    return detail::address_of(handle_.object(), &detail::IoObject::local_address);
  }
  [[nodiscard]] Address peer_address() const {
    return detail::address_of(handle_.object(), &detail::IoObject::peer_address);
  }

 private:
  detail::IoHandle handle_;
};

/// Takes connections. Closed with the handle.
class TcpListener {
 public:
  TcpListener() noexcept = default;
  explicit TcpListener(std::shared_ptr<detail::IoObject> object) noexcept
      : handle_(std::move(object)) {}

  /// The next connection.
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoMake<TcpStream>> accept() noexcept {
    return IoAwaiter<detail::IoMake<TcpStream>>(handle_.object(), detail::IoVerb::accept, {});
  }
  void close() noexcept { handle_.close(); }
  [[nodiscard]] Address local_address() const {
    return detail::address_of(handle_.object(), &detail::IoObject::local_address);
  }

 private:
  detail::IoHandle handle_;
};

/// A datagram that came.
struct Datagram {
  std::size_t size = 0;  ///< bytes in the buffer; what did not fit is lost
  Address from;
};

}  // namespace spawned::io

namespace spawned::detail {

struct IoReceiveFrom : IoRead {
  using Value = io::Datagram;
  using IoRead::IoRead;
  void ask(IoOperation& operation) noexcept {
    IoRead::ask(operation);
    operation.sender = &sender;
  }
  [[nodiscard]] Value value(IoOperation& operation) {
    io::Datagram datagram;
    datagram.size = operation.count;
    datagram.from = std::move(sender);
    return datagram;
  }

  io::Address sender;
};

}  // namespace spawned::detail

namespace spawned::io {

/// Sends and receives datagrams: each may be lost, come twice, or come late.
class UdpSocket {
 public:
  static constexpr std::size_t size_most = 65'507;

  UdpSocket() noexcept = default;
  explicit UdpSocket(std::shared_ptr<detail::IoObject> object) noexcept
      : handle_(std::move(object)) {}

  [[nodiscard("co_await it")]] IoAwaiter<detail::IoSendTo> send_to(
      Address to, std::span<std::byte const> from) noexcept {
    return IoAwaiter<detail::IoSendTo>(handle_.object(), detail::IoVerb::write,
                                       detail::IoSendTo(std::move(to), from));
  }
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoReceiveFrom> receive_from(
      std::span<std::byte> into) noexcept {
    return IoAwaiter<detail::IoReceiveFrom>(handle_.object(), detail::IoVerb::read,
                                            detail::IoReceiveFrom(into));
  }
  void close() noexcept { handle_.close(); }
  [[nodiscard]] Address local_address() const {
    return detail::address_of(handle_.object(), &detail::IoObject::local_address);
  }

 private:
  detail::IoHandle handle_;
};

/// A network, as one host sees it. Copies are the same network. What it makes works for the
/// runtime that it is of.
///
/// Errors   `not_there` where the runtime has none.
class Network {
 public:
  Network() noexcept = default;
  explicit Network(std::shared_ptr<detail::IoObject> object) noexcept
      : object_(std::move(object)) {}

  [[nodiscard]] bool is_there() const noexcept { return object_ != nullptr; }

  /// Takes connections at `port` of this host from now on; 0: at one that is free.
  [[nodiscard]] Result<TcpListener, IoError> listen(std::uint16_t port) {
    return make<TcpListener>(port, true);
  }
  /// Takes datagrams at `port` of this host from now on; 0: at one that is free.
  [[nodiscard]] Result<UdpSocket, IoError> bind(std::uint16_t port) {
    return make<UdpSocket>(port, false);
  }
  [[nodiscard("co_await it")]] IoAwaiter<detail::IoConnect<TcpStream>> connect(
      Address to) noexcept {
    return IoAwaiter<detail::IoConnect<TcpStream>>(object_.get(), detail::IoVerb::connect,
                                                   detail::IoConnect<TcpStream>(std::move(to)));
  }

 private:
  template <typename Handle>
  [[nodiscard]] Result<Handle, IoError> make(std::uint16_t port, bool stream) {
    IoErrorKind error = IoErrorKind::not_there;
    std::shared_ptr<detail::IoObject> made;
    if (object_ != nullptr) made = object_->listen(Address({}, port), stream, error);
    if (made == nullptr) return Unexpected(IoError(error));
    return Handle(std::move(made));
  }

  std::shared_ptr<detail::IoObject> object_;
};

/// That of the calling thread's runtime: in a simulation the simulated one, seen from the host of
/// the present simulation::HostScope. Real runtimes have none yet: what it does yields `not_there`.
/// Errors  NoRuntime.
[[nodiscard]] Network network();

}  // namespace spawned::io
