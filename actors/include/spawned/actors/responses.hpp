// What callbacks may answer. A handler that returns a plain value (or nothing) replies with it and
// goes on; these are for everything else.
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <spawned/actors/exit_reason.hpp>

namespace spawned {

namespace detail {
struct NoValue {};
template <typename R>
using value_or_nothing = std::conditional_t<std::is_void_v<R>, NoValue, R>;
}  // namespace detail

/// The answer of a handle_request: OTP's {reply, ...}, {stop, Reason, Reply, ...} and, without a
/// reply, {noreply, ...} and {stop, Reason, ...}.
template <typename R>
class RequestResponse {
 public:
  using reply_type = R;
  enum class Kind : std::uint8_t { reply, stop, unused, deferred, stop_without_reply };

  /// Replies and goes on.
  template <typename U = R>
    requires(!std::is_void_v<R>)
  static RequestResponse reply(U&& value) {
    return RequestResponse(Kind::reply, std::forward<U>(value), {});
  }
  static RequestResponse reply()
    requires std::is_void_v<R>
  {
    return RequestResponse(Kind::reply, detail::NoValue(), {});
  }
  /// Ends the actor: teardown runs, then the reply leaves.
  template <typename U = R>
    requires(!std::is_void_v<R>)
  static RequestResponse stop(U&& value, ExitReason reason = {}) {
    return RequestResponse(Kind::stop, std::forward<U>(value), std::move(reason));
  }
  static RequestResponse stop(ExitReason reason = {})
    requires std::is_void_v<R>
  {
    return RequestResponse(Kind::stop, detail::NoValue(), std::move(reason));
  }
  /// The actor does not serve this request: the caller gets ActorError::Kind::unused.
  static RequestResponse unused() { return RequestResponse(); }
  /// Somebody answers later: the ReplyTo that the handler has taken by Context::defer(). Without
  /// one the caller gets ActorError::Kind::unanswered.
  static RequestResponse deferred() { return RequestResponse(Kind::deferred, {}); }
  /// Ends the actor: teardown runs, then the caller gets ActorError::Kind::stopped with `reason`.
  static RequestResponse stop_without_reply(ExitReason reason = {}) {
    return RequestResponse(Kind::stop_without_reply, std::move(reason));
  }

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] bool is_deferred() const noexcept { return kind_ == Kind::deferred; }
  [[nodiscard]] bool stops() const noexcept {
    return kind_ == Kind::stop || kind_ == Kind::stop_without_reply;
  }
  [[nodiscard]] ExitReason& reason() noexcept { return reason_; }
  [[nodiscard]] detail::value_or_nothing<R>& value() noexcept { return *value_; }

 private:
  RequestResponse() noexcept = default;
  RequestResponse(Kind kind, ExitReason reason) : reason_(std::move(reason)), kind_(kind) {}
  template <typename U>
  RequestResponse(Kind kind, U&& value, ExitReason reason)
      : value_(std::forward<U>(value)), reason_(std::move(reason)), kind_(kind) {}

  std::optional<detail::value_or_nothing<R>> value_;
  ExitReason reason_;
  Kind kind_ = Kind::unused;
};

/// The answer of a handle_message: OTP's {noreply, ...} and {stop, Reason, ...}.
class MessageResponse {
 public:
  enum class Kind : std::uint8_t { no_reply, stop, unused };

  static MessageResponse no_reply() noexcept { return MessageResponse(Kind::no_reply, {}); }
  static MessageResponse stop(ExitReason reason = {}) noexcept {
    return MessageResponse(Kind::stop, std::move(reason));
  }
  /// The actor does not serve this message: logged as a warning, the actor goes on.
  static MessageResponse unused() noexcept { return MessageResponse(Kind::unused, {}); }

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] ExitReason& reason() noexcept { return reason_; }

 private:
  MessageResponse(Kind kind, ExitReason reason) noexcept
      : reason_(std::move(reason)), kind_(kind) {}
  ExitReason reason_;
  Kind kind_;
};

/// The answer of init: OTP's ok, ignore and {stop, Reason}.
class InitResult {
 public:
  enum class Kind : std::uint8_t { success, no_success, error };

  static InitResult success() noexcept { return InitResult(Kind::success, {}); }
  /// The actor chooses not to run. It ends with reason normal and without teardown.
  static InitResult no_success() noexcept { return InitResult(Kind::no_success, {}); }
  /// The actor cannot run. It ends with `reason` and without teardown.
  static InitResult error(ExitReason reason) noexcept {
    return InitResult(Kind::error, std::move(reason));
  }

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] ExitReason& reason() noexcept { return reason_; }

 private:
  InitResult(Kind kind, ExitReason reason) noexcept : reason_(std::move(reason)), kind_(kind) {}
  ExitReason reason_;
  Kind kind_;
};

}  // namespace spawned
