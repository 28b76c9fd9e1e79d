// BasicRegistry<Value>: actors by name, each entry with a value.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <spawned/actors/links.hpp>
#include <spawned/registry/detail/names.hpp>
#include <spawned/registry/error.hpp>
#include <spawned/registry/events.hpp>
#include <spawned/registry/key.hpp>
#include <spawned/registry/start_registered.hpp>

namespace spawned::registry {

struct RegistryOptions {
  Keys keys = Keys::unique;
};

/// What lookup() gives: who, and the value of the entry.
template <typename Handle, typename Value>
struct Entry {
  Handle ref;
  Value value;
};

namespace detail {

template <typename A, typename... Exposed>
Result<void, RegistryError> register_in(NameTable* table, Name const& name, ActorRef<A> const& ref,
                                        NameValue value = nullptr) {
  return add_name(table, name, {parts_of(ref), views_of<A, Exposed...>, std::move(value)});
}
template <typename... Exposed, typename... Es>
Result<void, RegistryError> register_protocol_in(NameTable* table, Name const& name,
                                                 Protocol<Es...> const& ref,
                                                 NameValue value = nullptr) {
  static_assert(sizeof...(Exposed) == 0, "what is registered by a Protocol is known by that alone");
  return add_name(table, name, {parts_of(ref), views_of<Protocol<Es...>>, std::move(value)});
}
template <typename... Exposed, typename Ref>
Result<void, RegistryError> register_any_in(NameTable* table, Name const& name, Ref const& ref,
                                            NameValue value = nullptr) {
  using T = registered_t<Ref>;
  handle_t<T> const& handle = ref;
  if constexpr (std::is_same_v<handle_t<T>, ActorRef<T>>) {
    return register_in<T, Exposed...>(table, name, handle, std::move(value));
  } else {
    return register_protocol_in<Exposed...>(table, name, handle, std::move(value));
  }
}

/// The target of a monitor.
struct MonitorTarget {
  CellBase* of;
  [[nodiscard]] CellBase& cell() const noexcept { return *of; }
};

/// The monitor of a name that nobody has: over as soon as it is made.
template <typename M, typename A>
MonitorRef monitor_nobody(ActorRef<A> const& self) {
  if constexpr (handles_message<A, M>) {
    return make_monitor_of_nobody(self.cell(), &post_down<A, M>);
  } else {
    (void)sizeof(actor_that_monitors_needs_handle_message_of_this<A, M>);
  }
}
template <typename M, typename Context>
MonitorRef monitor_in(NameTable* table, Context& context, Name const& name) {
  Found const found = find_name(table, name, &any_type);
  if (found.ref == nullptr) return monitor_nobody<M>(context.self());
  CellGuard const guard(found.ref);
  return context.template monitor<M>(MonitorTarget{found.ref});
}

}  // namespace detail

/// Names for actors. A name belongs to its actor until it is taken back or the actor has ended;
/// when a Down or Exit of the actor is handled, or its end was awaited, the name is free. An actor
/// may have any number of names, in any number of registries. Copies share one registry.
///
/// Each runtime has a registry, which the functions of this namespace use (registry.hpp). Others
/// are made as objects: Registry{}, Registry{{.keys = Keys::duplicate}}. None is global.
///
/// Names    text of any kind, or a Key, which also says the type.
/// Errors   RegistryError; a moved-from registry answers `unknown_registry`. std::bad_alloc;
/// nothing
///          has changed then.
/// Threads  any, all functions. A simulated run sees the same lists and orders for equal seeds.
/// Memory   a pooled block for each entry. A registered actor is not referenced by its name.
/// Cost     a look-up is a hash, a spin lock of one of 64 shards, and one atomic increment of the
///          actor's count: about 20 ns.
/// Source   OTP's register/2 and whereis/1, Elixir's Registry.
/// Example  docs/guide/registry.md
template <typename Value = void>
class BasicRegistry {
  static constexpr bool has_values = !std::is_void_v<Value>;
  template <typename Handle>
  using EntryOf = std::conditional_t<has_values, Entry<Handle, Value>, Handle>;

 public:
  explicit BasicRegistry(RegistryOptions options = {}) : names_(detail::make_names(options.keys)) {}
  /// That of a runtime. Any thread; it may outlive the runtime.
  [[nodiscard]] static BasicRegistry of(Runtime& runtime)
    requires(!has_values)
  {
    return BasicRegistry(detail::held(&detail::names_of(runtime.scheduler())));
  }

  /// Gives the actor a name, to be looked up as its class and as each Protocol in `Exposed`; what
  /// is registered by a Protocol is found by exactly that. `value`: of the entry, if it has one.
  /// Errors  name_taken, empty_name, no_such_actor.
  template <typename... Exposed, typename Ref, typename... V>
  Result<void, RegistryError> register_name(Name const& name, Ref const& ref, V&&... value) {
    return detail::register_any_in<Exposed...>(table(), name, ref,
                                               made_value(std::forward<V>(value)...));
  }
  /// The same as the key's type, to which `ref` converts.
  template <typename T, typename Ref, typename... V>
  Result<void, RegistryError> register_name(Key<T> const& key, Ref const& ref, V&&... value) {
    detail::handle_t<T> const handle(ref);
    return detail::register_any_in<>(table(), key, handle, made_value(std::forward<V>(value)...));
  }
  /// Takes a name back, from all who have it. Errors  not_registered, empty_name.
  Result<void, RegistryError> unregister(Name const& name) {
    return detail::remove_name(table(), name);
  }
  /// Takes a name back from one actor: how many entries that were, which may be none.
  template <typename Ref>
  std::size_t unregister(Name const& name, Ref const& ref) noexcept {
    return detail::remove_name_of(table(), name, ref.cell());
  }

  /// Who has the name, the one registered first if there are several. T is an actor's class or a
  /// Protocol. Errors  not_registered; wrong_type, which names both types.
  template <typename T>
  [[nodiscard]] Result<detail::handle_t<T>, RegistryError> whereis(Name const& name) const {
    return detail::whereis_in<T>(table(), name);
  }
  template <typename T>
  [[nodiscard]] Result<detail::handle_t<T>, RegistryError> whereis(Key<T> const& key) const {
    return detail::whereis_in<T>(table(), key);
  }
  /// Every entry, sorted by name, type and actor. Copies under the locks: for people and tests.
  [[nodiscard]] std::vector<RegisteredName> registered() const {
    return detail::list_names(table());
  }

  /// All who have the name and can be seen as T, in the order in which they were registered; with
  /// the values of their entries, if these have some.
  template <typename T>
  [[nodiscard]] std::vector<EntryOf<detail::handle_t<T>>> lookup(Name const& name) const {
    std::vector<EntryOf<detail::handle_t<T>>> all;
    dispatch<T>(name,
                [&](auto const& ref, auto const&... value) { all.push_back({ref, value...}); });
    return all;
  }
  /// Calls `function(ref)`, or `function(ref, value)`, for each of these. How many there were.
  template <typename T, typename Function>
  std::size_t dispatch(Name const& name, Function&& function) const {
    auto all = detail::all_named(table(), name, &detail::type_tag<T>);
    std::vector<detail::handle_t<T>> refs;
    refs.reserve(all.size());
    for (auto& each : all) refs.push_back(*detail::as_handle<T>(table(), each.take()));
    for (std::size_t i = 0; i < all.size(); ++i) {
      if constexpr (has_values) {
        function(std::as_const(refs[i]), *static_cast<Value const*>(all[i].value.get()));
      } else {
        function(std::as_const(refs[i]));
      }
    }
    return all.size();
  }

  /// The value of the first entry under the name, or of that of `ref`; nullopt: there is none.
  template <typename V = Value, typename... Ref>
    requires(has_values && sizeof...(Ref) <= 1)
  [[nodiscard]] std::optional<V> value(Name const& name, Ref const&... ref) const {
    detail::NameValue seen;
    if (!detail::value_of_name(table(), name, cell_of(ref...), seen)) return std::nullopt;
    return *static_cast<V const*>(seen.get());
  }
  /// Exchanges that value with `change(old)`, atomically: `change` may be called again if another
  /// was faster. {new, old}; nullopt: there is no such entry.
  template <typename Change, typename V = Value, typename... Ref>
    requires(has_values && sizeof...(Ref) <= 1)
  std::optional<std::pair<V, V>> update_value(Name const& name, Change&& change,
                                              Ref const&... ref) {
    detail::NameValue seen;
    while (detail::value_of_name(table(), name, cell_of(ref...), seen)) {
      V const& old = *static_cast<V const*>(seen.get());
      auto made = std::make_shared<V const>(change(old));
      detail::NameValue next = made;
      if (detail::exchange_name_value(table(), name, cell_of(ref...), seen, next)) {
        return std::pair<V, V>(*made, old);
      }
    }
    return std::nullopt;
  }

  /// Waits until somebody is registered under the name. Nothing is polled.
  /// Errors  timeout; wrong_type when somebody of another type is; cancelled.
  template <typename T>
  [[nodiscard("co_await it")]] Task<Result<detail::handle_t<T>, RegistryError>>
  wait_until_registered(Name const& name, std::chrono::nanoseconds timeout = no_timeout) const {
    return detail::await_name<T>(names_, std::string(name.name), name.space,
                                 detail::limit_ns(timeout));
  }
  template <typename T>
  [[nodiscard("co_await it")]] Task<Result<detail::handle_t<T>, RegistryError>>
  wait_until_registered(Key<T> const& key, std::chrono::nanoseconds timeout = no_timeout) const {
    return wait_until_registered<T>(Name(key), timeout);
  }
  /// The same for threads outside the runtime and actors that may block.
  /// Errors  BlockingInWorker on a worker.
  template <typename T>
  Result<detail::handle_t<T>, RegistryError> wait_until_registered_blocking(
      Name const& name, std::chrono::nanoseconds timeout = no_timeout) const {
    detail::require_no_worker("wait_until_registered_blocking");
    return detail::block_for_name<T>(table(), name, detail::limit_ns(timeout));
  }

  /// Starts a `B(args...)` on the calling thread's runtime under the name, or gives the B that has
  /// it: then nothing was started, and no init was called. Waits until init is done. Of any number
  /// of callers at the same time one starts it. When a start that has failed returns, the name is
  /// free. With duplicate keys it gives the first that has it.
  /// Errors  NamedStartError: wrong_type, empty_name, or why the start failed. NoRuntime.
  /// Source  OTP's {error, {already_started, Pid}}.
  template <typename B, typename... Args>
  [[nodiscard("co_await it")]] Task<NamedStart<B>> start_registered(Name const& name,
                                                                    Args&&... args) {
    return detail::await_registered<B>(
        names_, std::string(name.name), name.space,
        detail::begin_registered<B>(table(), name, made_value(), std::forward<Args>(args)...));
  }
  template <typename B, typename... Args>
  NamedStart<B> start_registered_blocking(Name const& name, Args&&... args) {
    return detail::block_registered<B>(
        table(), name,
        detail::begin_registered<B>(table(), name, made_value(), std::forward<Args>(args)...));
  }

  /// context.monitor<M>() of who has the name now, whatever becomes of the name. Nobody has it: the
  /// Down comes at once, with reason `no_actor` and actor 0. Errors: as Context::monitor.
  template <typename M, typename Context>
  MonitorRef monitor(Context& context, Name const& name) const {
    return detail::monitor_in<M>(table(), context, name);
  }
  template <typename Context>
  MonitorRef monitor(Context& context, Name const& name) const {
    return monitor<Down>(context, name);
  }

  /// From now on `listener` gets a NameRegistered for each entry that is made and a
  /// NameUnregistered for each that goes, those of one name in order. It ends with the listener,
  /// which is not referenced. Events are sent by whoever causes them.
  Result<void, RegistryError> listen(Protocol<NameRegistered, NameUnregistered> const& listener) {
    return detail::listen_to_names(table(), listener);
  }
  void stop_listening(ActorId listener) noexcept {
    detail::stop_listening_to_names(table(), listener);
  }

 private:
  explicit BasicRegistry(detail::NameHandle names) noexcept : names_(std::move(names)) {}
  [[nodiscard]] detail::NameTable* table() const noexcept { return names_.get(); }

  template <typename... V>
  static detail::NameValue made_value(V&&... value) {
    static_assert(sizeof...(V) <= 1, "an entry has one value at most");
    if constexpr (has_values) {
      return std::make_shared<Value const>(std::forward<V>(value)...);
    } else {
      static_assert(sizeof...(V) == 0, "entries of this registry have no value: BasicRegistry<V>");
      return nullptr;
    }
  }
  static detail::CellBase const* cell_of() noexcept { return nullptr; }
  static detail::CellBase const* cell_of(auto const& ref) noexcept { return &ref.cell(); }

  detail::NameHandle names_;
};

using Registry = BasicRegistry<>;

}  // namespace spawned::registry
