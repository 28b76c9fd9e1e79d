// ChildSet: the children of a supervisor in the order of their starts.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "child.hpp"

namespace spawned::detail {

/// Throws InvalidOptions for a spec that makes no sense.
void check(ChildSpec const& spec);
/// The same for one that needs no id.
void check_unnamed(ChildSpec const& spec);

class ChildSet {
 public:
  /// Throws InvalidOptions, also for two specs of one id.
  explicit ChildSet(std::vector<ChildSpec> specs);
  ChildSet(ChildSet const&) = delete;
  ChildSet& operator=(ChildSet const&) = delete;
  ~ChildSet();

  /// On the supervisor's first turn: makes the records. Errors: std::bad_alloc.
  void open(CellBase& supervisor, PostChildEvent post);
  /// Adds one more. Errors: std::bad_alloc.
  Child& add(ChildSpec spec);
  /// Its spec goes.
  void remove(Child& child) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return children_.size(); }
  [[nodiscard]] Child& operator[](std::size_t index) const noexcept { return *children_[index]; }
  [[nodiscard]] Child* find(std::string_view id) const noexcept;
  [[nodiscard]] std::size_t index_of(Child const& child) const noexcept;
  [[nodiscard]] ChildCounts count() const noexcept;
  [[nodiscard]] std::vector<ChildInfo> list() const;

 private:
  std::vector<ChildSpec> specs_;  // until open()
  std::vector<Child*> children_;
  CellBase* supervisor_ = nullptr;
  PostChildEvent post_ = nullptr;
};

}  // namespace spawned::detail
