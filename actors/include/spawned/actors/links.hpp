// Links and monitors: how an actor hears of another's end. What Context declares: link, unlink,
// monitor, demonitor, trap_exit, start_linked and start_monitored.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include <spawned/actors/actor.hpp>
#include <spawned/actors/detail/notices.hpp>
#include <spawned/actors/detail/watch.hpp>
#include <spawned/actors/signals.hpp>
#include <spawned/actors/threads/actor.hpp>

namespace spawned {

namespace detail {

/// A reference to a watch, or nothing.
class WatchHold {
 public:
  WatchHold() noexcept = default;
  /// Takes over one reference.
  explicit WatchHold(Watch& watch) noexcept : watch_(&watch) {}
  WatchHold(WatchHold const& other) noexcept : watch_(other.watch_) {
    if (watch_ != nullptr) watch_->hold();
  }
  WatchHold(WatchHold&& other) noexcept : watch_(std::exchange(other.watch_, nullptr)) {}
  WatchHold& operator=(WatchHold other) noexcept {
    std::swap(watch_, other.watch_);
    return *this;
  }
  ~WatchHold() {
    if (watch_ != nullptr) watch_->drop();
  }
  [[nodiscard]] Watch& get() const noexcept { return *watch_; }

  friend bool operator==(WatchHold const& left, WatchHold const& right) noexcept = default;

 private:
  Watch* watch_ = nullptr;
};

}  // namespace detail

/// Names a monitor for Context::demonitor(). Dropping it changes nothing.
class MonitorRef {
 public:
  /// For the library.
  explicit MonitorRef(detail::WatchHold watch) noexcept : watch_(std::move(watch)) {}

  [[nodiscard]] MonitorId id() const noexcept { return MonitorId{watch().id()}; }
  [[nodiscard]] detail::Watch& watch() const noexcept { return watch_.get(); }

  friend bool operator==(MonitorRef const& left, MonitorRef const& right) noexcept = default;
  friend bool operator==(MonitorRef const& ref, MonitorId id) noexcept { return ref.id() == id; }

 private:
  detail::WatchHold watch_;
};

/// Context::demonitor: what becomes of a Down that waits in the mailbox already.
enum class Flush : bool {
  no,
  yes,  ///< it is not handled
};

/// What start_monitored() gives.
template <typename Ref>
struct Monitored {
  Ref actor;
  MonitorRef monitor;
};

namespace detail {

// Never defined: see handlers.hpp.
template <typename Actor>
struct actor_that_traps_exits_needs_handle_message_of_Exit;
template <typename Actor, typename Message>
struct actor_that_monitors_needs_handle_message_of_this;

template <typename Actor, typename Message>
constexpr void require_down_handler() {
  if constexpr (!handles_message<Actor, Message>) {
    (void)sizeof(actor_that_monitors_needs_handle_message_of_this<Actor, Message>);
  }
}

/// Establishes it, or answers for the dead. On the turn of `self`.
[[nodiscard]] Result<void, ActorError> make_link(CellBase& self, CellBase& other);
bool cut_link(CellBase& self, CellBase& other) noexcept;
[[nodiscard]] MonitorRef make_monitor(CellBase& self, CellBase& other, PostNotice post);
/// The monitor of somebody who is not there: over as soon as it is made.
[[nodiscard]] MonitorRef make_monitor_of_nobody(CellBase& self, PostNotice post);
bool cut_monitor(CellBase& self, MonitorRef const& monitor, Flush flush);
/// Established; `second` is nobody else's yet. The caller's reference. Errors: std::bad_alloc.
[[nodiscard]] Watch& watch_new(Watch::Kind kind, CellBase& first, CellBase& second,
                               PostNotice post);
/// After a start that failed: its message would say what the start has said. A signal that is
/// lethal to who does not trap exits comes all the same, unless the start was given up.
void forget(Watch& watch, ActorError const& why) noexcept;

template <typename B>
Task<Result<ActorRef<B>, ActorError>> await_linked(ActorRef<B> ref, WatchHold link,
                                                   std::int64_t timeout_ns) {
  auto ready = co_await await_init(std::move(ref), timeout_ns);
  if (!ready) forget(link.get(), ready.error());
  co_return ready;
}
template <typename B>
Task<Result<Monitored<ActorRef<B>>, ActorError>> await_monitored(ActorRef<B> ref, WatchHold monitor,
                                                                 std::int64_t timeout_ns) {
  auto ready = co_await await_init(std::move(ref), timeout_ns);
  if (!ready) {
    forget(monitor.get(), ready.error());
    co_return Unexpected(std::move(ready.error()));
  }
  co_return Monitored<ActorRef<B>>{std::move(*ready), MonitorRef(std::move(monitor))};
}

/// Starts an actor that `self` watches from before its first moment on.
template <typename B, typename... Args>
ActorRef<B> start_watched(CellBase& self, Watch::Kind how, PostNotice post, WatchHold& watch,
                          Args&&... args) {
  (reject_dangerous_temporary<Args>(), ...);
  auto const before = [&](CellBase& started) {
    watch = WatchHold(watch_new(how, self, started, post));
  };
  return threads::detail::start_in_flavour<B>(before, self.home->runtime(), "start_linked",
                                              std::forward<Args>(args)...);
}

}  // namespace detail

template <typename A>
template <typename Target>
Result<void, ActorError> Context<A>::link(Target const& other) {
  return detail::make_link(*cell_, other.cell());
}
template <typename A>
template <typename Target>
bool Context<A>::unlink(Target const& other) {
  return detail::cut_link(*cell_, other.cell());
}
template <typename A>
template <typename M, typename Target>
MonitorRef Context<A>::monitor(Target const& target) {
  detail::require_down_handler<A, M>();
  return detail::make_monitor(*cell_, target.cell(), &detail::post_down<A, M>);
}
template <typename A>
bool Context<A>::demonitor(MonitorRef const& monitor, Flush flush) {
  return detail::cut_monitor(*cell_, monitor, flush);
}
template <typename A>
bool Context<A>::trap_exit(bool on) {
  if constexpr (!detail::handles_message<A, Exit>) {
    (void)sizeof(detail::actor_that_traps_exits_needs_handle_message_of_Exit<A>);
  }
  return cell_->trap_exits(on);
}

template <typename A>
template <typename B, typename... Args>
Task<Result<ActorRef<B>, ActorError>> Context<A>::start_linked(Args&&... args) {
  detail::WatchHold link;
  ActorRef<B> ref = detail::start_watched<B>(*cell_, detail::Watch::Kind::parent, nullptr, link,
                                             std::forward<Args>(args)...);
  return detail::await_linked<B>(std::move(ref), std::move(link), default_request_timeout.count());
}
template <typename A>
template <typename B, typename M, typename... Args>
Task<Result<Monitored<ActorRef<B>>, ActorError>> Context<A>::start_monitored(Args&&... args) {
  detail::require_down_handler<A, M>();
  detail::WatchHold monitor;
  ActorRef<B> ref =
      detail::start_watched<B>(*cell_, detail::Watch::Kind::monitor, &detail::post_down<A, M>,
                               monitor, std::forward<Args>(args)...);
  return detail::await_monitored<B>(std::move(ref), std::move(monitor),
                                    default_request_timeout.count());
}

namespace threads {

template <typename A>
template <typename B, typename... Args>
Result<ActorRef<B>, ActorError> Context<A>::start_linked(Args&&... args) {
  detail::WatchHold link;
  ActorRef<B> ref = detail::start_watched<B>(this->cell(), detail::Watch::Kind::parent, nullptr,
                                             link, std::forward<Args>(args)...);
  auto ready = detail::wait_for_init(std::move(ref), default_request_timeout.count());
  if (!ready) detail::forget(link.get(), ready.error());
  return ready;
}
template <typename A>
template <typename B, typename M, typename... Args>
Result<Monitored<ActorRef<B>>, ActorError> Context<A>::start_monitored(Args&&... args) {
  detail::require_down_handler<A, M>();
  detail::WatchHold monitor;
  ActorRef<B> ref =
      detail::start_watched<B>(this->cell(), detail::Watch::Kind::monitor, &detail::post_down<A, M>,
                               monitor, std::forward<Args>(args)...);
  auto ready = detail::wait_for_init(std::move(ref), default_request_timeout.count());
  if (!ready) {
    detail::forget(monitor.get(), ready.error());
    return Unexpected(std::move(ready.error()));
  }
  return Monitored<ActorRef<B>>{std::move(*ready), MonitorRef(std::move(monitor))};
}

}  // namespace threads

}  // namespace spawned
