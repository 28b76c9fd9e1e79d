// ActorError: why a request, a start or a stop did not succeed.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include <spawned/actors/exit_reason.hpp>
#include <spawned/runtime/result.hpp>

namespace spawned {

/// The error of everything one asks of an actor.
class ActorError {
 public:
  enum class Kind : std::uint8_t {
    timeout,          ///< no reply in time; a later one is dropped
    no_such_actor,    ///< it had run and ended before the request; reason(): why
    stopped,          ///< it ended with the request unanswered; reason(): why
    handler_failed,   ///< its handler threw on this very request; reason(): what
    init_failed,      ///< its init failed; reason(): how
    init_no_success,  ///< its init said no_success: it chose not to run
    unused,           ///< its handler answered `unused`: it does not serve this request
    mailbox_full,     ///< its bounded mailbox had no room
    cancelled,        ///< the calling task was cancelled
    deadlock,         ///< waiting for the reply would close a cycle of requests
    unanswered,       ///< whoever had to answer it later (ReplyTo) dropped it
    no_request,       ///< RequestSet: no request is left in it
  };

  ActorError(Kind kind) noexcept : kind_(kind) {}  // NOLINT(google-explicit-constructor)
  ActorError(Kind kind, ExitReason reason) noexcept : reason_(std::move(reason)), kind_(kind) {}

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  /// The exit reason of the actor, where the kind has one.
  [[nodiscard]] ExitReason const& reason() const noexcept { return reason_; }
  /// What happened and what to do about it.
  [[nodiscard]] std::string what() const;
  /// Throws ActorFailure; what Result::value() does.
  [[noreturn]] void raise() const;

  friend bool operator==(ActorError const& left, ActorError const& right) noexcept {
    return left.kind_ == right.kind_ && left.reason_ == right.reason_;
  }
  friend bool operator==(ActorError const& left, Kind right) noexcept {
    return left.kind_ == right;
  }

 private:
  ExitReason reason_;
  Kind kind_;
};

[[nodiscard]] char const* to_string(ActorError::Kind kind) noexcept;

/// An ActorError as an exception.
class ActorFailure : public std::runtime_error {
 public:
  explicit ActorFailure(ActorError error)
      : std::runtime_error(error.what()), error_(std::move(error)) {}
  [[nodiscard]] ActorError const& error() const noexcept { return error_; }

 private:
  ActorError error_;
};

// The default of Result's second parameter (the class itself belongs to the runtime).
template <typename T, typename E = ActorError>
class Result;

}  // namespace spawned
