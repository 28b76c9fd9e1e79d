// Group and Scope: actors that belong together, by name. What groups.hpp offers besides its
// functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <spawned/registry/detail/scope.hpp>
#include <spawned/registry/group_error.hpp>
#include <spawned/registry/group_event.hpp>
#include <spawned/registry/key.hpp>

namespace spawned {
class Runtime;
}

namespace spawned::groups {

/// The name of a group with what its members are: `Group<Worker>` of actors of that class, which
/// are given as ActorRef<Worker>; `Group<Recipient<Tick>>`, `Group<Protocol<Tick, int(Load)>>` of
/// all that take these messages.
template <typename T>
class Group {
 public:
  explicit Group(std::string name)
      : name_(std::move(name)), hash_(registry::detail::hash_of(name_)) {}
  [[nodiscard]] std::string const& name() const noexcept { return name_; }

  /// For the library.
  [[nodiscard]] detail::GroupKey key() const noexcept {
    return {name_, hash_, &detail::type_tag<T>, detail::type_name<T>()};
  }

 private:
  std::string name_;
  std::uint64_t hash_;
};

/// What came of a broadcast: of so many members, so many had room for it.
struct Broadcast {
  std::size_t members = 0;
  std::size_t accepted = 0;
};

/// Names a monitor for demonitor(). Dropping it changes nothing.
class GroupMonitor {
 public:
  /// For the library: takes over one reference.
  explicit GroupMonitor(detail::GroupWatch& watch) noexcept : watch_(&watch) {}
  GroupMonitor(GroupMonitor const& other) noexcept : watch_(other.watch_) {
    if (watch_ != nullptr) watch_->hold();
  }
  GroupMonitor(GroupMonitor&& other) noexcept : watch_(std::exchange(other.watch_, nullptr)) {}
  GroupMonitor& operator=(GroupMonitor other) noexcept {
    std::swap(watch_, other.watch_);
    return *this;
  }
  ~GroupMonitor() {
    if (watch_ != nullptr) watch_->drop();
  }
  [[nodiscard]] GroupMonitorId id() const noexcept { return GroupMonitorId{watch_->id()}; }
  [[nodiscard]] detail::GroupWatch& watch() const noexcept { return *watch_; }

 private:
  detail::GroupWatch* watch_;
};

/// What monitor() gives: the events tell of what came after these members.
template <typename T>
struct MonitoredGroup {
  GroupMonitor monitor;
  std::vector<handle_t<T>> members;
};
/// What monitor_scope() gives: all groups that have members, by name.
struct MonitoredScope {
  GroupMonitor monitor;
  std::vector<GroupMembers> groups;
};

namespace detail {

// Never defined: their names are the error messages.
template <typename Actor>
struct actor_that_monitors_groups_needs_handle_message_of_GroupEvent;
template <typename Message>
struct a_message_that_is_broadcast_must_be_copyable;

template <typename A>
constexpr PostGroupEvent event_post() noexcept {
  if constexpr (handles_message<A, GroupEvent>) {
    return &post_group_event<A>;
  } else {
    (void)sizeof(actor_that_monitors_groups_needs_handle_message_of_GroupEvent<A>);
    return nullptr;
  }
}

template <typename T>
Joiner joiner(handle_t<T> const& ref) noexcept {
  return {&ref.cell(), MemberOf<T>::table(ref)};
}
template <typename T>
std::vector<Joiner> joiners(handle_t<T> const* first, std::size_t count) {
  std::vector<Joiner> all;
  all.reserve(count);
  for (std::size_t i = 0; i < count; ++i) all.push_back(joiner<T>(first[i]));
  return all;
}

template <typename T>
std::vector<handle_t<T>> members(ScopeCore* scope, Group<T> const& group) {
  std::vector<handle_t<T>> all;
  view(scope, group.key()).for_each([&](RosterEntry const& entry) {
    if (entry.cell->has_ended()) return;
    entry.cell->retain_again();
    all.push_back(MemberOf<T>::adopt(*entry.cell, entry.table));
  });
  return all;
}

template <typename M, typename T, typename... Args>
Broadcast broadcast(ScopeCore* scope, Group<T> const& group, Args&&... args) {
  (reject_dangerous_temporary<Args>(), ...);
  Broadcast result;
  if constexpr (std::is_copy_constructible_v<M>) {
    M const message = build_message<M>(forward_moved<Args>(args)...);
    view(scope, group.key()).for_each([&](RosterEntry const& entry) {
      SendResult const sent = MemberOf<T>::template send<M>(*entry.cell, entry.table, message);
      ++result.members;
      result.accepted += sent == SendResult::ok ? 1 : 0;
    });
  } else {
    (void)sizeof(a_message_that_is_broadcast_must_be_copyable<M>);
  }
  return result;
}

template <typename T, typename A>
Result<MonitoredGroup<T>, GroupError> monitor(ScopeCore* scope, Group<T> const& group,
                                              ActorRef<A> const& receiver) {
  auto watched = watch_group(scope, group.key(), receiver.cell(), event_post<A>());
  if (!watched) return Unexpected(watched.error());
  GroupMonitor handle(*watched->watch);
  return MonitoredGroup<T>{std::move(handle), watched->groups.front().of(group)};
}
template <typename A>
Result<MonitoredScope, GroupError> monitor_scope(ScopeCore* scope, ActorRef<A> const& receiver) {
  auto watched = watch_scope(scope, receiver.cell(), event_post<A>());
  if (!watched) return Unexpected(watched.error());
  return MonitoredScope{GroupMonitor(*watched->watch), std::move(watched->groups)};
}

}  // namespace detail

/// A set of groups that knows of no other. Copies share it; the last one closes it. Each runtime
/// has one, which the functions behind this class use. None is global.
///
/// Membership  an actor joins as often as it likes and leaves as often. It leaves by itself when it
///             ends: who has handled its Down or Exit, or awaited its end, does not find it any
///             more. A supervised one that is restarted in place stays. It is no ref. A group
///             exists while it has members or monitors.
/// Errors      GroupError. std::bad_alloc; nothing has changed then. members() and broadcast()
///             throw GroupFailure where the group is of another type: two parts of the program
///             mean different things by one name.
/// Ordering    members are in the order in which they joined. Of one sender's broadcasts and sends
///             each member gets those that reach it in the order sent.
/// Threads     any, all functions.
/// Cost        join, and leave by death, are constant on average; leave() looks through the group.
///             members() and broadcast() hold up nobody: they read the group as it was when they
///             began. Joins and leaves of one group, or of two that share one of 16 shards, wait
///             for each other, and for the sending of events.
/// Source      OTP's pg.
/// Example     docs/guide/groups-and-topics.md
class Scope {
 public:
  Scope() : core_(&detail::make_scope()) {}
  /// That of a runtime. Any thread; open for as long as the runtime or the handle lasts.
  [[nodiscard]] static Scope of(Runtime& runtime);
  Scope(Scope const& other) noexcept : core_(other.core_) {
    if (core_ != nullptr) detail::hold_scope(*core_);
  }
  Scope(Scope&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  Scope& operator=(Scope other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~Scope() {
    if (core_ != nullptr) detail::drop_scope(*core_);
  }

  /// Ends it for all who have it: no members, no monitors, no events about that. Joining answers
  /// `no_scope` from here on.
  void close() const noexcept {
    if (core_ != nullptr) detail::close_scope(*core_);
  }

  /// Errors  no_such_actor, another_type, no_scope.
  template <typename T>
  Result<void, GroupError> join(Group<T> const& group, handle_t<T> const& ref) const {
    detail::Joiner const one = detail::joiner<T>(ref);
    return detail::join(core_, group.key(), &one, 1);
  }
  /// All of them, as one event, or none.
  template <typename T>
  Result<void, GroupError> join(Group<T> const& group, std::vector<handle_t<T>> const& refs) const {
    auto const all = detail::joiners<T>(refs.data(), refs.size());
    return detail::join(core_, group.key(), all.data(), all.size());
  }
  /// Takes back the last join of it. Errors  not_joined, another_type, no_scope.
  template <typename T>
  Result<std::size_t, GroupError> leave(Group<T> const& group, handle_t<T> const& ref) const {
    detail::Joiner const one = detail::joiner<T>(ref);
    return detail::leave(core_, group.key(), &one, 1);
  }
  /// Those that are in, as one event: how many. `not_joined` if none is.
  template <typename T>
  Result<std::size_t, GroupError> leave(Group<T> const& group,
                                        std::vector<handle_t<T>> const& refs) const {
    auto const all = detail::joiners<T>(refs.data(), refs.size());
    return detail::leave(core_, group.key(), all.data(), all.size());
  }

  /// Empty for a group that nobody has joined. Errors: GroupFailure.
  template <typename T>
  [[nodiscard]] std::vector<handle_t<T>> members(Group<T> const& group) const {
    return detail::members(core_, group);
  }
  /// The names of the groups that have members, sorted.
  [[nodiscard]] std::vector<std::string> which_groups() const { return detail::group_names(core_); }

  /// Builds `M(args...)` once and sends each member a copy; who has joined twice gets two. Does not
  /// wait: a bounded mailbox answers by its policy. Errors: GroupFailure, and what copying throws;
  /// some have got it then.
  template <typename M, typename T, typename... Args>
  Broadcast broadcast(Group<T> const& group, Args&&... args) const {
    return detail::broadcast<M>(core_, group, std::forward<Args>(args)...);
  }

  /// From now on `receiver` gets a GroupEvent whenever somebody joins or leaves the group, until it
  /// ends or demonitor(). The group need not have members.
  /// Errors    no_such_actor, another_type, no_scope; std::bad_alloc here. Out of memory for an
  ///           event ends the program.
  /// Ordering  the events of one group come in the order of what happened; those of two groups in
  ///           any. They are no part of a bounded mailbox.
  template <typename T, typename A>
  [[nodiscard]] Result<MonitoredGroup<T>, GroupError> monitor(Group<T> const& group,
                                                              ActorRef<A> const& receiver) const {
    return detail::monitor(core_, group, receiver);
  }
  /// The same for all groups of the scope, present and future.
  template <typename A>
  [[nodiscard]] Result<MonitoredScope, GroupError> monitor_scope(
      ActorRef<A> const& receiver) const {
    return detail::monitor_scope(core_, receiver);
  }
  /// No further events; those in the mailbox are not handled either. False: it was over before.
  static bool demonitor(GroupMonitor const& monitor) noexcept {
    return detail::unwatch(monitor.watch());
  }

  /// The same scope.
  friend bool operator==(Scope const& left, Scope const& right) noexcept {
    return left.core_ == right.core_;
  }

 private:
  explicit Scope(detail::ScopeCore& core) noexcept : core_(&core) { detail::hold_scope(core); }

  detail::ScopeCore* core_;
};

}  // namespace spawned::groups
