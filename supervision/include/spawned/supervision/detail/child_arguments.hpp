// The extra arguments of a child that is made from a template.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/runtime/detail/pool.hpp>

namespace spawned::detail {

/// Arguments whose types are not known here.
class ChildArguments {
 public:
  /// `tag` and `names` stand for the types.
  ChildArguments(void const* tag, std::string_view names) noexcept : tag_(tag), names_(names) {}
  ChildArguments(ChildArguments const&) = delete;
  ChildArguments& operator=(ChildArguments const&) = delete;
  virtual void destroy() noexcept = 0;
  [[nodiscard]] void const* tag() const noexcept { return tag_; }
  [[nodiscard]] std::string_view names() const noexcept { return names_; }

 protected:
  ~ChildArguments() = default;

 private:
  void const* tag_;
  std::string_view names_;
};

struct ArgumentsDeleter {
  void operator()(ChildArguments* arguments) const noexcept { arguments->destroy(); }
};
using ArgumentsPtr = std::unique_ptr<ChildArguments, ArgumentsDeleter>;

template <typename... Args>
class TypedArguments final : public ChildArguments {
 public:
  template <typename... From>
  explicit TypedArguments(std::in_place_t, From&&... from)
      : ChildArguments(tag(), names()), values(std::forward<From>(from)...) {}
  void destroy() noexcept override { pool_delete(this); }

  static void const* tag() noexcept { return &type_tag<std::tuple<Args...>>; }
  static std::string_view names() noexcept { return type_name<std::tuple<Args...>>(); }

  std::tuple<Args...> const values;
};

/// What an argument is kept as: text as std::string.
template <typename T>
using argument_t = std::conditional_t<std::is_convertible_v<std::decay_t<T>, char const*>,
                                      std::string, std::decay_t<T>>;

/// `use(values...)`; they are an Args... if there are any.
template <typename... Args, typename Use>
auto apply_arguments(ChildArguments const* arguments, Use&& use) {
  if constexpr (sizeof...(Args) == 0) {
    return use();
  } else {
    return std::apply(use, static_cast<TypedArguments<Args...> const&>(*arguments).values);
  }
}

}  // namespace spawned::detail
