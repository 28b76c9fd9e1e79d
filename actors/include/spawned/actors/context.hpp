// Context<A>: what an actor's callbacks may ask of the runtime. Every callback may take
// `Context<Self>&` as its last parameter.
#pragma once

#include <chrono>
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

  /// If no other message or request comes within `delay` after the present callback, the actor gets
  /// `M(args...)`. Whatever comes first ends it, stale or not; a callback that wants to go on
  /// waiting says so again. Zero: what is in the mailbox by then comes first, else M at once. A
  /// second call in one callback replaces the first. gen_server's timeouts.
  ///
  /// Errors   std::invalid_argument for a negative delay; std::bad_alloc; what constructing M
  ///          throws.
  /// Example  docs/guide/timers-and-streams.md
  template <typename M, typename Rep, typename Period, typename... Args>
  void set_idle_timeout(std::chrono::duration<Rep, Period> delay, Args&&... args);
  /// Takes the present callback's set_idle_timeout back.
  void cancel_idle_timeout() noexcept;

  /// The runtime is ending: awaits return or throw `cancelled`.
  [[nodiscard]] bool is_cancelled() const noexcept { return cell_->is_cancelled(); }

 private:
  detail::CellBase* cell_;
};

}  // namespace spawned
