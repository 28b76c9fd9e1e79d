// The errors the runtime throws.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace spawned {

/// An operation needs a runtime and the calling thread works for none.
class NoRuntime : public std::logic_error {
 public:
  explicit NoRuntime(char const* operation);
};

/// A worker was asked to block, which could wait for itself.
class BlockingInWorker : public std::logic_error {
 public:
  explicit BlockingInWorker(char const* operation);
};

/// A Runtime was asked for work after its shutdown().
class RuntimeEnded : public std::logic_error {
 public:
  explicit RuntimeEnded(char const* operation);
};

/// Thrown by an await of a cancelled task. Not a std::exception on purpose: a handler that catches
/// errors to go on must not swallow it.
class Cancelled {
 public:
  constexpr Cancelled() noexcept {}
  [[nodiscard]] char const* what() const noexcept { return "the task was cancelled"; }
};

/// Why a joined task has no value.
class JoinError {
 public:
  enum class Kind : unsigned char { cancelled, exception };

  JoinError() noexcept = default;  // cancelled
  explicit JoinError(std::exception_ptr exception) noexcept
      : exception_(std::move(exception)), kind_(Kind::exception) {}

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] bool is_cancelled() const noexcept { return kind_ == Kind::cancelled; }
  /// What left the task; null when it was cancelled.
  [[nodiscard]] std::exception_ptr const& exception() const noexcept { return exception_; }
  [[nodiscard]] std::string what() const;
  /// Throws the exception, or Cancelled.
  [[noreturn]] void raise() const;

 private:
  std::exception_ptr exception_;
  Kind kind_ = Kind::cancelled;
};

/// Why a wait with a time limit has no value.
enum class WaitError : unsigned char { timeout, cancelled, closed };
[[nodiscard]] char const* to_string(WaitError error) noexcept;

namespace detail {

/// Throws BlockingInWorker on a worker thread.
void require_no_worker(char const* operation);

/// "std::runtime_error: text", or "int 42", or "unknown exception".
[[nodiscard]] std::string describe_exception(std::exception_ptr const& exception);

}  // namespace detail

}  // namespace spawned
