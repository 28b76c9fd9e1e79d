// start_registered: an actor started under a name, or the one that has it.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <spawned/actors/actor.hpp>
#include <spawned/actors/detail/handlers.hpp>
#include <spawned/actors/threads/actor.hpp>
#include <spawned/registry/detail/names.hpp>
#include <spawned/registry/error.hpp>

namespace spawned::registry {

/// What start_registered() gives.
template <typename Ref>
struct StartedAs {
  Ref ref;
  bool started_now;  ///< false: the name was taken, `ref` is the holder's and nothing was started
};

/// Why start_registered() has neither: the name could not be used, or the start failed.
class NamedStartError {
 public:
  NamedStartError(RegistryError error) noexcept  // NOLINT(google-explicit-constructor)
      : error_(error) {}
  NamedStartError(ActorError error) noexcept  // NOLINT(google-explicit-constructor)
      : error_(std::move(error)) {}

  [[nodiscard]] RegistryError const* name_error() const noexcept {
    return std::get_if<RegistryError>(&error_);
  }
  [[nodiscard]] ActorError const* start_error() const noexcept {
    return std::get_if<ActorError>(&error_);
  }
  [[nodiscard]] std::string what() const {
    return std::visit([](auto const& error) { return error.what(); }, error_);
  }
  [[noreturn]] void raise() const {
    if (name_error() != nullptr) name_error()->raise();
    start_error()->raise();
  }

 private:
  std::variant<RegistryError, ActorError> error_;
};

template <typename B>
using NamedStart = Result<StartedAs<ActorRef<B>>, NamedStartError>;

namespace detail {

template <typename B>
NamedStart<B> holder_of_name(NameTable* table, Found const& found) {
  auto holder = as_handle<B>(table, found);
  if (!holder) return Unexpected(NamedStartError(holder.error()));
  return StartedAs<ActorRef<B>>{std::move(*holder), false};
}

/// Looks before it builds an actor; of two that look at the same time, one builds in vain, and
/// neither its init nor any other callback runs.
template <typename B, typename... Args>
NamedStart<B> begin_registered(NameTable* table, Name const& name, NameValue value,
                               Args&&... args) {
  using Kind = RegistryError::Kind;
  (reject_dangerous_temporary<Args>(), ...);
  if (table == nullptr) return Unexpected(NamedStartError(Kind::unknown_registry));
  if (name.name.empty()) return Unexpected(NamedStartError(Kind::empty_name));
  Found const found = find_name(table, name, &type_tag<B>);
  if (found.first != nullptr) return holder_of_name<B>(table, found);
  Reservation reservation(*table, name, views_of<B>, &type_tag<B>, std::move(value));
  auto const before = [&](CellBase& started) { reservation.take(started); };
  Scheduler& scheduler = require_scheduler("start_registered");
  try {
    ActorRef<B> ref = threads::detail::start_in_flavour<B>(before, scheduler, "start_registered",
                                                           std::forward<Args>(args)...);
    reservation.publish();
    return StartedAs<ActorRef<B>>{std::move(ref), true};
  } catch (Reservation::Taken const& taken) {
    return holder_of_name<B>(table, taken.holder);
  }
}

// The name is free when a start that has failed returns: the actor itself may still be ending.
template <typename B>
Task<NamedStart<B>> await_registered(NameHandle table, std::string text, void const* space,
                                     NamedStart<B> begun) {
  if (!begun || !begun->started_now) co_return std::move(begun);
  ActorRef<B> const ref = begun->ref;
  auto ready = co_await await_init(ref, default_request_timeout.count());
  if (ready) co_return std::move(begun);
  (void)remove_name_of(table.get(), Name(text, space), ref.cell());
  co_return Unexpected(NamedStartError(std::move(ready.error())));
}

template <typename B>
NamedStart<B> block_registered(NameTable* table, Name const& name, NamedStart<B> begun) {
  if (!begun || !begun->started_now) return begun;
  ActorRef<B> const ref = begun->ref;
  auto ready = threads::detail::wait_for_init<B>(ref, default_request_timeout.count());
  if (ready) return begun;
  (void)remove_name_of(table, name, ref.cell());
  return Unexpected(NamedStartError(std::move(ready.error())));
}

}  // namespace detail

}  // namespace spawned::registry
