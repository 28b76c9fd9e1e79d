// ExitReason: why an actor ended.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include <spawned/runtime/detail/atomic.hpp>

namespace spawned {

/// A kind, and optionally a text or the exception that ended the actor. Cheap to copy (16 bytes, a
/// shared detail), comparable by kind and text.
class ExitReason {
 public:
  enum class Kind : std::uint8_t {
    normal,         ///< it was stopped, or had nothing more to do
    shutdown,       ///< it was told to end as part of a larger end
    killed,         ///< it was ended by `kill`; what others see of that
    kill,           ///< it ended itself with `kill`
    error,          ///< a callback threw, or reported an error
    custom,         ///< the program's own reason
    no_actor,       ///< there was no such actor
    no_connection,  ///< the connection to it was lost
  };

  ExitReason() noexcept = default;                 // normal
  ExitReason(Kind kind) noexcept : kind_(kind) {}  // NOLINT(google-explicit-constructor)
  ExitReason(Kind kind, std::string_view text);
  /// What a callback threw.
  explicit ExitReason(std::exception_ptr exception);

  static ExitReason normal() noexcept { return {}; }
  static ExitReason shutdown() noexcept { return Kind::shutdown; }
  static ExitReason error(std::string_view text) { return {Kind::error, text}; }
  static ExitReason custom(std::string_view text) { return {Kind::custom, text}; }

  ExitReason(ExitReason const& other) noexcept;
  ExitReason(ExitReason&& other) noexcept
      : detail_(std::exchange(other.detail_, nullptr)), kind_(other.kind_) {}
  ExitReason& operator=(ExitReason other) noexcept {
    std::swap(detail_, other.detail_);
    std::swap(kind_, other.kind_);
    return *this;
  }
  ~ExitReason();

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  /// Anything but normal and shutdown: what a supervisor and the crash log look at.
  [[nodiscard]] bool is_abnormal() const noexcept {
    return kind_ != Kind::normal && kind_ != Kind::shutdown;
  }
  /// The text, or the exception described; empty if there is neither.
  [[nodiscard]] std::string_view text() const noexcept;
  /// What a callback threw, or null.
  [[nodiscard]] std::exception_ptr exception() const noexcept;
  /// "normal", "error: std::runtime_error: out of stock".
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(ExitReason const& left, ExitReason const& right) noexcept {
    return left.kind_ == right.kind_ && left.text() == right.text();
  }

 private:
  struct Detail;
  Detail* detail_ = nullptr;
  Kind kind_ = Kind::normal;
};

[[nodiscard]] char const* to_string(ExitReason::Kind kind) noexcept;

}  // namespace spawned
