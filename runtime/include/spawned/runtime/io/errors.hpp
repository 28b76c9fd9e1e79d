// IoError: why an operation of a network or a disk has no result.
#pragma once

#include <cstdint>
#include <string>

#include <spawned/runtime/errors.hpp>

namespace spawned::io {

/// What went wrong.
enum class IoErrorKind : std::uint8_t {
  not_there,       ///< this runtime has no such network or disk
  cancelled,       ///< the awaiting task was cancelled
  timed_out,       ///< the limit of within() is over, or the other side never answered
  closed,          ///< this side was closed, or its host has crashed
  busy,            ///< another task waits for the same thing already
  refused,         ///< nobody listens at the address
  reset,           ///< the connection is gone, and what was under way with it
  address_in_use,  ///< somebody listens there already
  bad_address,     ///< no such host, or no such port
  too_big,         ///< a datagram that no packet holds
  not_found,       ///< no such file
  exists,          ///< there is such a file already
  no_space,        ///< the disk is full
  broken,          ///< the device failed; of a sync: what was not synced may be lost
};
[[nodiscard]] char const* to_string(IoErrorKind kind) noexcept;

/// An error of an operation: what, and the system's number for it.
class IoError {
 public:
  using enum IoErrorKind;

  IoError(IoErrorKind kind, int code = 0) noexcept  // NOLINT(google-explicit-constructor)
      : code_(code), kind_(kind) {}

  [[nodiscard]] IoErrorKind kind() const noexcept { return kind_; }
  /// errno, or 0 where the system was not asked.
  [[nodiscard]] int code() const noexcept { return code_; }
  /// For people: "no_space: the disk is full".
  [[nodiscard]] std::string what() const;
  /// Throws Cancelled if it was that, else std::runtime_error with what().
  [[noreturn]] void raise() const;

  friend bool operator==(IoError const& left, IoError const& right) noexcept {
    return left.kind_ == right.kind_;
  }

 private:
  int code_;
  IoErrorKind kind_;
};

}  // namespace spawned::io
