// GroupError: why somebody could not join, leave or watch a group.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <spawned/runtime/result.hpp>

namespace spawned::groups {

/// Trivial to copy. The texts are names of types.
class GroupError {
 public:
  enum class Kind : std::uint8_t {
    not_joined,     ///< leave(): it is no member
    no_such_actor,  ///< it has ended
    another_type,   ///< the group has members or monitors of group_type(), not of asked_for()
    no_scope,       ///< the scope was closed, or the calling thread works for no runtime
  };

  GroupError(Kind kind) noexcept : kind_(kind) {}  // NOLINT(google-explicit-constructor)
  GroupError(Kind kind, std::string_view group_type, std::string_view asked_for) noexcept
      : group_type_(group_type), asked_for_(asked_for), kind_(kind) {}

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  /// another_type: what the group is of, and what it was taken for.
  [[nodiscard]] std::string_view group_type() const noexcept { return group_type_; }
  [[nodiscard]] std::string_view asked_for() const noexcept { return asked_for_; }
  /// What happened and what to do about it.
  [[nodiscard]] std::string what() const;
  /// Throws GroupFailure; what Result::value() does.
  [[noreturn]] void raise() const;

  friend bool operator==(GroupError const& left, Kind right) noexcept {
    return left.kind_ == right;
  }

 private:
  std::string_view group_type_;
  std::string_view asked_for_;
  Kind kind_;
};

[[nodiscard]] char const* to_string(GroupError::Kind kind) noexcept;

/// A GroupError as an exception.
class GroupFailure : public std::runtime_error {
 public:
  explicit GroupFailure(GroupError error) : std::runtime_error(error.what()), error_(error) {}
  [[nodiscard]] GroupError const& error() const noexcept { return error_; }

 private:
  GroupError error_;
};

}  // namespace spawned::groups
