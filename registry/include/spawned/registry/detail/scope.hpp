// ScopeCore: the groups of one scope, by name, without their types.
//
// The groups are spread over shards by the hash of their names. A shard has two locks (roster.hpp
// says what for): `change` is held by whoever joins, leaves or ends, until those who monitor the
// group have been sent what happened; so the events of one group are in order, and nothing is
// missing between what monitor() returns and the first of them. `look` guards the map and the
// views, for a moment each.
//
// Membership against death. A membership is added to the actor's end hooks and then to the roster,
// both under `change`. An actor that ends runs the hook, which waits for `change`; whoever comes
// first takes the membership out of the roster and tells of it, the other finds it gone.
//
// A group exists while it has members or monitors. Handles keep a scope open; memberships and
// monitors keep it in memory.
//
// Orderings.
//   refs      drop() subtracts (acq_rel)  ->  drop() subtracts (acq_rel).
//             The last owner frees the block after everybody else is done with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <spawned/actors/detail/notices.hpp>
#include <spawned/registry/detail/roster.hpp>
#include <spawned/registry/group_error.hpp>
#include <spawned/registry/group_event.hpp>

namespace spawned::groups::detail {

/// A group's name, and what it is of.
struct GroupKey {
  std::string_view name;
  std::uint64_t hash;
  void const* tag;
  std::string_view type;
};

/// Who is to join: the caller has a ref.
struct Joiner {
  CellBase* cell;
  void const* table;
};

class ScopeCore;
class GroupWatch;

/// Makes the message for `receiver` and sends it. Out of memory here would lose it: the program
/// ends.
using PostGroupEvent = void (*)(CellBase& receiver, GroupEvent&& event, GroupWatch& watch) noexcept;

/// A monitor. References: one of the handle that monitor() gave and each copy; the list of end
/// hooks of the receiver and each list of a shard has one; each message on its way.
class GroupWatch final : public EndHook {
 public:
  GroupWatch(ScopeCore& scope, CellBase& receiver, PostGroupEvent post, bool of_all) noexcept;

  void hold() noexcept { refs_.fetch_add(1, memory_order_relaxed); }  // the caller holds one
  void drop() noexcept;
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] ScopeCore& scope() const noexcept { return *scope_; }
  [[nodiscard]] CellBase& receiver() const noexcept { return *receiver_; }
  /// Before it is listed: of one group.
  void name_group(GroupKey const& key) {
    group_ = key.name;
    hash_ = key.hash;
  }
  void tell(GroupEvent::Change change, GroupMembers group) noexcept;
  /// Nothing of it is handled any more. On the receiver's turn that holds at once.
  void turn_off() noexcept { off_.store(true, memory_order_relaxed); }  // a moment's truth
  [[nodiscard]] bool is_off() const noexcept {
    return off_.load(memory_order_relaxed);  // see turn_off()
  }

 private:
  friend class ScopeCore;
  template <typename U>
  friend void spawned::detail::pool_delete(U*) noexcept;
  ~GroupWatch() = default;
  static void on_receiver_end(EndHook& hook, CellBase& cell) noexcept;

  ScopeCore* scope_;
  CellBase* receiver_;
  PostGroupEvent post_;
  std::uint64_t id_;
  std::string group_;  // of one group: its name
  std::uint64_t hash_ = 0;
  bool of_all_;
  atomic<bool> off_{false};
  atomic<std::uint32_t> refs_{1};
};

/// What a message about a group is besides: demonitor() takes it back.
class GroupEventBlock : public Envelope {
 public:
  GroupEventBlock(GroupWatch& watch, Deliver function) noexcept
      : Envelope(function), watch_(&watch) {
    watch_->hold();
  }
  static constexpr bool is_notice = true;  // no dead letter, unread

 protected:
  ~GroupEventBlock() { watch_->drop(); }
  [[nodiscard]] bool begin(CellBase& /*cell*/) const noexcept { return !watch_->is_off(); }

 private:
  GroupWatch* watch_;
};

template <typename A>
void post_group_event(CellBase& receiver, GroupEvent&& event, GroupWatch& watch) noexcept {
  auto& envelope = *pool_new<SendEnvelope<A, GroupEvent, GroupEventBlock>>(watch, std::in_place,
                                                                           std::move(event));
  if (!receiver.push(envelope)) pool_delete(&envelope);
}

// A scope's functions answer a null pointer with no_scope, or as one without groups.
[[nodiscard]] ScopeCore& make_scope();
void hold_scope(ScopeCore& scope) noexcept;
/// The last one closes it.
void drop_scope(ScopeCore& scope) noexcept;
void close_scope(ScopeCore& scope) noexcept;
/// That of a runtime; the extension's own handle.
[[nodiscard]] ScopeCore& scope_of(Scheduler& scheduler);
/// Of the runtime the calling thread works for, or nullptr.
[[nodiscard]] ScopeCore* own_scope();

[[nodiscard]] Result<void, GroupError> join(ScopeCore* scope, GroupKey const& key,
                                            Joiner const* joiners, std::size_t count);
[[nodiscard]] Result<std::size_t, GroupError> leave(ScopeCore* scope, GroupKey const& key,
                                                    Joiner const* leavers, std::size_t count);
/// Errors: GroupFailure, another_type.
[[nodiscard]] RosterView view(ScopeCore* scope, GroupKey const& key);
[[nodiscard]] std::vector<std::string> group_names(ScopeCore* scope);

/// The caller's reference; null: no_scope.
struct WatchedGroup {
  GroupWatch* watch;
  std::vector<GroupMembers> groups;
};
[[nodiscard]] Result<WatchedGroup, GroupError> watch_group(ScopeCore* scope, GroupKey const& key,
                                                           CellBase& receiver, PostGroupEvent post);
[[nodiscard]] Result<WatchedGroup, GroupError> watch_scope(ScopeCore* scope, CellBase& receiver,
                                                           PostGroupEvent post);
bool unwatch(GroupWatch& watch) noexcept;

}  // namespace spawned::groups::detail
