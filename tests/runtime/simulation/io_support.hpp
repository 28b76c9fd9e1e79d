// What the tests of the simulated network and disk share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <spawned/runtime/io/disk.hpp>
#include <spawned/runtime/io/network.hpp>
#include <spawned/runtime/simulation.hpp>
#include <spawned/runtime/simulation/network.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/time.hpp>

namespace spawned_test {

using spawned::Result;
using spawned::Task;
using spawned::io::IoError;
using spawned::io::IoErrorKind;

/// Ends the program of a simulated run with a failure.
inline void require(bool condition, char const* what) {
  if (!condition) throw std::runtime_error(what);
}
template <typename T>
void require_error(Result<T, IoError> const& result, IoErrorKind kind, char const* what) {
  if (result.has_value()) throw std::runtime_error(std::string(what) + ": no error");
  if (result.error().kind() != kind) {
    throw std::runtime_error(std::string(what) + ": " + result.error().what());
  }
}

inline std::span<std::byte const> bytes_of(std::string_view text) {
  return std::as_bytes(std::span<char const>(text));
}

/// Reads to the end of the stream.
inline Task<Result<std::string, IoError>> read_all(spawned::io::TcpStream& stream) {
  std::string text;
  std::byte part[16];
  for (;;) {
    auto const got = co_await stream.read_some(part);
    if (!got.has_value()) co_return spawned::Unexpected(got.error());
    if (*got == 0) co_return std::move(text);
    text.append(reinterpret_cast<char const*>(part), *got);
  }
}
/// Reads so many bytes.
inline Task<Result<std::string, IoError>> read_exactly(spawned::io::TcpStream& stream,
                                                       std::size_t size) {
  std::string text;
  std::byte part[16];
  while (text.size() < size) {
    std::size_t const want = size - text.size() < 16 ? size - text.size() : 16;
    auto const got = co_await stream.read_some(std::span(part, want));
    if (!got.has_value()) co_return spawned::Unexpected(got.error());
    if (*got == 0) break;
    text.append(reinterpret_cast<char const*>(part), *got);
  }
  co_return std::move(text);
}

/// All of a file.
inline Task<Result<std::string, IoError>> read_file(spawned::io::File& file) {
  std::string text;
  std::byte part[16];
  for (;;) {
    auto const got = co_await file.read_at(text.size(), part);
    if (!got.has_value()) co_return spawned::Unexpected(got.error());
    if (*got == 0) co_return std::move(text);
    text.append(reinterpret_cast<char const*>(part), *got);
  }
}

/// Two ends of a connection from host "a" to host "b".
struct Pair {
  spawned::io::TcpStream a;
  spawned::io::TcpStream b;
};
inline Task<Pair> connect_pair() {
  spawned::simulation::Host const host_a("a");
  spawned::simulation::Host const host_b("b");
  auto listener = host_b.network().listen(80);
  require(listener.has_value(), "listen");
  spawned::io::Network network = host_a.network();
  spawned::io::Address const to("b", 80);
  Pair pair;
  auto connected = co_await network.connect(to);
  require(connected.has_value(), "connect");
  pair.a = std::move(*connected);
  auto accepted = co_await listener->accept();
  require(accepted.has_value(), "accept");
  pair.b = std::move(*accepted);
  co_return std::move(pair);
}

}  // namespace spawned_test
