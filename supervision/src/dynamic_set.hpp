// DynamicSet: the children of a dynamic supervisor, found by the id of their actor.
//
// A table of pointers with open addressing, seven eighths full at most, which grows by half: at
// most 16 bytes a child.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include <spawned/supervision/child_template.hpp>

#include "child.hpp"

namespace spawned::detail {

class DynamicSet {
 public:
  explicit DynamicSet(std::optional<ChildTemplate> common);
  DynamicSet(DynamicSet const&) = delete;
  DynamicSet& operator=(DynamicSet const&) = delete;
  ~DynamicSet();

  /// On the supervisor's first turn.
  void open(CellBase& supervisor, PostChildEvent post) noexcept {
    supervisor_ = &supervisor;
    post_ = post;
  }
  /// A child that is not one of them yet; the caller has the reference. Errors: std::bad_alloc.
  [[nodiscard]] Child& make(std::shared_ptr<ChildSpec const> spec, ArgumentsPtr arguments);
  /// Makes room for one more. Errors: std::bad_alloc.
  void reserve();
  /// It has an actor, by whose id it is found from now on; takes the reference over. There is room.
  void add(Child& child) noexcept;
  /// Gives its reference up.
  void remove(Child& child) noexcept;
  /// It may have got another actor.
  void find_anew(Child& child) noexcept;

  [[nodiscard]] Child* find(ActorId id) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] ChildCounts count() const noexcept;
  [[nodiscard]] std::vector<ChildInfo> list() const;
  /// All of them.
  [[nodiscard]] std::vector<Child*> all() const;

  /// Null: each child has a spec of its own.
  [[nodiscard]] ChildTemplate const* common() const noexcept {
    return common_ ? &*common_ : nullptr;
  }
  [[nodiscard]] std::shared_ptr<ChildSpec const> const& common_spec() const noexcept {
    return spec_;
  }

 private:
  [[nodiscard]] std::size_t place_of(ActorId id) const noexcept;
  [[nodiscard]] std::size_t after(std::size_t place) const noexcept {
    return place + 1 == table_.size() ? 0 : place + 1;
  }
  void put(Child& child) noexcept;
  void take_out(std::size_t place) noexcept;
  [[nodiscard]] std::size_t where(Child const& child) const noexcept;

  std::vector<Child*> table_;
  std::size_t size_ = 0;
  CellBase* supervisor_ = nullptr;
  PostChildEvent post_ = nullptr;
  std::optional<ChildTemplate> common_;
  std::shared_ptr<ChildSpec const> spec_;
};

}  // namespace spawned::detail
