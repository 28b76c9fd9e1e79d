// The registry of the calling thread's runtime, as functions; and all of this for both flavours.
//
//   sp::registry::register_name("bank", ref);
//   auto bank = sp::registry::whereis<Bank>("bank");
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <spawned/registry/basic_registry.hpp>
#include <spawned/registry/detail/names.hpp>
#include <spawned/registry/error.hpp>
#include <spawned/registry/events.hpp>
#include <spawned/registry/key.hpp>
#include <spawned/registry/start_registered.hpp>

namespace spawned::registry {

// Each does what the function of the same name of BasicRegistry does, for the registry of the
// runtime that the calling thread works for; without one they answer `unknown_registry`.

template <typename... Exposed, typename Ref>
Result<void, RegistryError> register_name(Name const& name, Ref const& ref) {
  return detail::register_any_in<Exposed...>(detail::own_names(), name, ref);
}
template <typename T, typename Ref>
Result<void, RegistryError> register_name(Key<T> const& key, Ref const& ref) {
  detail::handle_t<T> const handle(ref);
  return detail::register_any_in<>(detail::own_names(), key, handle);
}
inline Result<void, RegistryError> unregister(Name const& name) {
  return detail::remove_name(detail::own_names(), name);
}
template <typename Ref>
std::size_t unregister(Name const& name, Ref const& ref) {
  return detail::remove_name_of(detail::own_names(), name, ref.cell());
}

template <typename T>
[[nodiscard]] Result<detail::handle_t<T>, RegistryError> whereis(Name const& name) {
  return detail::whereis_in<T>(detail::own_names(), name);
}
template <typename T>
[[nodiscard]] Result<detail::handle_t<T>, RegistryError> whereis(Key<T> const& key) {
  return detail::whereis_in<T>(detail::own_names(), key);
}
[[nodiscard]] inline std::vector<RegisteredName> registered() {
  return detail::list_names(detail::own_names());
}

template <typename T>
[[nodiscard("co_await it")]] Task<Result<detail::handle_t<T>, RegistryError>> wait_until_registered(
    Name const& name, std::chrono::nanoseconds timeout = no_timeout) {
  return detail::await_name<T>(detail::held(detail::own_names()), std::string(name.name),
                               name.space, detail::limit_ns(timeout));
}
template <typename T>
[[nodiscard("co_await it")]] Task<Result<detail::handle_t<T>, RegistryError>> wait_until_registered(
    Key<T> const& key, std::chrono::nanoseconds timeout = no_timeout) {
  return registry::wait_until_registered<T>(Name(key), timeout);
}

template <typename B, typename... Args>
[[nodiscard("co_await it")]] Task<NamedStart<B>> start_registered(Name const& name,
                                                                  Args&&... args) {
  detail::NameTable* const table = detail::own_names();
  return detail::await_registered<B>(
      detail::held(table), std::string(name.name), name.space,
      detail::begin_registered<B>(table, name, nullptr, std::forward<Args>(args)...));
}

template <typename M = Down, typename Context>
MonitorRef monitor(Context& context, Name const& name) {
  return detail::monitor_in<M>(detail::own_names(), context, name);
}

inline Result<void, RegistryError> listen(
    Protocol<NameRegistered, NameUnregistered> const& listener) {
  return detail::listen_to_names(detail::own_names(), listener);
}
inline void stop_listening(ActorId listener) {
  detail::stop_listening_to_names(detail::own_names(), listener);
}

}  // namespace spawned::registry

namespace spawned::tasks {
namespace registry = spawned::registry;
}

// The threads flavour: what waits blocks, and refs are threads::ActorRef.
namespace spawned::threads::registry {

using namespace spawned::registry;

namespace detail {

using namespace spawned::registry::detail;

template <typename T>
struct own_handle {
  using type = ActorRef<T>;
};
template <typename... Es>
struct own_handle<Protocol<Es...>> {
  using type = Protocol<Es...>;
};
template <typename T>
using own_handle_t = typename own_handle<T>::type;

template <typename T>
Result<own_handle_t<T>, RegistryError> own(Result<handle_t<T>, RegistryError> found) {
  if (!found) return Unexpected(found.error());
  return own_handle_t<T>(std::move(*found));
}
template <typename B>
Result<StartedAs<ActorRef<B>>, NamedStartError> own_start(NamedStart<B> started) {
  if (!started) return Unexpected(std::move(started.error()));
  return StartedAs<ActorRef<B>>{std::move(started->ref), started->started_now};
}

}  // namespace detail

/// As spawned::registry's.
template <typename T>
[[nodiscard]] Result<detail::own_handle_t<T>, RegistryError> whereis(Name const& name) {
  return detail::own<T>(spawned::registry::whereis<T>(name));
}
template <typename T>
[[nodiscard]] Result<detail::own_handle_t<T>, RegistryError> whereis(Key<T> const& key) {
  return detail::own<T>(spawned::registry::whereis<T>(key));
}

/// As spawned::registry's, blocking. Errors: BlockingInWorker on a worker of the tasks flavour.
template <typename T>
Result<detail::own_handle_t<T>, RegistryError> wait_until_registered(
    Name const& name, std::chrono::nanoseconds timeout = no_timeout) {
  detail::require_no_worker("wait_until_registered");
  return detail::own<T>(
      detail::block_for_name<T>(detail::own_names(), name, detail::limit_ns(timeout)));
}
template <typename T>
Result<detail::own_handle_t<T>, RegistryError> wait_until_registered(
    Key<T> const& key, std::chrono::nanoseconds timeout = no_timeout) {
  return registry::wait_until_registered<T>(Name(key), timeout);
}

/// As spawned::registry's, blocking.
template <typename B, typename... Args>
Result<StartedAs<ActorRef<B>>, NamedStartError> start_registered(Name const& name, Args&&... args) {
  detail::NameTable* const table = detail::own_names();
  return detail::own_start<B>(detail::block_registered<B>(
      table, name, detail::begin_registered<B>(table, name, nullptr, std::forward<Args>(args)...)));
}

}  // namespace spawned::threads::registry
