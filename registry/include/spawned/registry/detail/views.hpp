// Views: as what types a registered actor can be looked up. The names of types are compared by
// address (type_tag); each way to register has one constant list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/actors/protocol.hpp>
#include <spawned/registry/key.hpp>

namespace spawned::registry::detail {

/// What names an actor of "type" T: a class, or a Protocol.
template <typename T>
struct handle_of {
  using type = ActorRef<T>;
};
template <typename... Es>
struct handle_of<Protocol<Es...>> {
  using type = Protocol<Es...>;
};
template <typename T>
using handle_t = typename handle_of<T>::type;

struct View {
  void const* tag;
  std::string_view type_name;
  /// Builds the handle in `where`, of the caller's strong reference to `cell`.
  void (*make)(CellBase& cell, void const* table, void* where);
};

/// Instead of a type's tag: whatever it is.
inline constexpr char any_type = 0;

/// The first is the type under which the actor was registered.
struct Views {
  View const* first;
  std::size_t count;

  [[nodiscard]] View const* find(void const* tag) const noexcept {
    for (View const* each = first; each != first + count; ++each) {
      if (each->tag == tag) return each;
    }
    return tag == &any_type ? first : nullptr;
  }
};

/// What a look-up has found. `ref`: a strong reference, the caller's, or null.
template <typename Cell>
struct BasicFound {
  Cell* ref = nullptr;
  View const* view = nullptr;   // null: registered, and not as the type asked for
  View const* first = nullptr;  // the type under which it was registered; null: nobody is
  void const* protocol = nullptr;
  std::uint64_t id = 0;
};
using Found = BasicFound<CellBase>;

/// An actor of class A as T, which is A or a Protocol that A has the handlers of.
template <typename A, typename T>
struct ViewOf {
  static void make(CellBase& cell, void const* /*table*/, void* where) {
    ActorRef<A> ref(static_cast<ActorCell<A>&>(cell));
    ::new (where) handle_t<T>(std::move(ref));
  }
  static constexpr View view{&type_tag<T>, type_name<T>(), &make};
};
/// An actor known by a protocol, as that.
template <typename... Es>
struct ViewOf<Protocol<Es...>, Protocol<Es...>> {
  static void make(CellBase& cell, void const* table, void* where) {
    using Table = typename protocol_table<Es...>::type;
    ::new (where) Protocol<Es...>(cell, *static_cast<Table const*>(table));
  }
  static constexpr View view{&type_tag<Protocol<Es...>>, type_name<Protocol<Es...>>(), &make};
};

template <typename A, typename... Ts>
inline constexpr View views_list[] = {ViewOf<A, A>::view, ViewOf<A, Ts>::view...};
template <typename A, typename... Ts>
inline constexpr Views views_of{views_list<A, Ts...>, 1 + sizeof...(Ts)};

/// What a registration keeps of a handle.
struct HandleParts {
  CellBase* cell;
  void const* table;
};
template <typename A>
HandleParts parts_of(ActorRef<A> const& ref) noexcept {
  return {&ref.cell(), nullptr};
}
template <typename... Es>
HandleParts parts_of(Protocol<Es...> const& ref) noexcept {
  return {&ref.cell(), &ref.table()};
}

/// What a ref of any flavour names: what handle_of makes a handle of again.
template <typename A>
std::type_identity<A> registered_as(ActorRef<A> const&);
template <typename... Es>
std::type_identity<Protocol<Es...>> registered_as(Protocol<Es...> const&);
template <typename Ref>
using registered_t = typename decltype(registered_as(std::declval<Ref const&>()))::type;

}  // namespace spawned::registry::detail
