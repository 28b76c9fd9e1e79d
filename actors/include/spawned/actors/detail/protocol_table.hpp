// How a Protocol reaches an actor whose type it does not know: tables of functions.
//
// An entry E is a message M or a request R(M). Per actor type and list of entries there is one
// constant table. It inherits its entries, so that finding one is no more than an offset, and a
// handle with a single entry (Recipient) points at that part of whichever table it came from.
//
// A Protocol that takes fewer entries than the one it is made of, but more than one, needs a table
// that nobody could prepare, because the conversion does not know the actor's type. It is made at
// the first such conversion from a given table and kept for the life of the process, in a list per
// pair of types; the program's text bounds their number.
//
// Orderings.
//   known     narrowed() CASes first (release)  ->  narrowed() loads, CASes first (acquire).
//             Who finds a table in the list sees it filled.
#pragma once

#include <type_traits>
#include <utility>

#include <spawned/actors/detail/asking.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/detail/handlers.hpp>
#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/pool.hpp>

namespace spawned {

template <typename... Entries>
class Protocol;

namespace detail {

template <typename E>
struct ProtocolEntry {  // a message
  SendResult (*post)(CellBase& cell, E&& message) = nullptr;
};
template <typename R, typename P>
struct ProtocolEntry<R(P)> {  // a request
  ReplyEnvelope<R>* (*make)(std::remove_cvref_t<P>&& message) = nullptr;
};

template <typename... Es>
struct ProtocolTable : ProtocolEntry<Es>... {};

/// What a Protocol points at.
template <typename... Es>
struct protocol_table {
  using type = ProtocolTable<Es...>;
};
template <typename E>
struct protocol_table<E> {
  using type = ProtocolEntry<E>;
};

// The entry R(M) of a list, or void.
template <typename M, typename... Es>
struct request_entry {
  using type = void;
};
template <typename M, typename E, typename... Rest>
struct request_entry<M, E, Rest...> : request_entry<M, Rest...> {};
template <typename M, typename R, typename P, typename... Rest>
struct request_entry<M, R(P), Rest...>
    : std::conditional_t<std::is_same_v<std::remove_cvref_t<P>, M>, std::type_identity<R(P)>,
                         request_entry<M, Rest...>> {};

// Never defined: their names are the error messages.
template <typename Actor, typename Message, typename InProtocol, typename InActor>
struct actor_replies_to_this_message_with_another_type_than_the_protocol_says;
template <typename Protocol, typename Message>
struct protocol_does_not_take_this_message;
template <typename Protocol, typename Message>
struct protocol_does_not_take_this_request;
template <typename Protocol, typename Message>
struct protocol_takes_this_as_a_request__use_request;
template <typename Protocol, typename Message>
struct protocol_takes_this_as_a_message__use_send;
template <typename From, typename Entry>
struct protocol_does_not_have_this_entry_of_the_one_it_is_converted_to;

template <typename A, typename E>
struct EntryOf {  // the entry E of an actor
  static constexpr bool exists() { return handles_message<A, E>; }
  static constexpr auto require() { require_message_handler<A, E>(); }
  static SendResult post_to(CellBase& cell, E&& message) {
    return post<A, E>(cell, std::move(message));
  }
  static constexpr ProtocolEntry<E> make() { return {&post_to}; }
};
template <typename A, typename R, typename P>
struct EntryOf<A, R(P)> {
  using M = std::remove_cvref_t<P>;
  static constexpr bool exists() {
    if constexpr (handles_request<A, M>) {
      return std::is_same_v<reply_t<A, M>, R>;
    } else {
      return false;
    }
  }
  static constexpr auto require() {
    require_request_handler<A, M>();
    if constexpr (handles_request<A, M> && !exists()) {
      (void)sizeof(
          actor_replies_to_this_message_with_another_type_than_the_protocol_says<A, M, R,
                                                                                 reply_t<A, M>>);
    }
  }
  static ReplyEnvelope<R>* make_for(M&& message) {
    return pool_new<RequestEnvelope<A, M>>(std::in_place, std::move(message));
  }
  static constexpr ProtocolEntry<R(P)> make() { return {&make_for}; }
};

template <typename A, typename... Es>
inline constexpr ProtocolTable<Es...> table_of_actor{{EntryOf<A, Es>::make()}...};

/// A table with only some of the entries of another.
template <typename From, typename... Es>
class NarrowedTable {
 public:
  static ProtocolTable<Es...> const& narrowed(From const& from) {
    NarrowedTable* known = first.load(memory_order_acquire);  // known
    if (auto const* table = find(known, nullptr, from)) return *table;
    auto* const made = pool_new<NarrowedTable>(from);
    for (;;) {
      made->next_ = known;
      NarrowedTable* newer = known;
      if (first.compare_exchange_strong(newer, made, memory_order_acq_rel,
                                        memory_order_acquire)) {  // known
        return made->table_;
      }
      if (auto const* table = find(newer, known, from)) {
        pool_delete(made);
        return *table;
      }
      known = newer;
    }
  }

  explicit NarrowedTable(From const& from) noexcept
      : from_(&from), table_{static_cast<ProtocolEntry<Es> const&>(from)...} {}

 private:
  static ProtocolTable<Es...> const* find(NarrowedTable* begin, NarrowedTable const* end,
                                          From const& from) noexcept {
    for (; begin != end; begin = begin->next_) {
      if (begin->from_ == &from) return &begin->table_;
    }
    return nullptr;
  }
  static inline constinit atomic<NarrowedTable*> first{nullptr};

  From const* from_;
  NarrowedTable* next_ = nullptr;
  ProtocolTable<Es...> table_;
};

/// Builds a message as construct_message() does.
template <typename M, typename... Args>
M build_message(Args&&... args) {
  if constexpr (std::is_constructible_v<M, Args&&...>) {
    return M(std::forward<Args>(args)...);
  } else {
    return M{std::forward<Args>(args)...};
  }
}

}  // namespace detail
}  // namespace spawned
