// DynamicSupervisor: a supervisor whose children come and go at run time, any number of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <spawned/actors/actor.hpp>
#include <spawned/actors/signals.hpp>
#include <spawned/supervision/child_info.hpp>
#include <spawned/supervision/child_spec.hpp>
#include <spawned/supervision/child_template.hpp>
#include <spawned/supervision/detail/child_event.hpp>
#include <spawned/supervision/error.hpp>

namespace spawned {

/// Elixir's defaults.
struct DynamicOptions {
  /// As SupervisorOptions::intensity.
  int intensity = 3;
  std::chrono::nanoseconds period = std::chrono::seconds(5);
  /// Those that are about to be restarted count.
  std::size_t max_children = std::numeric_limits<std::size_t>::max();
};

namespace detail {

class DynamicSet;
class RestartBudget;

}  // namespace detail

/// Elixir's DynamicSupervisor, and OTP's simple_one_for_one. It begins without children; they have
/// no ids but those of their actors, depend on nobody (one_for_one), and are stopped all at once,
/// each within its own time. A child that is stopped or ends for good is forgotten.
///
/// Requests  StartChild or StartWith, TerminateChild, GetChild, WhichChildren, CountChildren. They
///           wait while the supervisor starts, stops or restarts something.
/// Errors    InvalidOptions from the constructor: a negative intensity or period, a template that
///           makes no sense.
/// Cost      a look-up by ActorId is O(1).
/// Memory    of a template's child: 144 bytes and its arguments, beside its cell; its spec is the
///           template's. A child of a spec of its own has that besides.
/// Source    Elixir's DynamicSupervisor, OTP's supervisor; docs/semantics.md says where we differ.
/// Example   docs/guide/supervision.md
class DynamicSupervisor : public Actor<DynamicSupervisor> {
 public:
  /// Starts one more. Its id may be empty, and need not be unique. A child without an actor
  /// (`ignore`) gives an empty ref and is not kept. The constructor checks the spec, at the
  /// caller's.
  /// Errors  max_children; start_failed; invalid_spec if this supervisor has a template. From the
  ///         constructor InvalidOptions, for a significant child too.
  struct StartChild {
    explicit StartChild(ChildSpec what);
    ChildSpec spec;
  };
  /// Starts one more of the template, whose arguments must be of exactly these types (text is
  /// std::string): `sup.request<DynamicSupervisor::StartWith>(7, "name")`.
  /// Errors  as StartChild; invalid_spec for other arguments, or without a template.
  class StartWith {
   public:
    template <typename... Args>
      requires(sizeof...(Args) != 1 || (!std::is_same_v<std::decay_t<Args>, StartWith> && ...))
    explicit StartWith(Args&&... args)
        : arguments(detail::pool_new<detail::TypedArguments<detail::argument_t<Args>...>>(
              std::in_place, std::forward<Args>(args)...)) {}
    detail::ArgumentsPtr arguments;
  };
  /// Stops it, as its spec says; its unread mail goes to the dead letters. By its ref or id.
  /// Errors: not_found.
  struct TerminateChild {
    TerminateChild(ActorId child) noexcept : id(child) {}  // NOLINT(google-explicit-constructor)
    template <typename Ref>
      requires requires(Ref const& ref) { ActorId(ref.id()); }
    TerminateChild(Ref const& ref) noexcept  // NOLINT(google-explicit-constructor)
        : id(ref.id()) {}
    ActorId id;
  };
  /// One of them. Errors: not_found.
  struct GetChild {
    ActorId id;
  };
  /// In no order.
  struct WhichChildren {};
  /// With a template `specs` is 1, as in OTP; without, the number of children, as in Elixir.
  struct CountChildren {};

  explicit DynamicSupervisor(DynamicOptions options = {});
  DynamicSupervisor(DynamicOptions options, ChildTemplate children);
  DynamicSupervisor(DynamicSupervisor&&) noexcept;
  DynamicSupervisor& operator=(DynamicSupervisor&&) = delete;
  /// As Supervisor's.
  ~DynamicSupervisor();

  void init(Context<DynamicSupervisor>& context);
  Task<Result<ChildRef, SupervisorError>> handle_request(StartChild request);
  Task<Result<ChildRef, SupervisorError>> handle_request(StartWith request);
  Task<Result<void, SupervisorError>> handle_request(TerminateChild request);
  Result<ChildInfo, SupervisorError> handle_request(GetChild const& request);
  std::vector<ChildInfo> handle_request(WhichChildren);
  ChildCounts handle_request(CountChildren);

  /// For the library.
  Task<void> handle_message(detail::ChildEvent event, Context<DynamicSupervisor>& context);
  /// The same.
  Task<void> handle_message(detail::ChildRetry retry, Context<DynamicSupervisor>& context);
  /// Of whoever is linked and not its parent: logged.
  void handle_message(Exit const& exit);
  Task<void> teardown();

 private:
  Task<Result<ChildRef, SupervisorError>> start_new(std::shared_ptr<ChildSpec const> spec,
                                                    detail::ArgumentsPtr arguments);
  Task<void> plan_restart(detail::Child* child, Context<DynamicSupervisor>* context);
  Task<void> restart(detail::Child* child, Context<DynamicSupervisor>* context);
  Task<void> drop(detail::Child* child);

  DynamicOptions options_;
  std::unique_ptr<detail::DynamicSet> children_;
  std::unique_ptr<detail::RestartBudget> budget_;
};

}  // namespace spawned
