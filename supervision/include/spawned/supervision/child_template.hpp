// ChildTemplate: what the children of a DynamicSupervisor have in common, if it starts one kind.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <spawned/supervision/child_spec.hpp>

namespace spawned {

/// One spec for any number of children, which differ by the arguments they were started with: OTP's
/// simple_one_for_one. Made by child_template(), refined like a ChildSpec.
class ChildTemplate {
 public:
  /// For the library: see child_template().
  ChildTemplate(ChildSpec spec, void const* arguments, std::string_view names)
      : spec_(std::move(spec)), arguments_(arguments), names_(names) {}

  ChildTemplate&& restart(Restart when) && { return spec_.restart(when), std::move(*this); }
  ChildTemplate&& shutdown(Shutdown how) && { return spec_.shutdown(how), std::move(*this); }
  ChildTemplate&& type(ChildType what) && { return spec_.type(what), std::move(*this); }
  ChildTemplate&& backoff(Backoff pauses) && { return spec_.backoff(pauses), std::move(*this); }

  [[nodiscard]] ChildSpec const& spec() const noexcept { return spec_; }
  /// Stands for the types of the arguments.
  [[nodiscard]] void const* arguments_tag() const noexcept { return arguments_; }
  [[nodiscard]] std::string_view arguments_names() const noexcept { return names_; }

 private:
  ChildSpec spec_;
  void const* arguments_;
  std::string_view names_;
};

namespace detail {

// Never defined: see handlers.hpp.
template <typename Factory>
struct child_template_factory_must_be_callable_with_these_arguments;

}  // namespace detail

/// Children whose actor is `factory(args...)`, `Args` being kept for restarts (but not of temporary
/// children): `child_template<int>([](int n) { return Worker{n}; })`. Otherwise as child().
template <typename... Args, typename Factory>
[[nodiscard]] ChildTemplate child_template(Factory factory) {
  if constexpr (!std::is_invocable_v<Factory&, Args const&...> &&
                !std::is_invocable_v<Factory&, Args const&..., RestartInfo const&>) {
    (void)sizeof(
        detail::child_template_factory_must_be_callable_with_these_arguments<Factory(Args...)>);
  } else {
    using Typed = detail::TypedFactory<Factory, Args...>;
    ChildSpec spec(std::string(), std::make_shared<Typed>(std::move(factory)));
    if constexpr (detail::is_supervisor<typename Typed::actor>) spec.type(ChildType::supervisor);
    using Kept = detail::TypedArguments<Args...>;
    return ChildTemplate(std::move(spec), Kept::tag(), Kept::names());
  }
}

}  // namespace spawned
