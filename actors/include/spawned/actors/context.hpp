// Context<A>: what an actor's callbacks may ask of the runtime. Every callback may take
// `Context<Self>&` as its last parameter.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/error.hpp>
#include <spawned/actors/exit_reason.hpp>
#include <spawned/runtime/task.hpp>
#include <spawned/runtime/time.hpp>

namespace spawned {

template <typename A>
class ActorRef;
template <typename A>
class UrgentRef;
template <typename A>
class WeakActorRef;
template <typename R>
class ReplyTo;
class MonitorRef;
enum class Flush : bool;
struct Down;
template <typename Ref>
struct Monitored;

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

  /// A handle to this actor that does not count as a ref.
  [[nodiscard]] WeakActorRef<A> weak_self() const noexcept;

  /// In a request handler: takes over the answering of the request in work, R being the reply's
  /// type. See ReplyTo. Errors: DeferRefused.
  template <typename R>
  [[nodiscard]] ReplyTo<R> defer();

  /// In a request handler: lets `target`, an ActorRef or a Protocol, answer the request in work. It
  /// is asked `M(args...)`, and its reply or error goes to the caller; so does its being dead, at
  /// once. To be returned: `return context.delegate<Find>(shard, key);`. The handler's reply type
  /// must be that of the target, else it does not compile.
  /// Errors  DeferRefused; std::bad_alloc. The target does not see when the caller gives up.
  template <typename M, typename Target, typename... Args>
  [[nodiscard("return it from the handler")]] auto delegate(Target const& target, Args&&... args);

  /// The caller of the request in work has not given up. False where no request is in work. A hint:
  /// it may give up the next moment.
  [[nodiscard]] bool is_caller_waiting() const noexcept { return cell_->is_caller_waiting(); }

  /// Handles the message `M(args...)` right after the present callback, before anything that is in
  /// the mailbox: OTP's {continue, ...}. Several are handled in the order asked for. In teardown,
  /// or when the actor ends before, it is dropped.
  template <typename M, typename... Args>
  void continue_with(Args&&... args);

  /// Ends the actor when the present callback is done, before any further message.
  void stop(ExitReason reason = {}) noexcept { cell_->request_stop(std::move(reason)); }

  /// The right to send this actor messages that overtake all ordinary mail, to hand out.
  /// Errors  UrgentMessagesOff without ActorOptions::urgent_messages.
  [[nodiscard]] UrgentRef<A> urgent_ref() const;
  /// Takes that right back from every UrgentRef made so far: what they send becomes a dead letter.
  /// What was sent before is handled. Errors: as urgent_ref().
  void revoke_urgent() const;

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

  /// An exit signal to itself, `normal` included: ends the actor at its next suspension or when the
  /// callback is done, without teardown. OTP's exit(self(), reason).
  void exit(ExitReason reason) { cell_->exit(std::move(reason)); }

  // --- links and monitors: <spawned/actors/links.hpp> ---

  /// Ties this actor's end to the other's: if one ends with any reason but `normal`, the other gets
  /// an exit signal with that reason. Once per pair, whoever asks; to itself it does nothing.
  /// `target`: a ref of any kind.
  ///
  /// Errors   `no_such_actor` if the other has ended and this actor does not trap exits; if it
  ///          does, an Exit with reason `no_actor` follows. std::bad_alloc.
  /// Cost     one pooled block, and both lists' locks, under which the shorter list of both is
  ///          looked through for a link of the pair.
  /// Source   OTP's link/1.
  /// Example  docs/guide/links-and-monitors.md
  template <typename Target>
  Result<void, ActorError> link(Target const& target);
  /// Takes the link back, whichever side made it: no Exit of it comes any more; one that is in the
  /// mailbox is handled. False: there was none, or the other has ended. A lethal signal that was on
  /// its way still ends this actor.
  template <typename Target>
  bool unlink(Target const& target);

  /// This actor gets an `M` (made from a Down) when `target` ends, for whatever reason; at once,
  /// with reason `no_actor`, if it has. Each call makes one more monitor. To itself it never comes.
  /// Errors   std::bad_alloc. Does not compile unless this actor has a handle_message(M).
  /// Cost     as link().
  /// Source   OTP's monitor/2.
  template <typename M = Down, typename Target>
  MonitorRef monitor(Target const& target);
  /// No Down of it comes any more; with `Flush::yes` none that waits in the mailbox is handled
  /// either. False: it had fired or was taken back before.
  bool demonitor(MonitorRef const& monitor, Flush flush = Flush{false});

  /// From now on exit signals, but `kill`, come as messages to handle_message(Exit), in the order
  /// of what their sender sent before. Returns what it was before. The end of the actor that
  /// started this one by start_linked(), and a signal that it sends, end it still, with teardown,
  /// as long as they are linked. Errors: std::bad_alloc. Does not compile without a
  /// handle_message(Exit).
  bool trap_exit(bool on);

  /// Starts a `B(args...)` linked to this actor, with no moment in between, and waits until its
  /// init is done; an init that fails is told by the result, and by an exit signal only if this
  /// actor does not trap exits. A start that is given up is unlinked. OTP's start_link.
  template <typename B, typename... Args>
  [[nodiscard("co_await it")]] Task<Result<ActorRef<B>, ActorError>> start_linked(Args&&... args);
  /// The same with a monitor. OTP's start_monitor.
  template <typename B, typename M = Down, typename... Args>
  [[nodiscard("co_await it")]] Task<Result<Monitored<ActorRef<B>>, ActorError>> start_monitored(
      Args&&... args);

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

 protected:
  [[nodiscard]] detail::CellBase& cell() const noexcept { return *cell_; }

 private:
  detail::CellBase* cell_;
};

}  // namespace spawned
