#include "scope_core.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include <spawned/registry/detail/scope.hpp>
#include <spawned/runtime/detail/pool.hpp>

namespace spawned::groups::detail {

GroupNode::GroupNode(GroupKey const& key, Shard& shard)
    : name(key.name), hash(key.hash), tag(key.tag), type(key.type), roster(shard.look) {}

std::vector<Member> GroupNode::members() const {
  std::vector<Member> all;
  all.reserve(roster.size());
  roster.view().for_each([&](RosterEntry& entry) { all.emplace_back(*entry.cell, entry.table); });
  return all;
}

GroupNode& Shard::find_or_make(GroupKey const& key) {
  if (GroupNode* const known = find({key.name, key.hash})) return *known;
  auto* const made = pool_new<GroupNode>(key, *this);
  try {
    SpinGuard const guard(look);
    nodes.emplace(NodeKey{made->name, made->hash}, made);
  } catch (...) {
    pool_delete(made);
    throw;
  }
  return *made;
}

void Shard::tidy(GroupNode& node) noexcept {
  if (node.roster.size() != 0 || !node.watches.empty()) return;
  {
    SpinGuard const guard(look);
    nodes.erase(NodeKey{node.name, node.hash});
  }
  pool_delete(&node);
}

void Shard::tell(GroupNode const& node, GroupEvent::Change change_of,
                 std::vector<Member> members) const noexcept {
  for (std::vector<GroupWatch*> const* list : {&node.watches, &watches}) {
    for (GroupWatch* const each : *list) each->tell(change_of, node.describe(members));
  }
}

// --- members ---

void GroupMembership::on_end(EndHook& hook, CellBase& cell) noexcept {
  auto& self = static_cast<GroupMembership&>(hook);
  {
    SpinGuard const guard(self.shard_->change);
    if (Roster::is_in(self)) {
      (void)self.node_->roster.remove(self);
      if (!self.node_->watches.empty() || !self.shard_->watches.empty()) {
        self.shard_->tell(*self.node_, GroupEvent::Change::left, {Member(cell, self.table())});
      }
      self.shard_->tidy(*self.node_);
    }
  }
  self.drop();
}

void GroupMembership::on_destroy(Membership& membership) noexcept {
  auto& self = static_cast<GroupMembership&>(membership);
  ScopeCore& scope = *self.scope_;
  pool_delete(&self);
  scope.drop();
}

// --- monitors ---

GroupWatch::GroupWatch(ScopeCore& scope, CellBase& receiver, PostGroupEvent post,
                       bool of_all) noexcept
    : EndHook(&on_receiver_end),
      scope_(&scope),
      receiver_(&receiver),
      post_(post),
      id_(next_identity(receiver)),
      of_all_(of_all) {
  scope.hold();
  receiver.retain_memory();
}

void GroupWatch::drop() noexcept {
  if (refs_.fetch_sub(1, memory_order_acq_rel) != 1) return;  // refs
  ScopeCore& scope = *scope_;
  CellBase& receiver = *receiver_;
  pool_delete(this);
  receiver.release_memory();
  scope.drop();
}

void GroupWatch::on_receiver_end(EndHook& hook, CellBase& /*cell*/) noexcept {
  auto& self = static_cast<GroupWatch&>(hook);
  (void)self.scope_->unlist(self);
  self.drop();
}

void GroupWatch::tell(GroupEvent::Change change, GroupMembers group) noexcept {
  post_(*receiver_, GroupEvent{change, std::move(group), GroupMonitorId{id_}}, *this);
}

// --- the scope ---

bool ScopeCore::unlist_from(Shard& shard, GroupWatch& watch) noexcept {
  SpinGuard const guard(shard.change);
  GroupNode* const node = watch.of_all_ ? nullptr : shard.find({watch.group_, watch.hash_});
  if (!watch.of_all_ && node == nullptr) return false;
  std::vector<GroupWatch*>& list = node != nullptr ? node->watches : shard.watches;
  auto const found = std::find(list.begin(), list.end(), &watch);
  if (found == list.end()) return false;
  list.erase(found);
  if (node != nullptr) shard.tidy(*node);
  watch.drop();  // another reference is the caller's
  return true;
}

bool ScopeCore::unlist(GroupWatch& watch) noexcept {
  if (!watch.of_all_) return unlist_from(shard_of(watch.hash_), watch);
  bool found = false;
  for (Shard& each : shards) found = unlist_from(each, watch) || found;
  return found;
}

void ScopeCore::close_shard(Shard& shard) noexcept {
  SpinGuard const guard(shard.change);
  shard.closed = true;
  auto const forget = [](std::vector<GroupWatch*>& list) {
    for (GroupWatch* const watch : std::exchange(list, {})) {
      watch->turn_off();
      if (remove_end_hook(*watch->receiver_, *watch)) watch->drop();
      watch->drop();
    }
  };
  forget(shard.watches);
  decltype(shard.nodes) gone;
  {
    SpinGuard const look(shard.look);
    gone.swap(shard.nodes);
  }
  for (auto const& [key, node] : gone) {
    forget(node->watches);
    node->roster.view().for_each([&](RosterEntry& entry) {
      Membership& member = *entry.membership;
      (void)node->roster.remove(member);
      if (remove_end_hook(*entry.cell, member)) member.drop();
    });
    pool_delete(node);
  }
}

void ScopeCore::close() noexcept {
  for (Shard& each : shards) close_shard(each);
}

void ScopeCore::drop() noexcept {
  if (counts.drop_memory()) pool_delete(this);
}

}  // namespace spawned::groups::detail
