// HandleCount: who keeps an actor's cell in memory, and whether anybody still has a ref to it.
//
// One word:
//   low 32 bits    strong    ActorRefs and Protocols
//   high 32 bits   memory    owners of the cell: weak refs, waiters, the living actor itself, and
//                            one that all strong refs hold together while there is any
//
//   operation            caller holds         does
//   add_strong()         a strong ref         strong + 1
//   add_strong_again()   memory               strong + 1; from 0 also memory + 1, for them together
//   drop_strong()        the ref              strong - 1; the last one is left with their memory
//   add_memory()         strong or memory     memory + 1
//   drop_memory()        that memory          memory - 1; the last one frees the cell
//
// Strong goes from 0 to 1 and back any number of times. Each way up is one CAS that adds both
// parts, so whoever finds strong above 0 finds the memory of all refs counted; each way down leaves
// exactly one caller with that memory, to be dropped when it has done what the last one must do. So
// memory reaches 0 once, when nobody is left who could add to either part.
//
// Orderings.
//   refs      drop_strong(), drop_memory() subtract (acq_rel)  ->  drop_strong(), drop_memory()
//             subtract (acq_rel).
//             The last owner frees the cell after everybody else is done with it.
#pragma once

#include <cstdint>

#include <spawned/runtime/detail/atomic.hpp>

namespace spawned::detail {

class HandleCount {
 public:
  /// One strong ref, the creator's, and the actor itself.
  HandleCount() noexcept : word_(2 * memory + strong) {}

  void add_strong() noexcept { word_.fetch_add(strong, memory_order_relaxed); }  // holds one
  void add_memory() noexcept { word_.fetch_add(memory, memory_order_relaxed); }  // holds one

  void add_strong_again() noexcept {
    std::uint64_t before = word_.load(memory_order_relaxed);  // the CAS checks it
    std::uint64_t after = 0;
    do {
      after = before + strong + (has_strong(before) ? 0 : memory);
    } while (!word_.compare_exchange_weak(before, after, memory_order_relaxed,
                                          memory_order_relaxed));  // holds memory
  }

  /// True: it was the last ref, and the caller must drop the memory of all.
  [[nodiscard]] bool drop_strong() noexcept {
    return !has_strong(word_.fetch_sub(strong, memory_order_acq_rel) - strong);  // refs
  }
  /// True: nobody is left, the caller frees the cell.
  [[nodiscard]] bool drop_memory() noexcept {
    return word_.fetch_sub(memory, memory_order_acq_rel) == memory;  // refs
  }

  /// A moment's truth, unless the caller orders it otherwise.
  [[nodiscard]] bool is_referenced() const noexcept {
    return has_strong(word_.load(memory_order_relaxed));  // ordered by the caller
  }

 private:
  static constexpr std::uint64_t strong = 1;
  static constexpr std::uint64_t memory = std::uint64_t{1} << 32;
  static bool has_strong(std::uint64_t word) noexcept { return (word & (memory - 1)) != 0; }

  atomic<std::uint64_t> word_;
};

}  // namespace spawned::detail
