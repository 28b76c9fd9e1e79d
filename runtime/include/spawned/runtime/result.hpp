// Result<T, E>: a value or a typed error, with the interface of std::expected.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>
#include <version>

#if defined(__cpp_lib_expected) && __cpp_lib_expected >= 202202L
#include <expected>
#endif

namespace spawned {

/// Wraps an error on its way into a Result: `return Unexpected(error);`
template <typename E>
class Unexpected {
 public:
  explicit Unexpected(E error) noexcept(std::is_nothrow_move_constructible_v<E>)
      : error_(std::move(error)) {}
  [[nodiscard]] E& error() & noexcept { return error_; }
  [[nodiscard]] E const& error() const& noexcept { return error_; }
  [[nodiscard]] E&& error() && noexcept { return std::move(error_); }

 private:
  E error_;
};

template <typename T, typename E>
class Result;

namespace detail {

[[noreturn]] void bad_result_access(char const* what);

/// How value() names the error of type E when it throws; overloaded beside each error type.
template <typename E>
[[noreturn]] void throw_bad_result(E const& error) {
  if constexpr (requires { error.raise(); }) {
    error.raise();
  }
  bad_result_access("Result::value() called on an error");
}

}  // namespace detail

/// Either a `T` or an error of type `E`.
///
/// Errors   value() on an error throws: what the error itself raises if it can, else
///          std::logic_error. error() on a value is undefined, as in std::expected.
template <typename T, typename E>
class [[nodiscard("a Result may hold an error")]] Result {
 public:
  using value_type = T;
  using error_type = E;

  template <typename U = T>
    requires(!std::is_same_v<std::remove_cvref_t<U>, Result> && std::is_constructible_v<T, U &&>)
  explicit(!std::is_convertible_v<U&&, T>) Result(U&& value) : has_value_(true) {
    std::construct_at(std::addressof(value_), std::forward<U>(value));
  }
  template <typename G>
    requires std::is_constructible_v<E, G&&>
  Result(Unexpected<G> error) : has_value_(false) {  // NOLINT(google-explicit-constructor)
    std::construct_at(std::addressof(error_), std::move(error).error());
  }
  Result(Result const& other)
    requires(std::is_copy_constructible_v<T> && std::is_copy_constructible_v<E>)
      : has_value_(other.has_value_) {
    if (has_value_) {
      std::construct_at(std::addressof(value_), other.value_);
    } else {
      std::construct_at(std::addressof(error_), other.error_);
    }
  }
  Result(Result&& other) noexcept(std::is_nothrow_move_constructible_v<T> &&
                                  std::is_nothrow_move_constructible_v<E>)
      : has_value_(other.has_value_) {
    if (has_value_) {
      std::construct_at(std::addressof(value_), std::move(other.value_));
    } else {
      std::construct_at(std::addressof(error_), std::move(other.error_));
    }
  }
  Result& operator=(Result other) noexcept
    requires(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_constructible_v<E>)
  {
    std::destroy_at(this);
    std::construct_at(this, std::move(other));
    return *this;
  }
  ~Result() {
    if (has_value_) {
      std::destroy_at(std::addressof(value_));
    } else {
      std::destroy_at(std::addressof(error_));
    }
  }

  [[nodiscard]] bool has_value() const noexcept { return has_value_; }
  explicit operator bool() const noexcept { return has_value_; }

  [[nodiscard]] T& operator*() & noexcept { return value_; }
  [[nodiscard]] T const& operator*() const& noexcept { return value_; }
  [[nodiscard]] T&& operator*() && noexcept { return std::move(value_); }
  [[nodiscard]] T* operator->() noexcept { return std::addressof(value_); }
  [[nodiscard]] T const* operator->() const noexcept { return std::addressof(value_); }

  [[nodiscard]] T& value() & {
    check();
    return value_;
  }
  [[nodiscard]] T const& value() const& {
    check();
    return value_;
  }
  [[nodiscard]] T&& value() && {
    check();
    return std::move(value_);
  }
  template <typename U>
  [[nodiscard]] T value_or(U&& fallback) const& {
    return has_value_ ? value_ : static_cast<T>(std::forward<U>(fallback));
  }
  template <typename U>
  [[nodiscard]] T value_or(U&& fallback) && {
    return has_value_ ? std::move(value_) : static_cast<T>(std::forward<U>(fallback));
  }

  [[nodiscard]] E& error() & noexcept { return error_; }
  [[nodiscard]] E const& error() const& noexcept { return error_; }
  [[nodiscard]] E&& error() && noexcept { return std::move(error_); }

#if defined(__cpp_lib_expected) && __cpp_lib_expected >= 202202L
  Result(std::expected<T, E> other) : has_value_(other.has_value()) {
    if (has_value_) {
      std::construct_at(std::addressof(value_), std::move(*other));
    } else {
      std::construct_at(std::addressof(error_), std::move(other.error()));
    }
  }
  explicit operator std::expected<T, E>() && {
    if (has_value_) return std::expected<T, E>(std::move(value_));
    return std::unexpected<E>(std::move(error_));
  }
#endif

  friend bool operator==(Result const& left, Result const& right)
    requires requires(T const& t, E const& e) {
      t == t;
      e == e;
    }
  {
    if (left.has_value_ != right.has_value_) return false;
    return left.has_value_ ? left.value_ == right.value_ : left.error_ == right.error_;
  }

 private:
  void check() const {
    if (!has_value_) detail::throw_bad_result(error_);
  }

  union {
    T value_;
    E error_;
  };
  bool has_value_;
};

template <typename E>
class [[nodiscard("a Result may hold an error")]] Result<void, E> {
 public:
  using value_type = void;
  using error_type = E;

  Result() noexcept : has_value_(true) {}
  template <typename G>
    requires std::is_constructible_v<E, G&&>
  Result(Unexpected<G> error) : has_value_(false) {  // NOLINT(google-explicit-constructor)
    std::construct_at(std::addressof(error_), std::move(error).error());
  }
  Result(Result const& other) : has_value_(other.has_value_) {
    if (!has_value_) std::construct_at(std::addressof(error_), other.error_);
  }
  Result(Result&& other) noexcept : has_value_(other.has_value_) {
    if (!has_value_) std::construct_at(std::addressof(error_), std::move(other.error_));
  }
  Result& operator=(Result other) noexcept {
    std::destroy_at(this);
    std::construct_at(this, std::move(other));
    return *this;
  }
  ~Result() {
    if (!has_value_) std::destroy_at(std::addressof(error_));
  }

  [[nodiscard]] bool has_value() const noexcept { return has_value_; }
  explicit operator bool() const noexcept { return has_value_; }
  void operator*() const noexcept {}
  void value() const {
    if (!has_value_) detail::throw_bad_result(error_);
  }
  [[nodiscard]] E& error() & noexcept { return error_; }
  [[nodiscard]] E const& error() const& noexcept { return error_; }
  [[nodiscard]] E&& error() && noexcept { return std::move(error_); }

#if defined(__cpp_lib_expected) && __cpp_lib_expected >= 202202L
  Result(std::expected<void, E> other) : has_value_(other.has_value()) {
    if (!has_value_) std::construct_at(std::addressof(error_), std::move(other.error()));
  }
  explicit operator std::expected<void, E>() && {
    if (has_value_) return std::expected<void, E>();
    return std::unexpected<E>(std::move(error_));
  }
#endif

  friend bool operator==(Result const& left, Result const& right)
    requires requires(E const& e) { e == e; }
  {
    return left.has_value_ == right.has_value_ && (left.has_value_ || left.error_ == right.error_);
  }

 private:
  union {
    E error_;
  };
  bool has_value_;
};

}  // namespace spawned
