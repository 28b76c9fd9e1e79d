// WaitTarget: whom a wait will be for that comes later, if at all.
//
// One word: the address of the cell, and in its lowest bit whether this holds the cell's memory. It
// does so only where cycles are looked for, because only there a wait needs more than the identity.
#pragma once

#include <cstdint>
#include <utility>

#include <spawned/actors/detail/cell.hpp>

namespace spawned::detail {

class WaitTarget {
 public:
  /// The caller has a ref.
  explicit WaitTarget(CellBase& cell) noexcept
      : word_(reinterpret_cast<std::uintptr_t>(static_cast<ExecutionContext*>(&cell))) {
    if (cell.detects_cycles()) [[unlikely]] {
      cell.retain_memory();
      word_ |= held;
    }
  }
  /// `other` keeps the identity.
  WaitTarget(WaitTarget&& other) noexcept : word_(std::exchange(other.word_, other.identity())) {}
  WaitTarget& operator=(WaitTarget&& other) noexcept {
    std::swap(word_, other.word_);
    return *this;
  }
  ~WaitTarget() {
    if (CellBase* const cell = cell_or_null()) [[unlikely]]
      cell->release_memory();
  }

  /// Compare it only: the cell may be gone.
  [[nodiscard]] void const* address() const noexcept {
    return reinterpret_cast<void const*>(identity());
  }
  /// Null: nobody looks for cycles there.
  [[nodiscard]] CellBase* cell_or_null() const noexcept {
    if ((word_ & held) == 0) return nullptr;
    return static_cast<CellBase*>(reinterpret_cast<ExecutionContext*>(identity()));
  }

 private:
  static constexpr std::uintptr_t held = 1;
  static_assert(alignof(CellBase) > held);
  [[nodiscard]] std::uintptr_t identity() const noexcept { return word_ & ~held; }

  std::uintptr_t word_;
};

}  // namespace spawned::detail
