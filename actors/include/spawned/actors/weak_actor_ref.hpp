// WeakActorRef<A>: a handle that does not count as a ref.
#pragma once

#include <optional>
#include <utility>

#include <spawned/actors/actor_ref.hpp>

namespace spawned {

namespace detail {

/// Keeps a cell in memory and nothing else.
class WeakCell {
 public:
  explicit WeakCell(CellBase& cell) noexcept : cell_(&cell) { cell.retain_memory(); }
  WeakCell(WeakCell const& other) noexcept : cell_(other.cell_) {
    if (cell_ != nullptr) cell_->retain_memory();
  }
  WeakCell(WeakCell&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  WeakCell& operator=(WeakCell other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~WeakCell() {
    if (cell_ != nullptr) cell_->release_memory();
  }

  /// A new ref to the actor, the caller's to release, or nullptr once it has ended.
  [[nodiscard]] CellBase* upgrade() const noexcept {
    if (cell_->has_ended()) return nullptr;
    cell_->retain_again();
    return cell_;
  }
  [[nodiscard]] CellBase& cell() const noexcept { return *cell_; }

  friend bool operator==(WeakCell const& left, WeakCell const& right) noexcept {
    return left.cell_ == right.cell_;
  }

 private:
  CellBase* cell_;
};

}  // namespace detail

/// Names an actor without being a ref to it: an actor with ActorOptions::stop_when_unreferenced
/// ends although weak refs to it exist. Keeps the small cell in memory.
///
/// Threads  as ActorRef.
/// Example  tests/actors/weak_ref_test.cpp
template <typename A>
class WeakActorRef {
 public:
  using actor_type = A;

  /// For the library: the caller keeps the cell.
  explicit WeakActorRef(detail::ActorCell<A>& cell) noexcept : weak_(cell) {}

  WeakActorRef(ActorRef<A> const& ref) noexcept  // NOLINT(google-explicit-constructor)
      : weak_(ref.cell()) {}

  /// A ref, or nullopt once the actor has ended. It may be about to end: a request then says so.
  [[nodiscard]] std::optional<ActorRef<A>> upgrade() const noexcept {
    detail::CellBase* const cell = weak_.upgrade();
    if (cell == nullptr) return std::nullopt;
    return ActorRef<A>(static_cast<detail::ActorCell<A>&>(*cell));
  }
  [[nodiscard]] ActorId id() const noexcept { return weak_.cell().id(); }

  friend bool operator==(WeakActorRef const&, WeakActorRef const&) noexcept = default;

 private:
  detail::WeakCell weak_;
};

template <typename A>
WeakActorRef<A> Context<A>::weak_self() const noexcept {
  return WeakActorRef<A>(static_cast<detail::ActorCell<A>&>(*cell_));
}

template <typename A>
WeakActorRef<A> ActorRef<A>::downgrade() const noexcept {
  return WeakActorRef<A>(*cell_);
}

}  // namespace spawned
