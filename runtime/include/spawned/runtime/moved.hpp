// The guard against the g++ 12 defect that destroys some temporaries twice.
//
// g++ 12 copies an aggregate or closure temporary bit by bit into the coroutine frame when the full
// expression contains a co_await, and destroys it twice (docs/compatibility.md). No library can see
// the co_await, so every entry point that a co_await may stand before rejects such temporaries at
// compile time on the affected compilers.
#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#define SPAWNED_DETAIL_GCC_TEMPORARIES 1
#else
#define SPAWNED_DETAIL_GCC_TEMPORARIES 0
#endif

namespace spawned {

/// What moved() returns: converts to the value once. A class with a constructor is safe.
template <typename T>
class Moved {
 public:
  explicit Moved(T&& value) noexcept(std::is_nothrow_move_constructible_v<T>)
      : value_(std::move(value)) {}
  operator T() && noexcept(std::is_nothrow_move_constructible_v<T>) {  // NOLINT: on purpose
    return std::move(value_);
  }
  T take() && noexcept(std::is_nothrow_move_constructible_v<T>) { return std::move(value_); }

 private:
  T value_;
};

/// Hands a named message or callable over in a way that is safe on every compiler:
/// `auto add = Add{"Joe", "At Home"};  co_await server.request(sp::moved(add));`
template <typename T>
  requires(!std::is_const_v<T>)
[[nodiscard]] Moved<T> moved(T& named) noexcept(std::is_nothrow_move_constructible_v<T>) {
  return Moved<T>(std::move(named));
}

namespace detail {

template <typename T>
inline constexpr bool is_moved = false;
template <typename T>
inline constexpr bool is_moved<Moved<T>> = true;

template <typename T>
struct unwrap_moved {
  using type = T;
};
template <typename T>
struct unwrap_moved<Moved<T>> {
  using type = T;
};
/// The type a caller means: T for a T, and for a Moved<T>.
template <typename T>
using message_type = typename unwrap_moved<std::remove_cvref_t<T>>::type;

template <typename T>
constexpr decltype(auto) forward_moved(std::remove_reference_t<T>& value) noexcept {
  if constexpr (is_moved<std::remove_cvref_t<T>>) {
    return std::move(value).take();
  } else {
    return static_cast<T&&>(value);
  }
}

#if SPAWNED_DETAIL_GCC_TEMPORARIES
// The only way to recognise a closure type: g++ calls it "...<lambda(...)>". The name must be that
// of the type itself, neither a template argument of it nor a scope it is in.
template <typename T>
constexpr bool is_closure() {
  std::string_view name = __PRETTY_FUNCTION__;  // "... is_closure() [with T = NAME]"
  name.remove_prefix(name.find("T = ") + 4);
  name.remove_suffix(1);
  int depth = 0;  // of template arguments
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (depth == 0 && name.substr(i).starts_with("<lambda(")) {
      int inner = 0;
      while (i < name.size()) {
        if (name[i] == '<') ++inner;
        if (name[i] == '>' && --inner == 0) break;
        ++i;
      }
      if (i + 1 == name.size()) return true;
      continue;
    }
    if (name[i] == '<') ++depth;
    if (name[i] == '>') --depth;
  }
  return false;
}

/// True for an argument that g++ 12 would destroy twice in an awaited expression.
template <typename Argument>
inline constexpr bool dangerous_temporary =
    !std::is_lvalue_reference_v<Argument> &&
    (std::is_aggregate_v<std::remove_cvref_t<Argument>> ||
     is_closure<std::remove_cvref_t<Argument>>()) &&
    !std::is_array_v<std::remove_cvref_t<Argument>> &&
    !std::is_trivially_destructible_v<std::remove_cvref_t<Argument>>;
#else
template <typename Argument>
inline constexpr bool dangerous_temporary = false;
#endif

// Never defined: its name is the error message, because the first `error:` line of a compiler shows
// the name of an incomplete type and not the text of a static_assert.
template <typename Temporary>
struct
    gcc12_destroys_this_temporary_twice__name_it_first_and_pass_sp_moved_name__or_use_request_M_args;

template <typename Argument>
constexpr void reject_dangerous_temporary() {
  if constexpr (dangerous_temporary<Argument>) {
    // NOLINTNEXTLINE: instantiating it is the point
    (void)sizeof(
        gcc12_destroys_this_temporary_twice__name_it_first_and_pass_sp_moved_name__or_use_request_M_args<
            std::remove_cvref_t<Argument>>);
  }
}

}  // namespace detail
}  // namespace spawned

#undef SPAWNED_DETAIL_GCC_TEMPORARIES
