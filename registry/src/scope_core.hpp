// ScopeCore, GroupNode and GroupMembership: see detail/scope.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include <spawned/registry/detail/scope.hpp>

namespace spawned::groups::detail {

struct Shard;

struct GroupNode {
  GroupNode(GroupKey const& key, Shard& shard);
  GroupNode(GroupNode const&) = delete;
  GroupNode& operator=(GroupNode const&) = delete;
  ~GroupNode() = default;

  [[nodiscard]] GroupMembers describe(std::vector<Member> members) const {
    return {name, tag, std::move(members)};
  }
  [[nodiscard]] std::vector<Member> members() const;

  std::string name;
  std::uint64_t hash;
  void const* tag;
  std::string_view type;
  Roster roster;
  std::vector<GroupWatch*> watches;  // guarded by `change`, as is all but the roster's view
};

struct NodeKey {
  std::string_view name;
  std::uint64_t hash;
  friend bool operator==(NodeKey const& left, NodeKey const& right) noexcept {
    return left.hash == right.hash && left.name == right.name;
  }
};
struct NodeHash {
  std::size_t operator()(NodeKey const& key) const noexcept { return key.hash; }
};

struct alignas(64) Shard {
  [[nodiscard]] GroupNode* find(NodeKey const& key) const {
    auto const found = nodes.find(key);
    return found != nodes.end() ? found->second : nullptr;
  }
  /// Under `change`. Errors: std::bad_alloc.
  [[nodiscard]] GroupNode& find_or_make(GroupKey const& key);
  /// The same: a group without members and monitors goes.
  void tidy(GroupNode& node) noexcept;
  /// The same: tells everybody who monitors the group.
  void tell(GroupNode const& node, GroupEvent::Change change,
            std::vector<Member> members) const noexcept;

  SpinLock change;
  SpinLock look;
  bool closed = false;                                      // guarded by `change`
  std::unordered_map<NodeKey, GroupNode*, NodeHash> nodes;  // written under both
  std::vector<GroupWatch*> watches;                         // of all groups; guarded by `change`
};

class ScopeCore {
 public:
  static constexpr std::size_t shard_count = 16;

  [[nodiscard]] Shard& shard_of(std::uint64_t hash) noexcept {
    return shards[(hash >> 32) % shard_count];
  }
  void close() noexcept;
  void hold() noexcept { counts.add_memory(); }
  void drop() noexcept;
  /// A watch is to hear nothing any more. True: it was in some list.
  bool unlist(GroupWatch& watch) noexcept;

  TwoCounts counts;
  Shard shards[shard_count];

 private:
  static bool unlist_from(Shard& shard, GroupWatch& watch) noexcept;
  static void close_shard(Shard& shard) noexcept;
};

/// One actor's being in one group, once.
class GroupMembership final : public Membership {
 public:
  GroupMembership(ScopeCore& scope, Shard& shard, GroupNode& node, Joiner const& joiner) noexcept
      : Membership(*joiner.cell, joiner.table, &on_end, &on_destroy),
        scope_(&scope),
        shard_(&shard),
        node_(&node) {
    scope.hold();
  }

 private:
  template <typename U>
  friend void spawned::detail::pool_delete(U*) noexcept;
  ~GroupMembership() = default;
  static void on_end(EndHook& hook, CellBase& cell) noexcept;
  static void on_destroy(Membership& membership) noexcept;

  ScopeCore* scope_;
  Shard* shard_;
  GroupNode* node_;  // there is one while it is in its roster
};

}  // namespace spawned::groups::detail
