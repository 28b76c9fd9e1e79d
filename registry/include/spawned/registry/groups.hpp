// Groups: actors that belong together, by name. OTP's pg.
//
//   sp::groups::Group<Worker> const workers("workers");
//   sp::groups::join(workers, ref);
//   sp::groups::broadcast<Reload>(workers, "config.toml");
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <spawned/registry/group_error.hpp>
#include <spawned/registry/group_event.hpp>
#include <spawned/registry/group_scope.hpp>

namespace spawned::groups {

// Each does what the function of the same name of Scope does, for the scope of the runtime that the
// calling thread works for; without one there is `no_scope`, and no group has members.

template <typename T>
Result<void, GroupError> join(Group<T> const& group, handle_t<T> const& ref) {
  detail::Joiner const one = detail::joiner<T>(ref);
  return detail::join(detail::own_scope(), group.key(), &one, 1);
}
template <typename T>
Result<std::size_t, GroupError> leave(Group<T> const& group, handle_t<T> const& ref) {
  detail::Joiner const one = detail::joiner<T>(ref);
  return detail::leave(detail::own_scope(), group.key(), &one, 1);
}
template <typename T>
[[nodiscard]] std::vector<handle_t<T>> members(Group<T> const& group) {
  return detail::members(detail::own_scope(), group);
}
[[nodiscard]] inline std::vector<std::string> which_groups() {
  return detail::group_names(detail::own_scope());
}
template <typename M, typename T, typename... Args>
Broadcast broadcast(Group<T> const& group, Args&&... args) {
  return detail::broadcast<M>(detail::own_scope(), group, std::forward<Args>(args)...);
}
template <typename T, typename A>
[[nodiscard]] Result<MonitoredGroup<T>, GroupError> monitor(Group<T> const& group,
                                                            ActorRef<A> const& receiver) {
  return detail::monitor(detail::own_scope(), group, receiver);
}
template <typename A>
[[nodiscard]] Result<MonitoredScope, GroupError> monitor_scope(ActorRef<A> const& receiver) {
  return detail::monitor_scope(detail::own_scope(), receiver);
}
inline bool demonitor(GroupMonitor const& monitor) noexcept {
  return detail::unwatch(monitor.watch());
}

}  // namespace spawned::groups

namespace spawned::tasks {
namespace groups = spawned::groups;
}
namespace spawned::threads {
namespace groups = spawned::groups;
}
