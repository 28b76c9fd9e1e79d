#include <spawned/registry/detail/roster.hpp>

#include <memory>
#include <new>

#include <spawned/runtime/detail/pool.hpp>

namespace spawned::groups::detail {

namespace {

constexpr std::size_t least_capacity = 4;

}  // namespace

RosterArray& RosterArray::make(std::size_t capacity) {
  static_assert(sizeof(RosterArray) <= header);
  void* const memory = pool_allocate(header + capacity * sizeof(RosterEntry));
  return *::new (memory) RosterArray(capacity);
}

void RosterArray::destroy() noexcept {
  for (std::size_t i = 0; i < used; ++i) {
    entries()[i].membership->drop();
    std::destroy_at(&entries()[i]);
  }
  std::size_t const bytes = header + capacity * sizeof(RosterEntry);
  std::destroy_at(this);
  pool_free(this, bytes);
}

// Those that are in move to the new array; the old one belongs to its views from here on.
void Roster::replace(RosterArray* with) noexcept {
  if (with != nullptr) {
    for (std::size_t i = 0; i < count_; ++i) {
      Membership& each = *array_->entries()[i].membership;
      if (!each.is_in_ || each.index_ != i) continue;
      each.hold();
      each.index_ = with->used;
      ::new (&with->entries()[with->used++]) RosterEntry(each);
    }
  }
  RosterArray* const old = array_;
  {
    SpinGuard const guard(*look_);
    array_ = with;
    count_ = with != nullptr ? with->used : 0;
  }
  if (old != nullptr) old->drop();
}

void Roster::reserve(std::size_t more) {
  if (array_ != nullptr && array_->capacity - count_ >= more) return;
  std::size_t const wanted = 2 * (size_ + more);
  replace(&RosterArray::make(wanted < least_capacity ? least_capacity : wanted));
}

void Roster::add(Membership* const* first, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    Membership& each = *first[i];
    each.hold();
    each.index_ = array_->used;
    each.is_in_ = true;
    ::new (&array_->entries()[array_->used++]) RosterEntry(each);
  }
  size_ += count;
  SpinGuard const guard(*look_);
  count_ += count;
}

bool Roster::remove(Membership& membership) noexcept {
  if (!membership.is_in_) return false;
  membership.is_in_ = false;
  --size_;
  {
    SpinGuard const guard(*look_);
    array_->entries()[membership.index_].left_at.store(++version_,
                                                       memory_order_relaxed);  // see the header
  }
  shrink();
  return true;
}

// Who has left must not be kept in memory by a roster that nobody joins any more.
void Roster::shrink() noexcept {
  if (size_ == 0) return replace(nullptr);
  if (count_ <= 4 * size_ || count_ <= least_capacity) return;
  try {
    replace(&RosterArray::make(2 * size_));
  } catch (std::bad_alloc const&) {
    // It stays as large as it is.
  }
}

Membership* Roster::last_of(CellBase const& cell) noexcept {
  for (std::size_t i = count_; i-- > 0;) {
    RosterEntry const& entry = array_->entries()[i];
    if (entry.cell == &cell && entry.membership->is_in_) return entry.membership;
  }
  return nullptr;
}

}  // namespace spawned::groups::detail
