// Context<A>: what an actor's callbacks may ask of the runtime. Every callback may take
// `Context<Self>&` as its last parameter.
#pragma once

#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/exit_reason.hpp>

namespace spawned {

template <typename A>
class ActorRef;
template <typename A>
class UrgentRef;

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

  /// The right to send this actor messages that overtake all ordinary mail, to hand out.
  /// Errors  UrgentMessagesOff without ActorOptions::urgent_messages.
  [[nodiscard]] UrgentRef<A> urgent_ref() const;
  /// Takes that right back from every UrgentRef made so far: what they send becomes a dead letter.
  /// What was sent before is handled. Errors: as urgent_ref().
  void revoke_urgent() const;

  /// The runtime is ending: awaits return or throw `cancelled`.
  [[nodiscard]] bool is_cancelled() const noexcept { return cell_->is_cancelled(); }

 private:
  detail::CellBase* cell_;
};

}  // namespace spawned
