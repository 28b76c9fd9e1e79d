// Context<A>: what an actor's callbacks may ask of the runtime. Every callback may take
// `Context<Self>&` as its last parameter.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/exit_reason.hpp>
#include <spawned/runtime/time.hpp>

namespace spawned {

template <typename A>
class ActorRef;

/// Threads   belongs to the actor: use it in its callbacks, also after a co_await, nowhere else.
template <typename A>
class Context {
 public:
  explicit Context(detail::CellBase& cell) noexcept : cell_(&cell) {}
  Context(Context const&) = delete;
  Context& operator=(Context const&) = delete;

  /// A ref to this actor.
  [[nodiscard]] ActorRef<A> self() const noexcept;
  [[nodiscard]] ActorId id() const noexcept { return cell_->id(); }

  /// Ends the actor when the present callback is done, before any further message.
  void stop(ExitReason reason = {}) noexcept { cell_->request_stop(std::move(reason)); }

  /// An exit signal to itself, `normal` included: ends the actor at its next suspension or when the
  /// callback is done, without teardown. OTP's exit(self(), reason).
  void exit(ExitReason reason) { cell_->exit(std::move(reason)); }

  /// Cancelled when the present callback is: by the end of the runtime, an exit signal or
  /// ActorOptions::handler_timeout. For work the callback hands to others; its own awaits need no
  /// token. Each callback has its own. Callbacks of the token run on the thread that cancels.
  [[nodiscard]] CancellationToken cancellation_token() { return cell_->handler_token(); }

  /// When the caller of the request in work gives up, if it does: only in handlers that are
  /// coroutines or may block. What they ask of others has no more time than that.
  [[nodiscard]] std::optional<TimePoint> deadline() const noexcept {
    std::int64_t const ns = cell_->deadline_ns();
    if (ns == detail::no_deadline) return std::nullopt;
    return TimePoint(std::chrono::nanoseconds(ns));
  }
  /// What is left until then, zero at least; `nanoseconds::max()` without a deadline.
  [[nodiscard]] std::chrono::nanoseconds time_left() const noexcept {
    std::int64_t const ns = cell_->limit_by_deadline(detail::no_deadline);
    return ns == detail::no_deadline ? std::chrono::nanoseconds::max()
                                     : std::chrono::nanoseconds(ns);
  }

  /// The runtime is ending: awaits return or throw `cancelled`.
  [[nodiscard]] bool is_cancelled() const noexcept { return cell_->is_cancelled(); }

 private:
  detail::CellBase* cell_;
};

}  // namespace spawned
