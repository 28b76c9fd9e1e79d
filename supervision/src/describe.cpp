#include <spawned/supervision/describe.hpp>

#include <algorithm>
#include <utility>

#include <spawned/actors/actor_ref.hpp>
#include <spawned/actors/request.hpp>
#include <spawned/runtime/time.hpp>

namespace spawned {

namespace detail {

namespace {

using Children = std::vector<ChildInfo>;

struct Asked {
  TreeNode* node;  // stays where it is: its parent's children are complete
  PendingReply<Children> reply;
};

std::optional<std::size_t> unread_of(ChildRef const& ref) {
  if (!ref) return std::nullopt;
  MailboxInfo const info = mailbox_info(ref.cell());
  if (info.capacity == unbounded) return std::nullopt;
  return info.size;
}

TreeNode node_of(ChildInfo&& info) {
  std::optional<std::size_t> const unread = unread_of(info.ref);
  ActorId const actor = info.ref.id();
  return TreeNode{std::move(info.id), info.actor, actor, info.type,           info.state,
                  info.restarts,      unread,     false, std::move(info.ref), {}};
}

// Enters the children, and asks those that have some themselves.
void grow(TreeNode& node, Children&& children, std::vector<Asked>& next) {
  node.children.reserve(children.size());
  for (ChildInfo& info : children) node.children.push_back(node_of(std::move(info)));
  for (std::size_t i = 0; i < children.size(); ++i) {
    TreeNode& child = node.children[i];
    if (children[i].ask_children == nullptr || !child.ref) continue;
    next.push_back({&child, children[i].ask_children(child.ref.cell())});
  }
}

// It has not answered.
void settle(TreeNode& node, ActorError::Kind error) {
  if (error == ActorError::Kind::cancelled) throw Cancelled();
  if (error == ActorError::Kind::timeout || error == ActorError::Kind::deadlock) {
    node.busy = true;
  } else if (node.state == ChildState::running) {
    node.state = ChildState::undefined;  // it has ended meanwhile
  }
}

}  // namespace

TreeNode root_node(ChildRef ref, std::string_view type_name, bool alive) {
  std::optional<std::size_t> const unread = unread_of(ref);
  ActorId const actor = ref.id();
  return TreeNode{std::string(type_name),
                  type_name,
                  actor,
                  ChildType::supervisor,
                  alive ? ChildState::running : ChildState::undefined,
                  0,
                  unread,
                  false,
                  std::move(ref),
                  {}};
}

Task<TreeNode> describe_tree(TreeNode root, AskChildren ask, std::chrono::nanoseconds limit) {
  std::vector<Asked> level;
  level.push_back({&root, ask(root.ref.cell())});
  while (!level.empty()) {
    std::vector<Asked> next;
    TimePoint const deadline = now() + limit;
    for (Asked& asked : level) {
      auto const left = std::max<std::chrono::nanoseconds>(deadline - now(), {});
      Result<Children, ActorError> answer = co_await asked.reply.wait_for(left);
      if (answer) {
        grow(*asked.node, std::move(*answer), next);
      } else {
        settle(*asked.node, answer.error().kind());
      }
    }
    level = std::move(next);
  }
  co_return root;
}

}  // namespace detail

namespace supervision {

namespace {

std::string state_of(TreeNode const& node) {
  if (node.busy) return "busy";
  switch (node.state) {
    case ChildState::running:
      return "running";
    case ChildState::restarting:
      return "restarting";
    case ChildState::undefined:
      break;
  }
  return "not running";
}

void append(std::string& text, TreeNode const& node, std::size_t depth) {
  std::string const name = node.ref
                               ? std::string(node.actor) + "#" + std::to_string(node.actor_id.value)
                               : std::string(node.actor);
  text.append(2 * depth, ' ');
  text += depth == 0 ? name + ": " : node.id + ": " + name + ", ";
  text += state_of(node);
  if (node.restarts != 0) {
    text += ", " + std::to_string(node.restarts) + (node.restarts == 1 ? " restart" : " restarts");
  }
  if (node.unread) text += ", " + std::to_string(*node.unread) + " unread";
  text += '\n';
  for (TreeNode const& child : node.children) append(text, child, depth + 1);
}

}  // namespace

std::string to_text(TreeNode const& tree) {
  std::string text;
  append(text, tree, 0);
  return text;
}

std::size_t count(TreeNode const& tree) noexcept {
  std::size_t all = 1;
  for (TreeNode const& child : tree.children) all += count(child);
  return all;
}

}  // namespace supervision

}  // namespace spawned
