// What a monitor of groups is told, and what else lists members.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/actors/protocol.hpp>
#include <spawned/registry/detail/roster.hpp>

namespace spawned::groups {

template <typename T>
class Group;

namespace detail {

/// How a group of T treats a member, whose table it has kept. T is an actor's class.
template <typename T>
struct MemberOf {
  using Handle = ActorRef<T>;
  static void const* table(Handle const& /*ref*/) noexcept { return nullptr; }
  /// Takes over one reference.
  static Handle adopt(CellBase& cell, void const* /*table*/) noexcept {
    return Handle(static_cast<ActorCell<T>&>(cell));
  }
  template <typename M>
  static SendResult send(CellBase& cell, void const* /*table*/, M const& message) {
    require_message_handler<T, M>();
    if constexpr (handles_message<T, M>) {
      return post<T, M>(cell, message);
    } else {
      return SendResult::ok;
    }
  }
};
template <typename... Es>
struct MemberOf<Protocol<Es...>> {
  using Handle = Protocol<Es...>;
  using Table = typename protocol_table<Es...>::type;
  static void const* table(Handle const& ref) noexcept { return &ref.table(); }
  static Handle adopt(CellBase& cell, void const* table) noexcept {
    return Handle(cell, *static_cast<Table const*>(table));
  }
  template <typename M>
  static SendResult send(CellBase& cell, void const* table, M const& message) {
    if constexpr (is_one_of<M, Es...>) {
      return static_cast<ProtocolEntry<M> const&>(*static_cast<Table const*>(table))
          .post(cell, M(message));
    } else {
      (void)sizeof(protocol_does_not_take_this_message<Handle, M>);
      return SendResult::ok;
    }
  }
};

}  // namespace detail

/// What a group of T gives for a member: ActorRef<T> for an actor's class, else the Protocol.
template <typename T>
using handle_t = typename detail::MemberOf<T>::Handle;

/// A member of some group, whose type only the group knows. Counts as a ref.
class Member {
 public:
  /// For the library: `table` is what the group has kept of it.
  Member(detail::CellBase& cell, void const* table) noexcept : cell_(&cell), table_(table) {
    cell.retain_again();
  }
  Member(Member const& other) noexcept : cell_(other.cell_), table_(other.table_) {
    if (cell_ != nullptr) cell_->retain();
  }
  Member(Member&& other) noexcept
      : cell_(std::exchange(other.cell_, nullptr)), table_(other.table_) {}
  Member& operator=(Member other) noexcept {
    std::swap(cell_, other.cell_);
    std::swap(table_, other.table_);
    return *this;
  }
  ~Member() {
    if (cell_ != nullptr) cell_->release();
  }
  [[nodiscard]] ActorId id() const noexcept { return cell_->id(); }

 private:
  friend class GroupMembers;
  detail::CellBase* cell_;
  void const* table_;
};

/// A group's name and members, in the order in which they joined, each as often as it has.
class GroupMembers {
 public:
  /// For the library.
  GroupMembers(std::string name, void const* tag, std::vector<Member> members) noexcept
      : name_(std::move(name)), tag_(tag), members_(std::move(members)) {}

  [[nodiscard]] std::string const& name() const noexcept { return name_; }
  [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
  [[nodiscard]] std::vector<ActorId> ids() const {
    std::vector<ActorId> all;
    all.reserve(members_.size());
    for (Member const& each : members_) all.push_back(each.id());
    return all;
  }
  /// It is this group: the name and the type are equal.
  template <typename T>
  [[nodiscard]] bool is(Group<T> const& group) const noexcept {
    return tag_ == &detail::type_tag<T> && name_ == group.name();
  }
  /// As what the group is of; empty if it is another group.
  template <typename T>
  [[nodiscard]] std::vector<handle_t<T>> of(Group<T> const& group) const {
    std::vector<handle_t<T>> all;
    if (!is(group)) return all;
    all.reserve(members_.size());
    for (Member const& each : members_) {
      each.cell_->retain();
      all.push_back(detail::MemberOf<T>::adopt(*each.cell_, each.table_));
    }
    return all;
  }

 private:
  std::string name_;
  void const* tag_;
  std::vector<Member> members_;
};

/// Identifies a monitor of groups.
struct GroupMonitorId {
  std::uint64_t value = 0;
  friend bool operator==(GroupMonitorId, GroupMonitorId) noexcept = default;
};

/// Somebody has joined or left a group: `handle_message(GroupEvent)` of whoever monitors it.
struct GroupEvent {
  enum class Change : std::uint8_t { joined, left };
  Change change;
  GroupMembers group;  ///< its name, and the members that have joined or left
  GroupMonitorId monitor;
};

}  // namespace spawned::groups
