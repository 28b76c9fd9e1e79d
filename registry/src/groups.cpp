#include <spawned/registry/groups.hpp>

#include <algorithm>
#include <new>
#include <utility>

#include <spawned/runtime/detail/extensions.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/runtime.hpp>

#include "scope_core.hpp"

namespace spawned::groups::detail {

namespace {

using Kind = GroupError::Kind;

// The default scope of a runtime.
struct OwnScope final : Extension {
  OwnScope() : Extension(kind_tag, &on_destroy), scope(&make_scope()) {}
  static constexpr char kind_tag = 0;
  static void on_destroy(Extension& self) noexcept { pool_delete(static_cast<OwnScope*>(&self)); }
  ~OwnScope() { drop_scope(*scope); }
  ScopeCore* scope;
};

Unexpected<GroupError> wrong_type(GroupNode const& node, GroupKey const& key) {
  return Unexpected(GroupError(Kind::another_type, node.type, key.type));
}

// Those that are about to join: all of them do, or none.
class Joining {
 public:
  Joining(Shard& shard, GroupNode& node, std::size_t count) : shard_(&shard), node_(&node) {
    all_.reserve(count);
    node.roster.reserve(count);
  }
  Joining(Joining const&) = delete;
  Joining& operator=(Joining const&) = delete;
  // A hook that runs already finds that its membership never was one.
  ~Joining() {
    for (Membership* const each : all_) {
      if (remove_end_hook(each->cell(), *each)) each->drop();
    }
  }

  /// False: it has ended.
  bool add(ScopeCore& scope, Joiner const& joiner) {
    (void)joiner.cell->extra();  // what may fail comes first
    auto* const made = pool_new<GroupMembership>(scope, *shard_, *node_, joiner);
    if (add_end_hook(*joiner.cell, *made)) {
      all_.push_back(made);
      return true;
    }
    made->drop();
    return false;
  }
  void finish() noexcept {
    node_->roster.add(all_.data(), all_.size());
    all_.clear();
  }

 private:
  Shard* shard_;
  GroupNode* node_;
  std::vector<Membership*> all_;
};

// Makes the group tidy again, whatever happens.
class NodeGuard {
 public:
  NodeGuard(Shard& shard, GroupNode& node) noexcept : shard_(&shard), node_(&node) {}
  NodeGuard(NodeGuard const&) = delete;
  NodeGuard& operator=(NodeGuard const&) = delete;
  ~NodeGuard() { shard_->tidy(*node_); }

 private:
  Shard* shard_;
  GroupNode* node_;
};

std::vector<Member> members_of(Joiner const* first, std::size_t count) {
  std::vector<Member> all;
  all.reserve(count);
  for (std::size_t i = 0; i < count; ++i) all.emplace_back(*first[i].cell, first[i].table);
  return all;
}

// A new monitor and where it is listed; goes, unless it is kept.
class NewWatch {
 public:
  NewWatch(ScopeCore& scope, CellBase& receiver, PostGroupEvent post, bool of_all)
      : watch_(pool_new<GroupWatch>(scope, receiver, post, of_all)) {}
  NewWatch(NewWatch const&) = delete;
  NewWatch& operator=(NewWatch const&) = delete;
  ~NewWatch() {
    if (watch_ == nullptr) return;
    (void)watch_->scope().unlist(*watch_);
    watch_->drop();
  }
  [[nodiscard]] GroupWatch& get() const noexcept { return *watch_; }
  void list_in(std::vector<GroupWatch*>& list) const {
    list.push_back(watch_);
    watch_->hold();
  }
  /// Last, so that its end finds it in every list.
  [[nodiscard]] Result<WatchedGroup, GroupError> keep(CellBase& receiver,
                                                      std::vector<GroupMembers> groups) {
    watch_->hold();
    if (!add_end_hook(receiver, *watch_)) {
      watch_->drop();
      return Unexpected(GroupError(Kind::no_such_actor));
    }
    return WatchedGroup{std::exchange(watch_, nullptr), std::move(groups)};
  }

 private:
  GroupWatch* watch_;
};

}  // namespace

ScopeCore& make_scope() { return *pool_new<ScopeCore>(); }
void hold_scope(ScopeCore& scope) noexcept { scope.counts.add_handle(); }
void drop_scope(ScopeCore& scope) noexcept {
  if (!scope.counts.drop_handle()) return;
  scope.close();
  scope.drop();
}
void close_scope(ScopeCore& scope) noexcept { scope.close(); }
ScopeCore& scope_of(Scheduler& scheduler) { return *extension<OwnScope>(scheduler).scope; }
ScopeCore* own_scope() {
  Scheduler* const scheduler = current_scheduler();
  return scheduler != nullptr ? &scope_of(*scheduler) : nullptr;
}

Result<void, GroupError> join(ScopeCore* scope, GroupKey const& key, Joiner const* joiners,
                              std::size_t count) {
  if (scope == nullptr) return Unexpected(GroupError(Kind::no_scope));
  Shard& shard = scope->shard_of(key.hash);
  SpinGuard const guard(shard.change);
  if (shard.closed) return Unexpected(GroupError(Kind::no_scope));
  GroupNode& node = shard.find_or_make(key);
  NodeGuard const tidy(shard, node);
  if (node.tag != key.tag) return wrong_type(node, key);
  Joining joining(shard, node, count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!joining.add(*scope, joiners[i])) return Unexpected(GroupError(Kind::no_such_actor));
  }
  bool const watched = !node.watches.empty() || !shard.watches.empty();
  std::vector<Member> told;
  if (watched) told = members_of(joiners, count);
  joining.finish();
  if (watched && count != 0) shard.tell(node, GroupEvent::Change::joined, std::move(told));
  return {};
}

Result<std::size_t, GroupError> leave(ScopeCore* scope, GroupKey const& key, Joiner const* leavers,
                                      std::size_t count) {
  if (scope == nullptr) return Unexpected(GroupError(Kind::no_scope));
  Shard& shard = scope->shard_of(key.hash);
  SpinGuard const guard(shard.change);
  if (shard.closed) return Unexpected(GroupError(Kind::no_scope));
  GroupNode* const node = shard.find({key.name, key.hash});
  if (node == nullptr) return Unexpected(GroupError(Kind::not_joined));
  if (node->tag != key.tag) return wrong_type(*node, key);
  NodeGuard const tidy(shard, *node);
  std::vector<Member> left;
  left.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    Membership* const member = node->roster.last_of(*leavers[i].cell);
    if (member == nullptr) continue;
    left.emplace_back(*leavers[i].cell, member->table());
    (void)node->roster.remove(*member);
    if (remove_end_hook(*leavers[i].cell, *member)) member->drop();
  }
  if (left.empty()) return Unexpected(GroupError(Kind::not_joined));
  std::size_t const gone = left.size();
  shard.tell(*node, GroupEvent::Change::left, std::move(left));
  return gone;
}

RosterView view(ScopeCore* scope, GroupKey const& key) {
  if (scope == nullptr) return {};
  Shard& shard = scope->shard_of(key.hash);
  std::string_view other;
  {
    SpinGuard const guard(shard.look);
    GroupNode const* const node = shard.find({key.name, key.hash});
    if (node == nullptr) return {};
    if (node->tag == key.tag) return node->roster.view();
    other = node->type;
  }
  GroupError(Kind::another_type, other, key.type).raise();
}

std::vector<std::string> group_names(ScopeCore* scope) {
  std::vector<std::string> all;
  if (scope == nullptr) return all;
  for (Shard& each : scope->shards) {
    SpinGuard const guard(each.change);
    for (auto const& [key, node] : each.nodes) {
      if (node->roster.size() != 0) all.push_back(node->name);
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

Result<WatchedGroup, GroupError> watch_group(ScopeCore* scope, GroupKey const& key,
                                             CellBase& receiver, PostGroupEvent post) {
  if (scope == nullptr) return Unexpected(GroupError(Kind::no_scope));
  NewWatch watch(*scope, receiver, post, false);
  watch.get().name_group(key);
  std::vector<GroupMembers> groups;
  Shard& shard = scope->shard_of(key.hash);
  {
    SpinGuard const guard(shard.change);
    if (shard.closed) return Unexpected(GroupError(Kind::no_scope));
    GroupNode& node = shard.find_or_make(key);
    NodeGuard const tidy(shard, node);
    if (node.tag != key.tag) return wrong_type(node, key);
    groups.push_back(node.describe(node.members()));
    watch.list_in(node.watches);
  }
  return watch.keep(receiver, std::move(groups));
}

Result<WatchedGroup, GroupError> watch_scope(ScopeCore* scope, CellBase& receiver,
                                             PostGroupEvent post) {
  if (scope == nullptr) return Unexpected(GroupError(Kind::no_scope));
  NewWatch watch(*scope, receiver, post, true);
  std::vector<GroupMembers> groups;
  for (Shard& each : scope->shards) {
    SpinGuard const guard(each.change);
    if (each.closed) return Unexpected(GroupError(Kind::no_scope));
    for (auto const& [key, node] : each.nodes) {
      if (node->roster.size() != 0) groups.push_back(node->describe(node->members()));
    }
    watch.list_in(each.watches);
  }
  std::sort(groups.begin(), groups.end(), [](GroupMembers const& left, GroupMembers const& right) {
    return left.name() < right.name();
  });
  return watch.keep(receiver, std::move(groups));
}

bool unwatch(GroupWatch& watch) noexcept {
  watch.turn_off();
  bool const was_on = watch.scope().unlist(watch);
  if (remove_end_hook(watch.receiver(), watch)) watch.drop();
  return was_on;
}

}  // namespace spawned::groups::detail

namespace spawned::groups {

Scope Scope::of(Runtime& runtime) { return Scope(detail::scope_of(runtime.scheduler())); }

}  // namespace spawned::groups
