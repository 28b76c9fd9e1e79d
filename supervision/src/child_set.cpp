#include "child_set.hpp"

#include <algorithm>

#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/runtime.hpp>

namespace spawned::detail {

void check(ChildSpec const& spec) {
  if (spec.id().empty()) throw InvalidOptions("ChildSpec", "id", "a name", "an empty one");
  check_unnamed(spec);
}

void check_unnamed(ChildSpec const& spec) {
  auto const require = [&spec](bool holds, char const* field, char const* allowed,
                               char const* given) {
    if (!holds) throw InvalidOptions("ChildSpec " + spec.id(), field, allowed, given);
  };
  require(spec.shutdown().is_valid(), "shutdown", "brutal_kill, infinity or 0 and more",
          "a negative time");
  Backoff const& backoff = spec.backoff();
  require(backoff.first.count() >= 0 && backoff.most >= backoff.first, "backoff",
          "0 <= first <= most", "other times");
  require(backoff.factor >= 1, "backoff.factor", "1 and more", "less");
  require(backoff.jitter >= 0 && backoff.jitter <= 1, "backoff.jitter", "0 to 1", "another");
}

ChildSet::ChildSet(std::vector<ChildSpec> specs) : specs_(std::move(specs)) {
  std::vector<std::string_view> ids;
  ids.reserve(specs_.size());
  for (ChildSpec const& spec : specs_) {
    check(spec);
    ids.push_back(spec.id());
  }
  std::sort(ids.begin(), ids.end());
  auto const twice = std::adjacent_find(ids.begin(), ids.end());
  if (twice != ids.end()) {
    throw InvalidOptions("Supervisor", "children", "each id once", std::string(*twice) + " twice");
  }
}

ChildSet::~ChildSet() {
  while (!children_.empty()) {
    Child& child = *children_.back();
    children_.pop_back();
    child.disown();
  }
}

void ChildSet::open(CellBase& supervisor, PostChildEvent post) {
  supervisor_ = &supervisor;
  post_ = post;
  std::vector<ChildSpec> const specs = std::exchange(specs_, {});
  for (ChildSpec const& spec : specs) (void)add(spec);
}

Child& ChildSet::add(ChildSpec spec) {
  auto* const child =
      pool_new<Child>(*supervisor_, post_, std::make_shared<ChildSpec const>(std::move(spec)));
  try {
    children_.push_back(child);
  } catch (...) {
    child->drop();
    throw;
  }
  return *child;
}

void ChildSet::remove(Child& child) noexcept {
  children_.erase(std::find(children_.begin(), children_.end(), &child));
  child.dropped = true;
  child.drop();
}

Child* ChildSet::find(std::string_view id) const noexcept {
  for (Child* const child : children_) {
    if (child->spec().id() == id) return child;
  }
  return nullptr;
}

std::size_t ChildSet::index_of(Child const& child) const noexcept {
  auto const found = std::find(children_.begin(), children_.end(), &child);
  return static_cast<std::size_t>(found - children_.begin());
}

ChildCounts ChildSet::count() const noexcept {
  ChildCounts counts;
  for (Child const* const child : children_) {
    ++counts.specs;
    if (child->status == ChildState::running) ++counts.active;
    ++(child->spec().type() == ChildType::supervisor ? counts.supervisors : counts.workers);
  }
  return counts;
}

std::vector<ChildInfo> ChildSet::list() const {
  std::vector<ChildInfo> all;
  all.reserve(children_.size());
  for (Child const* const child : children_) all.push_back(child->info());
  return all;
}

}  // namespace spawned::detail
