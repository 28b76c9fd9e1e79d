// Context<A>: what an actor's callbacks may ask of the runtime. Every callback may take
// `Context<Self>&` as its last parameter.
#pragma once

#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/exit_reason.hpp>

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

  /// The runtime is ending: awaits return or throw `cancelled`.
  [[nodiscard]] bool is_cancelled() const noexcept { return cell_->is_cancelled(); }

 private:
  detail::CellBase* cell_;
};

}  // namespace spawned
