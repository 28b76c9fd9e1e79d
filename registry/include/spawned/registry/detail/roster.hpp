// Roster: the members of a group or the subscribers of a topic, in the order in which they came.
// Who reads one sees it as it was at one moment, without holding up those who change it.
//
// The members are entries of an array that is only appended to. A reader takes, under the lock
// `look`, a view: the array, how many entries it had and the roster's version. It then reads the
// entries without a lock. Who leaves is marked, in the present array, with the version that begins
// with that; a view contains the entries that left later or are still in. What comes later is
// behind the view's end. A full array, or one of which three quarters have left, is replaced; views
// keep the old one, in which nothing changes any more, and that is right: what leaves after a view
// was taken belongs to it.
//
//   entry         left_at                       contained in
//   in            still_in                      every view that reaches it
//   left          the version that began then   views of an earlier version
//
// Locks.  `change` belongs to the owner of the roster and is held by whoever changes it, for as
// long
//   as telling others about it takes. `look` is held for some tens of nanoseconds, inside `change`.
//
// Orderings.
//   refs      drop() subtracts (acq_rel)  ->  drop() subtracts (acq_rel).
//             The last owner frees the block after everybody else is done with it.
// The marks `left_at` are written and read relaxed. A reader must see those that are older than its
// view, and does, because both sides have held `look`; younger ones mean the same as none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/end_hooks.hpp>
#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned::groups::detail {

using namespace spawned::detail;

/// One actor's being in one roster, once. Keeps the cell in memory, and is no ref. References: the
/// list of end hooks has one, which belongs to whoever takes it out of there; each array has one.
class Membership : public EndHook {
 public:
  using Destroy = void (*)(Membership&) noexcept;
  /// The caller's reference is the first. `table`: what the typed owner needs besides.
  Membership(CellBase& member, void const* type_table, Run on_end, Destroy destroy) noexcept
      : EndHook(on_end), cell_(&member), table_(type_table), destroy_(destroy) {
    cell_->retain_memory();
  }

  void hold() noexcept { refs_.fetch_add(1, memory_order_relaxed); }  // the caller holds one
  void drop() noexcept {
    if (refs_.fetch_sub(1, memory_order_acq_rel) == 1) destroy_(*this);  // refs
  }
  [[nodiscard]] CellBase& cell() const noexcept { return *cell_; }
  [[nodiscard]] void const* table() const noexcept { return table_; }

 protected:
  ~Membership() { cell_->release_memory(); }

 private:
  friend class Roster;

  CellBase* cell_;
  void const* table_;
  Destroy destroy_;
  std::size_t index_ = 0;  // in the present array; guarded by `change`, as is is_in_
  bool is_in_ = false;
  atomic<std::uint32_t> refs_{1};
};

struct RosterEntry {
  static constexpr std::uint64_t still_in = static_cast<std::uint64_t>(-1);
  explicit RosterEntry(Membership& who) noexcept
      : cell(&who.cell()), table(who.table()), membership(&who) {}

  CellBase* cell;
  void const* table;
  Membership* membership;
  atomic<std::uint64_t> left_at{still_in};
};

class RosterArray {
 public:
  /// Errors: std::bad_alloc.
  [[nodiscard]] static RosterArray& make(std::size_t capacity);
  void hold() noexcept { refs_.fetch_add(1, memory_order_relaxed); }  // under `look`, or holds one
  void drop() noexcept {
    if (refs_.fetch_sub(1, memory_order_acq_rel) == 1) destroy();  // refs
  }
  [[nodiscard]] RosterEntry* entries() noexcept {
    return reinterpret_cast<RosterEntry*>(reinterpret_cast<unsigned char*>(this) + header);
  }

  std::size_t const capacity;
  std::size_t used = 0;  // guarded by `change`; for whoever frees it

 private:
  static constexpr std::size_t header = 32;
  explicit RosterArray(std::size_t room) noexcept : capacity(room) {}
  void destroy() noexcept;

  atomic<std::uint32_t> refs_{1};
};

/// The members at one moment.
class RosterView {
 public:
  RosterView() noexcept = default;
  RosterView(RosterArray* array, std::size_t count, std::uint64_t version) noexcept
      : array_(array), count_(count), version_(version) {
    if (array_ != nullptr) array_->hold();
  }
  RosterView(RosterView&& other) noexcept
      : array_(std::exchange(other.array_, nullptr)),
        count_(std::exchange(other.count_, 0)),
        version_(other.version_) {}
  RosterView& operator=(RosterView&&) = delete;
  ~RosterView() {
    if (array_ != nullptr) array_->drop();
  }

  /// In the order in which they came. `function(entry)`.
  template <typename Function>
  void for_each(Function&& function) const {
    if (array_ == nullptr) return;
    RosterEntry* const entries = array_->entries();
    for (std::size_t i = 0; i < count_; ++i) {
      if (entries[i].left_at.load(memory_order_relaxed) > version_) function(entries[i]);  // above
    }
  }

 private:
  RosterArray* array_ = nullptr;
  std::size_t count_ = 0;
  std::uint64_t version_ = 0;
};

/// All but view(): under `change`.
class Roster {
 public:
  explicit Roster(SpinLock& look) noexcept : look_(&look) {}
  Roster(Roster const&) = delete;
  Roster& operator=(Roster const&) = delete;
  ~Roster() {
    if (array_ != nullptr) array_->drop();
  }

  /// Room for so many more. Errors: std::bad_alloc.
  void reserve(std::size_t more);
  /// They come all at once. There is room.
  void add(Membership* const* first, std::size_t count) noexcept;
  /// False: it had left.
  bool remove(Membership& membership) noexcept;
  /// The one of this actor that came last, or nullptr.
  [[nodiscard]] Membership* last_of(CellBase const& cell) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] static bool is_in(Membership const& membership) noexcept {
    return membership.is_in_;
  }

  /// Under `look` or `change`.
  [[nodiscard]] RosterView view() const noexcept { return {array_, count_, version_}; }

 private:
  void replace(RosterArray* with) noexcept;
  void shrink() noexcept;

  SpinLock* look_;
  RosterArray* array_ = nullptr;  // written under both locks, as are count_ and version_
  std::size_t count_ = 0;
  std::uint64_t version_ = 0;
  std::size_t size_ = 0;
};

/// How many handles and how many references an object has: the first kind keeps it in use, the
/// second in memory.
class TwoCounts {
 public:
  void add_handle() noexcept { handles_.fetch_add(1, memory_order_relaxed); }  // holds one
  void add_memory() noexcept { memory_.fetch_add(1, memory_order_relaxed); }   // holds one
  /// True: it was the last handle; the object's use ends, and the handles' reference is dropped.
  [[nodiscard]] bool drop_handle() noexcept {
    return handles_.fetch_sub(1, memory_order_acq_rel) == 1;  // refs
  }
  /// True: the caller frees the object.
  [[nodiscard]] bool drop_memory() noexcept {
    return memory_.fetch_sub(1, memory_order_acq_rel) == 1;  // refs
  }

 private:
  atomic<std::uint32_t> handles_{1};
  atomic<std::uint32_t> memory_{1};  // all handles together have one
};

}  // namespace spawned::groups::detail
