// RegistryError: why a name could not be given, taken back or found.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/runtime/result.hpp>

namespace spawned::registry {

/// Trivial to copy. The texts are names of types.
class RegistryError {
 public:
  enum class Kind : std::uint8_t {
    name_taken,        ///< another holds it, or the actor itself does: holder()
    empty_name,        ///< a name has at least one character
    no_such_actor,     ///< the actor to be registered has ended
    wrong_type,        ///< registered, as registered_as(), and not as the type asked for
    not_registered,    ///< nobody holds the name
    unknown_registry,  ///< the calling thread works for no runtime, or the registry was moved from
    timeout,           ///< nobody was registered in time
    cancelled,         ///< the waiting task was cancelled
  };

  RegistryError(Kind kind) noexcept : kind_(kind) {}  // NOLINT(google-explicit-constructor)
  RegistryError(Kind kind, ActorId holder) noexcept : holder_(holder), kind_(kind) {}
  RegistryError(Kind kind, ActorId holder, std::string_view registered_as,
                std::string_view asked_for) noexcept
      : holder_(holder), registered_as_(registered_as), asked_for_(asked_for), kind_(kind) {}

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  /// name_taken, wrong_type: who has the name; else 0.
  [[nodiscard]] ActorId holder() const noexcept { return holder_; }
  /// wrong_type: the type under which the holder was registered, and the one it was asked for.
  [[nodiscard]] std::string_view registered_as() const noexcept { return registered_as_; }
  [[nodiscard]] std::string_view asked_for() const noexcept { return asked_for_; }
  /// What happened and what to do about it.
  [[nodiscard]] std::string what() const;
  /// Throws RegistryFailure; what Result::value() does.
  [[noreturn]] void raise() const;

  friend bool operator==(RegistryError const& left, RegistryError const& right) noexcept {
    return left.kind_ == right.kind_ && left.holder_ == right.holder_;
  }
  friend bool operator==(RegistryError const& left, Kind right) noexcept {
    return left.kind_ == right;
  }

 private:
  ActorId holder_;
  std::string_view registered_as_;
  std::string_view asked_for_;
  Kind kind_;
};

[[nodiscard]] char const* to_string(RegistryError::Kind kind) noexcept;

/// A RegistryError as an exception.
class RegistryFailure : public std::runtime_error {
 public:
  explicit RegistryFailure(RegistryError error) : std::runtime_error(error.what()), error_(error) {}
  [[nodiscard]] RegistryError const& error() const noexcept { return error_; }

 private:
  RegistryError error_;
};

}  // namespace spawned::registry
