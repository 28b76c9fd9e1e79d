// Ring: a circular list through its nodes; the list itself is a node, too. Whoever uses one guards
// it.
#pragma once

namespace spawned::detail {

struct RingLinks {
  RingLinks* previous = nullptr;
  RingLinks* next = nullptr;  // null: in no list
};

[[nodiscard]] inline bool is_in_ring(RingLinks const& node) noexcept {
  return node.next != nullptr;
}

/// Of the list itself, before anything else.
inline void ring_init(RingLinks& list) noexcept { list.previous = list.next = &list; }

[[nodiscard]] inline bool is_ring_empty(RingLinks const& list) noexcept {
  return list.next == &list;
}

/// Behind `place`; behind the list's `previous` it is the last.
inline void ring_insert(RingLinks& place, RingLinks& node) noexcept {
  node.previous = &place;
  node.next = place.next;
  place.next->previous = &node;
  place.next = &node;
}

inline void ring_remove(RingLinks& node) noexcept {
  node.previous->next = node.next;
  node.next->previous = node.previous;
  node.next = nullptr;
}

}  // namespace spawned::detail
