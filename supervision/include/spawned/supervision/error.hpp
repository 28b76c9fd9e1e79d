// SupervisorError: why a supervisor did not do what it was asked.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <spawned/actors/exit_reason.hpp>

namespace spawned {

class SupervisorError {
 public:
  enum class Kind : std::uint8_t {
    already_started,  ///< a child with this id runs
    already_present,  ///< a child with this id is specified, and does not run
    not_found,        ///< there is no such child
    running,          ///< the child runs: stop it first
    restarting,       ///< the child is about to be restarted
    start_failed,     ///< it did not start; reason(): why
    max_children,     ///< there are as many as DynamicOptions allow
    invalid_spec,     ///< the spec makes no sense; reason(): what does not
    shutting_down,    ///< the supervisor ends
  };

  SupervisorError(Kind kind, std::string id, ExitReason reason = {})
      : reason_(std::move(reason)), id_(std::move(id)), kind_(kind) {}

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  /// Of the child.
  [[nodiscard]] std::string const& id() const noexcept { return id_; }
  [[nodiscard]] ExitReason const& reason() const noexcept { return reason_; }
  /// What happened and what to do about it.
  [[nodiscard]] std::string what() const;
  /// Throws std::runtime_error with what(); what Result::value() does.
  [[noreturn]] void raise() const;

  friend bool operator==(SupervisorError const& error, Kind kind) noexcept {
    return error.kind_ == kind;
  }

 private:
  ExitReason reason_;
  std::string id_;
  Kind kind_;
};

[[nodiscard]] char const* to_string(SupervisorError::Kind kind) noexcept;

}  // namespace spawned
