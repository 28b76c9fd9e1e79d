// What a supervisor tells of its children: ChildRef, ChildInfo, ChildCounts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/supervision/child_spec.hpp>

namespace spawned {

/// A child's actor whose type is not known here. Counts as a ref. Empty: the child has none.
class ChildRef {
 public:
  ChildRef() noexcept = default;
  /// For the library: makes a reference of its own.
  ChildRef(detail::CellBase& cell, void const* type) noexcept : cell_(&cell), type_(type) {
    cell.retain_again();
  }
  ChildRef(ChildRef const& other) noexcept : cell_(other.cell_), type_(other.type_) {
    if (cell_ != nullptr) cell_->retain();
  }
  ChildRef(ChildRef&& other) noexcept
      : cell_(std::exchange(other.cell_, nullptr)), type_(other.type_) {}
  ChildRef& operator=(ChildRef other) noexcept {
    std::swap(cell_, other.cell_);
    std::swap(type_, other.type_);
    return *this;
  }
  ~ChildRef() {
    if (cell_ != nullptr) cell_->release();
  }

  explicit operator bool() const noexcept { return cell_ != nullptr; }
  /// 0 without an actor.
  [[nodiscard]] ActorId id() const noexcept { return cell_ != nullptr ? cell_->id() : ActorId(); }
  /// The ref, if it is an A.
  template <typename A>
  [[nodiscard]] std::optional<ActorRef<A>> as() const noexcept {
    if (cell_ == nullptr || type_ != &detail::type_tag<A>) return std::nullopt;
    cell_->retain();
    return ActorRef<A>(static_cast<detail::ActorCell<A>&>(*cell_));
  }
  /// For Context::link() and monitor(). Not of an empty one.
  [[nodiscard]] detail::CellBase& cell() const noexcept { return *cell_; }

  friend bool operator==(ChildRef const& left, ChildRef const& right) noexcept {
    return left.cell_ == right.cell_;
  }

 private:
  detail::CellBase* cell_ = nullptr;
  void const* type_ = nullptr;
};

enum class ChildState : std::uint8_t {
  running,
  restarting,  ///< it has ended and is about to be restarted
  undefined,   ///< it has ended, or was stopped, and stays so; OTP's undefined
};

struct ChildInfo {
  std::string id;
  ChildState state;
  ChildType type;
  Restart restart;
  std::uint32_t restarts;  ///< since it was started
  std::string_view actor;  ///< the name of its class
  ChildRef ref;            ///< its slot: also while it is restarting
  /// For the library: how to ask it for its own children, if it has any.
  detail::AskChildren ask_children = nullptr;
};

/// OTP's count_children.
struct ChildCounts {
  std::size_t specs = 0;        ///< of children, running or not
  std::size_t active = 0;       ///< running
  std::size_t supervisors = 0;  ///< of type supervisor, running or not
  std::size_t workers = 0;
  friend bool operator==(ChildCounts const&, ChildCounts const&) noexcept = default;
};

}  // namespace spawned
