// A blocking HTTP GET in plain sockets: just enough for examples.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <spawned/runtime/result.hpp>

namespace support {

/// The body, or what went wrong.
using HttpAnswer = spawned::Result<std::string, std::string>;

class Socket {
 public:
  explicit Socket(int descriptor) noexcept : descriptor_(descriptor) {}
  Socket(Socket const&) = delete;
  Socket& operator=(Socket const&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

struct Url {
  std::string host, port, path;
};

/// "http://host[:port][/path]"; an empty host for anything else.
inline Url parse_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) return {};
  url.remove_prefix(scheme.size());
  std::size_t const slash = url.find('/');
  std::string_view const place = url.substr(0, slash);
  std::size_t const colon = place.rfind(':');
  return {std::string(place.substr(0, colon)),
          colon == place.npos ? "80" : std::string(place.substr(colon + 1)),
          slash == url.npos ? "/" : std::string(url.substr(slash))};
}

/// The body of a complete answer, whose status must be 200.
inline HttpAnswer parse_answer(std::string_view answer) {
  std::size_t const space = answer.find(' ');
  std::size_t const head = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.") || space == answer.npos || head == answer.npos) {
    return spawned::Unexpected(std::string("not an HTTP answer"));
  }
  std::string_view const status = answer.substr(space + 1, 3);
  if (status != "200") return spawned::Unexpected("HTTP status " + std::string(status));
  return std::string(answer.substr(head + 4));
}

/// Sends `request` and reads until the other side closes.
inline HttpAnswer exchange(int socket, std::string_view request) {
  auto const failed = [] { return spawned::Unexpected(std::string(std::strerror(errno))); };
  while (!request.empty()) {
    ssize_t const sent = ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent < 0) return failed();
    request.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::string answer;
  char buffer[4096];
  for (;;) {
    ssize_t const received = ::recv(socket, buffer, sizeof buffer, 0);
    if (received < 0) return failed();
    if (received == 0) return answer;
    answer.append(buffer, static_cast<std::size_t>(received));
  }
}

/// Blocks for as long as the server takes, but for at most 5 s at a time.
inline HttpAnswer http_get(std::string const& url) {
  Url const place = parse_url(url);
  if (place.host.empty()) return spawned::Unexpected("not an http:// address: " + url);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (int const code = ::getaddrinfo(place.host.c_str(), place.port.c_str(), &hints, &found)) {
    return spawned::Unexpected(std::string(::gai_strerror(code)));
  }
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> const address(found, &::freeaddrinfo);

  Socket const socket(
      ::socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol));
  timeval const patience{.tv_sec = 5, .tv_usec = 0};
  if (socket.get() < 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
      ::connect(socket.get(), address->ai_addr, address->ai_addrlen) != 0) {
    return spawned::Unexpected(std::string(std::strerror(errno)));
  }
  HttpAnswer const answer =
      exchange(socket.get(), "GET " + place.path + " HTTP/1.0\r\nHost: " + place.host + "\r\n\r\n");
  return answer ? parse_answer(*answer) : answer;
}

}  // namespace support
