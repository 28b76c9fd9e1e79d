// Supervisor: an actor that starts other actors, restarts those that end, and stops them in order.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <spawned/actors/actor.hpp>
#include <spawned/actors/signals.hpp>
#include <spawned/supervision/child_info.hpp>
#include <spawned/supervision/child_spec.hpp>
#include <spawned/supervision/detail/child_event.hpp>
#include <spawned/supervision/error.hpp>

namespace spawned {

/// Who is restarted when a child ends.
enum class RestartStrategy : std::uint8_t {
  one_for_one,   ///< that child
  one_for_all,   ///< all: the others are stopped in reverse, then all start in order
  rest_for_one,  ///< that child and those after it
};

/// Whether a supervisor ends when significant children have ended by themselves.
enum class AutoShutdown : std::uint8_t { never, any_significant, all_significant };

/// OTP's supervisor flags and their defaults.
struct SupervisorOptions {
  RestartStrategy strategy = RestartStrategy::one_for_one;
  /// More restarts than this within `period`, and the supervisor gives up: it stops its children
  /// and ends with reason shutdown. Not negative.
  int intensity = 1;
  std::chrono::nanoseconds period = std::chrono::seconds(5);
  AutoShutdown auto_shutdown = AutoShutdown::never;
};

namespace detail {

class ChildSet;
class RestartBudget;

}  // namespace detail

/// OTP's supervisor. Its children start in order, each when the one before is up, and its own start
/// is done when they are; they stop in reverse. A child that ends is restarted in place, as its
/// spec and the strategy say: refs to it stay valid, its mailbox is kept but for the message it
/// crashed at, names and groups stay; links and monitors have fired, timers are gone.
///
/// Requests  StartChild, TerminateChild, RestartChild, DeleteChild, WhichChildren, CountChildren
///           and GetChild. They wait while the supervisor starts, stops or restarts something.
/// Errors    InvalidOptions from the constructor: a negative intensity or period, a spec that makes
///           no sense, two of one id. A child that does not start makes init fail, after those
///           before it were stopped in reverse: `init_failed`, whose reason names the child.
/// Source    OTP's supervisor; docs/semantics.md says where we differ.
/// Example   docs/guide/supervision.md
class Supervisor : public Actor<Supervisor> {
 public:
  /// Adds a child after the others and starts it. A child without an actor (`ignore`) gives an
  /// empty ref. Errors: already_started, already_present, start_failed (the spec is dropped),
  /// invalid_spec.
  struct StartChild {
    ChildSpec spec;
  };
  /// Stops it, as its spec says; its unread mail goes to the dead letters. The spec stays, but a
  /// temporary one. Errors: not_found.
  struct TerminateChild {
    std::string id;
  };
  /// Starts one that was stopped, with a new mailbox. Errors: not_found, running, restarting,
  /// start_failed.
  struct RestartChild {
    std::string id;
  };
  /// Drops the spec of one that is stopped. Errors: not_found, running, restarting.
  struct DeleteChild {
    std::string id;
  };
  /// In the order of their starts.
  struct WhichChildren {};
  struct CountChildren {};
  /// One of them. Errors: not_found.
  struct GetChild {
    std::string id;
  };

  Supervisor(SupervisorOptions options, std::vector<ChildSpec> specs);
  Supervisor(Supervisor&&) noexcept;
  Supervisor& operator=(Supervisor&&) = delete;
  /// Children that are still there (the supervisor was killed) get an exit signal `killed`.
  ~Supervisor();

  Task<InitResult> init(Context<Supervisor>& context);
  Task<Result<ChildRef, SupervisorError>> handle_request(StartChild request,
                                                         Context<Supervisor>& context);
  Task<Result<void, SupervisorError>> handle_request(TerminateChild request);
  Task<Result<ChildRef, SupervisorError>> handle_request(RestartChild request,
                                                         Context<Supervisor>& context);
  Result<void, SupervisorError> handle_request(DeleteChild const& request);
  std::vector<ChildInfo> handle_request(WhichChildren);
  ChildCounts handle_request(CountChildren);
  Result<ChildInfo, SupervisorError> handle_request(GetChild const& request);

  /// For the library.
  Task<void> handle_message(detail::ChildEvent event, Context<Supervisor>& context);
  /// The same.
  Task<void> handle_message(detail::ChildRetry retry, Context<Supervisor>& context);
  /// Of whoever is linked and not its parent: logged.
  void handle_message(Exit const& exit);
  Task<void> teardown(Context<Supervisor>& context);
  /// For the library: set on its turn when it gives up.
  void tell_giving_up(std::shared_ptr<bool> flag) noexcept { gave_up_ = std::move(flag); }

 private:
  Task<void> plan_restart(detail::Child* child, Context<Supervisor>* context);
  Task<void> restart(detail::Child* child, Context<Supervisor>* context);
  Task<void> start_from(std::size_t first, Context<Supervisor>* context);
  Task<void> stop_after(std::size_t first, detail::Child* but);
  Task<void> leave_ended(detail::Child* child, Context<Supervisor>* context);

  SupervisorOptions options_;
  std::unique_ptr<detail::ChildSet> children_;
  std::unique_ptr<detail::RestartBudget> budget_;
  std::shared_ptr<bool> gave_up_;
};

}  // namespace spawned
