#include "dynamic_set.hpp"

#include <cstdint>
#include <utility>

#include <spawned/runtime/detail/pool.hpp>

namespace spawned::detail {

DynamicSet::DynamicSet(std::optional<ChildTemplate> common) : common_(std::move(common)) {
  if (common_) spec_ = std::make_shared<ChildSpec const>(common_->spec());
}

DynamicSet::~DynamicSet() {
  for (Child* const child : table_) {
    if (child != nullptr) child->disown();
  }
}

Child& DynamicSet::make(std::shared_ptr<ChildSpec const> spec, ArgumentsPtr arguments) {
  return *pool_new<Child>(*supervisor_, post_, std::move(spec), std::move(arguments));
}

// Ids are given out one after the other: the high bits of the product spread them.
std::size_t DynamicSet::place_of(ActorId id) const noexcept {
  std::uint64_t const hash = (id.value * std::uint64_t{0x9e3779b97f4a7c15}) >> 32;
  return static_cast<std::size_t>((hash * table_.size()) >> 32);
}

void DynamicSet::reserve() {
  if (size_ + 1 <= table_.size() - table_.size() / 8) return;
  std::vector<Child*> larger(table_.size() < 16 ? 16 : table_.size() + table_.size() / 2);
  larger.swap(table_);
  for (Child* const child : larger) {
    if (child != nullptr) put(*child);
  }
}

void DynamicSet::put(Child& child) noexcept {
  std::size_t place = place_of(child.key);
  while (table_[place] != nullptr) place = after(place);
  table_[place] = &child;
}

void DynamicSet::add(Child& child) noexcept {
  child.key = child.cell()->id();
  put(child);
  ++size_;
}

std::size_t DynamicSet::where(Child const& child) const noexcept {
  std::size_t place = place_of(child.key);
  while (table_[place] != &child) place = after(place);
  return place;
}

// What stands behind the gap and could not have its own place moves up, so that no search ends too
// early.
void DynamicSet::take_out(std::size_t place) noexcept {
  std::size_t gap = place;
  for (std::size_t next = after(gap); table_[next] != nullptr; next = after(next)) {
    std::size_t const wanted = place_of(table_[next]->key);
    bool const stays =
        gap <= next ? gap < wanted && wanted <= next : gap < wanted || wanted <= next;
    if (stays) continue;
    table_[gap] = table_[next];
    gap = next;
  }
  table_[gap] = nullptr;
}

void DynamicSet::remove(Child& child) noexcept {
  take_out(where(child));
  --size_;
  child.dropped = true;
  child.drop();
}

void DynamicSet::find_anew(Child& child) noexcept {
  if (child.cell() == nullptr || child.cell()->id() == child.key) return;
  take_out(where(child));
  child.key = child.cell()->id();
  put(child);
}

Child* DynamicSet::find(ActorId id) const noexcept {
  if (table_.empty()) return nullptr;
  for (std::size_t place = place_of(id); table_[place] != nullptr; place = after(place)) {
    if (table_[place]->key == id) return table_[place];
  }
  return nullptr;
}

ChildCounts DynamicSet::count() const noexcept {
  ChildCounts counts;
  counts.specs = common_ ? 1 : size_;
  for (Child const* const child : table_) {
    if (child == nullptr) continue;
    if (child->status == ChildState::running) ++counts.active;
    ++(child->spec().type() == ChildType::supervisor ? counts.supervisors : counts.workers);
  }
  return counts;
}

std::vector<Child*> DynamicSet::all() const {
  std::vector<Child*> children;
  children.reserve(size_);
  for (Child* const child : table_) {
    if (child != nullptr) children.push_back(child);
  }
  return children;
}

std::vector<ChildInfo> DynamicSet::list() const {
  std::vector<ChildInfo> infos;
  infos.reserve(size_);
  for (Child const* const child : all()) infos.push_back(child->info());
  return infos;
}

}  // namespace spawned::detail
