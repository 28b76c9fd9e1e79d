// What a supervisor tells itself: a child has changed, a child is to be restarted now.
#pragma once

#include <cstdint>
#include <utility>

namespace spawned::detail {

class Child;
void hold_child(Child& child) noexcept;
void drop_child(Child& child) noexcept;

/// A reference to the record of a child.
class ChildHold {
 public:
  /// The caller has one.
  explicit ChildHold(Child& child) noexcept : child_(&child) { hold_child(child); }
  ChildHold(ChildHold const& other) noexcept : child_(other.child_) {
    if (child_ != nullptr) hold_child(*child_);
  }
  ChildHold(ChildHold&& other) noexcept : child_(std::exchange(other.child_, nullptr)) {}
  ChildHold& operator=(ChildHold other) noexcept {
    std::swap(child_, other.child_);
    return *this;
  }
  ~ChildHold() {
    if (child_ != nullptr) drop_child(*child_);
  }
  [[nodiscard]] Child& get() const noexcept { return *child_; }

 private:
  Child* child_;
};

/// A child has ended while nobody waited for it.
class ChildEvent : public ChildHold {
 public:
  using ChildHold::ChildHold;
};

/// The next attempt to restart it; stale unless its number is the child's.
class ChildRetry : public ChildHold {
 public:
  ChildRetry(Child& child, std::uint32_t attempt) noexcept : ChildHold(child), attempt_(attempt) {}
  [[nodiscard]] std::uint32_t attempt() const noexcept { return attempt_; }

 private:
  std::uint32_t attempt_;
};

}  // namespace spawned::detail
