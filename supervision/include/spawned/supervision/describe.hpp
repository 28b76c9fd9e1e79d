// describe: a supervision tree as a value and as text for people.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/runtime/task.hpp>
#include <spawned/supervision/child_info.hpp>
#include <spawned/supervision/child_spec.hpp>

namespace spawned {

/// One actor of a tree, with all below it.
struct TreeNode {
  std::string id;          ///< of the child; of the root the name of its class
  std::string_view actor;  ///< the name of its class
  ActorId actor_id;        ///< 0: it has no actor
  ChildType type;
  ChildState state;
  std::uint32_t restarts;             ///< since it was started; of the root 0
  std::optional<std::size_t> unread;  ///< in its mailbox; nothing where nobody counts (MailboxInfo)
  bool busy;                          ///< it has not told its children in time
  ChildRef ref;
  std::vector<TreeNode> children;  ///< in the order of their starts
};

namespace detail {

[[nodiscard]] TreeNode root_node(ChildRef ref, std::string_view type_name, bool alive);
[[nodiscard]] Task<TreeNode> describe_tree(TreeNode root, AskChildren ask,
                                           std::chrono::nanoseconds limit);

// Never defined: see handlers.hpp.
template <typename A>
struct describe_needs_an_actor_with_children;

}  // namespace detail

namespace supervision {

/// How long describe() waits for the supervisors of one level.
inline constexpr std::chrono::nanoseconds describe_limit = std::chrono::milliseconds(200);

/// The tree below a supervisor, or another actor that has children. All supervisors of a level are
/// asked at once; one that has not answered within `limit` (it starts, stops or restarts somebody)
/// is shown as busy, without its children. It is a picture of several moments, not of one.
///
/// Awaiting  yields TreeNode.
/// Errors    std::bad_alloc. A root that has ended is shown as `undefined`.
/// Suspends  at most `limit` for each level of the tree.
/// Cancel    throws Cancelled.
/// Cost      a request to each supervisor, some 200 bytes for each actor.
/// Example   docs/guide/supervision.md
template <typename A>
[[nodiscard("co_await it")]] Task<TreeNode> describe(
    ActorRef<A> root, std::chrono::nanoseconds limit = describe_limit) {
  if constexpr (!requires { typename A::WhichChildren; }) {
    (void)sizeof(detail::describe_needs_an_actor_with_children<A>);
  } else {
    return detail::describe_tree(detail::root_node(ChildRef(root.cell(), &detail::type_tag<A>),
                                                   detail::type_name<A>(), root.is_alive()),
                                 detail::ask_children_of<A>(), limit);
  }
}

/// A line for each actor, indented by its depth:
///
///   bank::Bank#4: running
///     ledger: bank::Ledger#5, running, 3 unread
///     tellers: Supervisor#6, running, 1 restart
///       teller 0: bank::Teller#7, restarting, 12 restarts
[[nodiscard]] std::string to_text(TreeNode const& tree);

/// How many actors the tree shows, the root included.
[[nodiscard]] std::size_t count(TreeNode const& tree) noexcept;

}  // namespace supervision

}  // namespace spawned
