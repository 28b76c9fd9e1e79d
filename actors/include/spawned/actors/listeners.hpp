// send_message_on, spawn_listener: events and streams that become messages.
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/actors/detail/listener.hpp>
#include <spawned/actors/error.hpp>
#include <spawned/actors/timers.hpp>
#include <spawned/runtime/errors.hpp>
#include <spawned/runtime/moved.hpp>
#include <spawned/runtime/spawn.hpp>
#include <spawned/runtime/task.hpp>

namespace spawned {

enum class ListenerState : std::uint8_t {
  none,         ///< an empty handle
  listening,    ///< something may yet come
  sent,         ///< send_message_on: the event came, and its message is in the mailbox
  finished,     ///< the sequence has ended, or the event will not come
  cancelled,    ///< by ListenerHandle::cancel
  actor_ended,  ///< with its actor or their runtime, perhaps before it began
};

/// The right to end what listens for an actor. Dropping it leaves the listener to run.
///
/// Threads   any, several at a time but for moving it; also when actor and runtime are gone.
class ListenerHandle {
 public:
  /// Of no listener.
  ListenerHandle() noexcept = default;
  ListenerHandle(ListenerHandle&& other) noexcept
      : listener_(std::exchange(other.listener_, nullptr)) {}
  ListenerHandle& operator=(ListenerHandle&& other) noexcept {
    ListenerHandle old(std::move(*this));
    listener_ = std::exchange(other.listener_, nullptr);
    return *this;
  }
  ~ListenerHandle() {
    if (listener_ != nullptr) listener_->drop();
  }

  /// Ends the listening. `cancelled`: no further message arrives after this has returned. What is
  /// suspended in an await is woken and unwinds; what blocks goes on until it returns, unheard.
  CancelResult cancel() noexcept;
  [[nodiscard]] ListenerState state() const noexcept;
  /// Of an actor that has ended: `no_such_actor` with the reason; else nothing.
  [[nodiscard]] std::optional<ActorError> error() const;

  /// For the library: takes over one reference.
  explicit ListenerHandle(detail::Listener& listener) noexcept : listener_(&listener) {}

 private:
  detail::Listener* listener_ = nullptr;
};

namespace detail {

// Never defined: their names are the error messages.
template <typename Sequence>
struct spawn_listener_needs_a_sequence__a_class_with_an_awaitable_next_that_yields_an_optional;
template <typename Event>
struct send_message_on_needs_something_to_await__or_a_callable_that_returns_it;

template <typename A, typename M, typename... Args>
OwnedMessage make_message(Args&&... args) {
  return OwnedMessage(*pool_new<SendEnvelope<A, M>>(std::in_place, forward_moved<Args>(args)...));
}

/// The message exists already; the event only says when.
template <typename Event>
Task<void> send_when(ListenerKeeper keeper, OwnedMessage message, Event event) {
  try {
    if constexpr (std::is_void_v<event_result_t<Event>>) {
      co_await awaitable_of(event);
      keeper.send_last(std::move(message));
    } else {
      auto result = co_await awaitable_of(event);
      if (has_come(result)) keeper.send_last(std::move(message));
    }
  } catch (Cancelled const&) {
    keeper.note_cancelled();
  } catch (...) {
    keeper.report_failure("the event of a send_message_on");
  }
}

/// The message is made of what the event carries.
template <typename A, typename M, typename Event>
Task<void> send_what_comes(ListenerKeeper keeper, Event event) {
  try {
    auto result = co_await awaitable_of(event);
    if (has_come(result)) keeper.send_last(make_message<A, M>(value_of(result)));
  } catch (Cancelled const&) {
    keeper.note_cancelled();
  } catch (...) {
    keeper.report_failure("the event of a send_message_on");
  }
}

template <typename A, typename Sequence, typename Map>
Task<void> forward_items(ListenerKeeper keeper, Sequence sequence, Map map) {
  constexpr unsigned in_a_row = 64;  // items without a pause for others
  try {
    for (unsigned count = 1;; ++count) {
      auto item = co_await sequence.next();
      if (!item) break;
      using M = std::remove_cvref_t<std::invoke_result_t<Map&, decltype(*std::move(item))>>;
      ListenerSend sending(keeper, make_message<A, M>(map(*std::move(item))));
      bool const sent = co_await sending;
      if (!sent) break;
      if (count % in_a_row == 0) co_await yield_now();
    }
  } catch (Cancelled const&) {
    keeper.note_cancelled();
  } catch (...) {
    keeper.report_failure("the sequence of a spawn_listener");
  }
}

struct SameItem {
  template <typename T>
  T&& operator()(T&& item) const noexcept {
    return std::forward<T>(item);
  }
};

template <typename A, typename Start>
ListenerHandle listen(ActorRef<A> const& ref, char const* what, Start&& start) {
  return ListenerHandle(
      start_listener(ref.cell(), [what, &start](ListenerKeeper keeper, Scheduler& runtime) {
        Executor& workers = workers_of(runtime, what);
        return spawn_on(workers, start(std::move(keeper)));
      }));
}

template <typename A, typename Start>
ListenerHandle listen_blocking(ActorRef<A> const& ref, Start&& start) {
  return ListenerHandle(
      start_listener(ref.cell(), [&start](ListenerKeeper keeper, Scheduler& runtime) {
        auto job = start(std::move(keeper));
        return start_blocking(runtime, &blocking_executor(runtime), moved(job));
      }));
}

/// Jobs of the blocking forms; classes with constructors, which every compiler moves rightly.
template <typename A, typename M, typename Function>
class BlockingEvent {
 public:
  BlockingEvent(ListenerKeeper keeper, std::optional<OwnedMessage> message, Function function)
      : keeper_(std::move(keeper)), message_(std::move(message)), function_(std::move(function)) {}

  void operator()() && {
    try {
      if constexpr (std::is_void_v<std::invoke_result_t<Function&>>) {
        function_();
        keeper_.send_last(*std::move(message_));
      } else {
        auto result = function_();
        if (!has_come(result)) return;
        if (message_) {
          keeper_.send_last(*std::move(message_));
        } else if constexpr (std::is_constructible_v<M, decltype(value_of(result))>) {
          keeper_.send_last(make_message<A, M>(value_of(result)));
        }
      }
    } catch (...) {
      keeper_.report_failure("the function of a send_message_on_blocking");
    }
  }

 private:
  ListenerKeeper keeper_;
  std::optional<OwnedMessage> message_;
  Function function_;
};

template <typename A, typename Range, typename Map>
class BlockingItems {
 public:
  BlockingItems(ListenerKeeper keeper, Range range, Map map)
      : keeper_(std::move(keeper)), range_(std::move(range)), map_(std::move(map)) {}

  void operator()() && {
    try {
      for (auto&& item : range_) {
        using Item = decltype(item);
        using M = std::remove_cvref_t<std::invoke_result_t<Map&, Item>>;
        if (!keeper_.send_blocking(make_message<A, M>(map_(std::forward<Item>(item))))) return;
      }
    } catch (...) {
      keeper_.report_failure("the range of a spawn_listener_blocking");
    }
  }

 private:
  ListenerKeeper keeper_;
  Range range_;
  Map map_;
};

}  // namespace detail

/// Sends the actor one message when `event` completes: `M(args...)`, built now; or, without
/// arguments, `M(value)` if M can be made of what the event carries.
///
/// `event` is anything to await that can be moved (a Task, a OneshotReceiver, a JoinHandle), a
/// CancellationToken, or a callable that returns something to await, movable or not. An event that
/// carries a Result or an optional which is empty has not come: nothing is sent, and the state is
/// `finished`. So it is for one that throws; that is logged.
///
/// Errors   std::logic_error when the actor's runtime has no workers: use
///          send_message_on_blocking; std::bad_alloc; what constructing the message throws. For an
///          actor that has ended, the handle's state says so.
/// Cancel   by the handle or with the actor, promptly: the await is woken and unwinds.
/// Threads  any. The event is awaited on the actor's runtime.
/// Cost     a task; nothing while it waits.
/// Example  docs/guide/timers-and-streams.md
template <typename M, typename A, typename Event, typename... Args>
ListenerHandle send_message_on(ActorRef<A> const& ref, Event&& event, Args&&... args) {
  using E = detail::message_type<Event>;
  detail::require_message_handler<A, M>();
  detail::reject_dangerous_temporary<Event>();
  (detail::reject_dangerous_temporary<Args>(), ...);
  if constexpr (!detail::handles_message<A, M>) {
    return ListenerHandle();
  } else if constexpr (!detail::is_event<E>) {
    (void)sizeof(
        detail::send_message_on_needs_something_to_await__or_a_callable_that_returns_it<E>);
    return ListenerHandle();
  } else {
    using R = detail::event_result_t<E>;
    E own(detail::forward_moved<Event>(event));
    if constexpr (sizeof...(Args) == 0 && !std::is_void_v<R>) {
      if constexpr (std::is_constructible_v<M, detail::event_value_t<R>&&>) {
        return detail::listen(ref, "send_message_on", [&own](detail::ListenerKeeper keeper) {
          return detail::send_what_comes<A, M, E>(std::move(keeper), std::move(own));
        });
      }
    }
    auto message = detail::make_message<A, M>(std::forward<Args>(args)...);
    return detail::listen(ref, "send_message_on", [&own, &message](detail::ListenerKeeper keeper) {
      return detail::send_when<E>(std::move(keeper), std::move(message), std::move(own));
    });
  }
}

/// Sends the actor what `sequence` yields, each item as a message, or each `map(item)`. A sequence
/// is anything that can be moved and has a `next()` to await, which yields `std::optional<T>`:
/// empty at the end.
///
/// Ends when the sequence does, when it throws (that is logged), with the actor, or by the handle;
/// promptly, also while it waits in next().
///
/// Errors   as send_message_on.
/// Suspends the sequence, while a bounded mailbox with the policy `wait` or `reject` has no room:
/// no
///          item is lost, and no next one asked for. The other policies do as they say.
/// Ordering in that of the sequence.
/// Threads  any. The sequence is awaited on the actor's runtime and gives way after 64 items.
/// Cost     a task, and a send for each item.
/// Example  docs/guide/timers-and-streams.md
template <typename A, typename Sequence, typename Map = detail::SameItem>
ListenerHandle spawn_listener(ActorRef<A> const& ref, Sequence&& sequence, Map map = {}) {
  using S = detail::message_type<Sequence>;
  if constexpr (!AsyncSequence<S>) {
    using namespace detail;
    (void)sizeof(
        spawn_listener_needs_a_sequence__a_class_with_an_awaitable_next_that_yields_an_optional<S>);
    return ListenerHandle();
  } else {
    using M = std::remove_cvref_t<std::invoke_result_t<Map&, sequence_value_t<S>>>;
    detail::require_message_handler<A, M>();
    detail::reject_dangerous_temporary<Sequence>();
    if constexpr (detail::handles_message<A, M>) {
      S own(detail::forward_moved<Sequence>(sequence));
      return detail::listen(ref, "spawn_listener", [&own, &map](detail::ListenerKeeper keeper) {
        return detail::forward_items<A, S, Map>(std::move(keeper), std::move(own), std::move(map));
      });
    } else {
      return ListenerHandle();
    }
  }
}

/// send_message_on for code that blocks: calls `function()` on the blocking pool of the actor's
/// runtime. What it returns counts as the event's value.
///
/// Errors   std::system_error when no thread can be started; else as send_message_on.
/// Cancel   a function that has begun runs to its end, unheard; the end of the runtime waits for
/// it.
template <typename M, typename A, typename Function, typename... Args>
ListenerHandle send_message_on_blocking(ActorRef<A> const& ref, Function&& function,
                                        Args&&... args) {
  using F = detail::message_type<Function>;
  using R = std::invoke_result_t<F&>;
  detail::require_message_handler<A, M>();
  F own(detail::forward_moved<Function>(function));
  std::optional<detail::OwnedMessage> message;
  if constexpr (sizeof...(Args) != 0 || std::is_void_v<R>) {
    message.emplace(detail::make_message<A, M>(std::forward<Args>(args)...));
  } else if constexpr (!std::is_constructible_v<M, detail::event_value_t<R>&&>) {
    message.emplace(detail::make_message<A, M>());
  }
  return detail::listen_blocking(ref, [&own, &message](detail::ListenerKeeper keeper) {
    return detail::BlockingEvent<A, M, F>(std::move(keeper), std::move(message), std::move(own));
  });
}

/// spawn_listener for code that blocks: goes through `range` on the blocking pool of the actor's
/// runtime. Ends, when it is cancelled or the actor ends, with the next item.
template <typename A, typename Range, typename Map = detail::SameItem>
ListenerHandle spawn_listener_blocking(ActorRef<A> const& ref, Range&& range, Map map = {}) {
  using R = detail::message_type<Range>;
  using Item = decltype(*std::declval<R&>().begin());
  detail::require_message_handler<A, std::remove_cvref_t<std::invoke_result_t<Map&, Item>>>();
  R own(detail::forward_moved<Range>(range));
  return detail::listen_blocking(ref, [&own, &map](detail::ListenerKeeper keeper) {
    return detail::BlockingItems<A, R, Map>(std::move(keeper), std::move(own), std::move(map));
  });
}

}  // namespace spawned
