// Tie: what ties two actors for a link or a monitor. One block with an end in the list of each.
//
//   state     set by                                         means
//   armed     initial                                        both ends are listed
//   fired     the death of an actor, for whoever is left     a signal or a message is on its way
//   dropped   unlink(), demonitor(), the death of a watcher  nothing comes of it any more
//
// Who moves the state out of `armed` has won, and only the winner acts: so a tie fires once or
// never, and of two actors that die together at most one mourns the other.
//
// Making.  Both ends are listed under the locks of both lists: nobody finds one without the other,
//          two actors that link each other at the same moment make one link, and a list that is
//          closed refuses both.
// Cutting. Under the same two locks: the state is claimed, and the ends that are still listed are
//          taken.
// Death.   An actor that dies takes its own ends out first, one by one under its own lock alone,
//          and claims then. It tells the other side, and takes that side's end out afterwards. So a
//          tie that has fired stays in the list of who is told until it has been told: unlink()
//          finds it there, and what arrives later is not handled. The list of the one that dies
//          says meanwhile that it is draining, and unlink() looks into its own then.
//
// References. One for each listed end, which belongs to whoever takes it out of its list; others
// for the user's handles and for messages on their way. An end keeps its cell in memory until the
// block goes.
//
// Orderings.
//   refs      drop() subtracts (acq_rel)  ->  drop() subtracts (acq_rel).
//             The last owner frees the block after everybody else is done with it.
// claim() is relaxed: which of the claimants is the first is all it tells. What the block holds is
// written before its ends are listed, and read after they were found there, under a list's lock.
#pragma once

#include <cstdint>
#include <utility>

#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/wait_list.hpp>

namespace spawned::detail {

/// `Self` derives from it and has `static void free(Self&)`. `Cell` has waiters(), and counts its
/// owners: retain_memory().
template <typename Self, typename Cell>
class Tie {
 public:
  enum class Kind : std::uint8_t {
    link,     // of two equals
    parent,   // the same; the first end is the one that started the other
    monitor,  // the first end watches the second
  };
  enum class Made : std::uint8_t { yes, ended, linked_before, of_itself };
  enum class Cut : std::uint8_t { yes, has_fired, none };

  /// `handles`: references beside those of the ends.
  Tie(Kind kind, Cell& first, Cell& second, std::uint32_t handles) noexcept
      : refs_(handles + 2), kind_(kind) {
    init(0, first);
    init(1, second);
  }
  Tie(Tie const&) = delete;
  Tie& operator=(Tie const&) = delete;

  /// Lists both ends; of a link, unless the pair has one. Otherwise nobody has seen it, and the
  /// references of the ends are gone: without another the caller frees it.
  [[nodiscard]] Made establish() noexcept {
    if (&first() == &second()) return refused(Made::of_itself);
    {
      WaitList::Pair lists(first().waiters(), second().waiters());
      if (kind_ == Kind::link && find_armed(lists)) return refused(Made::linked_before);
      if (lists.add(ends_[0], ends_[1])) return Made::yes;
    }
    return refused(Made::ended);
  }

  /// The caller holds a reference. False: it has fired or was dropped before.
  bool cancel() noexcept {
    if (&first() == &second()) return claim(dropped);  // never listed
    std::uint32_t taken = 0;
    {
      WaitList::Pair lists(first().waiters(), second().waiters());
      if (!claim(dropped)) return false;
      taken = lists.take(ends_[0], ends_[1]);
    }
    drop(taken);
    return true;
  }

  /// Takes the link of a pair back. One that has fired at `self`, whose turn it is, is flushed.
  static Cut cut_link(Cell& self, Cell& other) noexcept {
    Cut result = Cut::none;
    Tie* found = nullptr;
    std::uint32_t taken = 0;
    {
      WaitList::Pair lists(self.waiters(), other.waiters());
      bool const dies = other.waiters().is_draining(lists);
      each_link(lists, self, other, dies, [&](Tie& tie) {
        if (tie.claim(dropped)) {
          found = &tie;
          result = Cut::yes;
          return !dies;
        }
        tie.flush();
        if (found == nullptr) result = Cut::has_fired;
        return false;
      });
      if (found != nullptr) taken = found->take_ends(lists, self);
    }
    if (found != nullptr) found->drop(taken);
    return result;
  }

  /// They are linked, and `parent` has started `child` so.
  [[nodiscard]] static bool is_parent(Cell& parent, Cell& child) noexcept {
    if (&parent == &child) return false;
    bool found = false;
    WaitList::Pair lists(parent.waiters(), child.waiters());
    each_link(lists, parent, child, false, [&found, &parent](Tie& tie) {
      found = tie.kind_ == Kind::parent && &tie.first() == &parent;
      return true;
    });
    return found;
  }

  /// On the receiver's turn: what is on its way is not delivered any more.
  void flush() noexcept { flushed_.set(true); }
  [[nodiscard]] bool is_flushed() const noexcept { return flushed_.get(); }

  void hold() noexcept { refs_.fetch_add(1, memory_order_relaxed); }  // the caller holds one
  void drop(std::uint32_t count = 1) noexcept {
    if (refs_.fetch_sub(count, memory_order_acq_rel) == count) {  // refs
      Self::free(static_cast<Self&>(*this));
    }
  }

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] Cell& first() const noexcept { return *ends_[0].cell; }
  [[nodiscard]] Cell& second() const noexcept { return *ends_[1].cell; }

  /// An actor ends, or its incarnation does: calls `tell(self, left)` for each tie that fires, the
  /// links first, the oldest first, `left` being whose message or signal it is; what it watched
  /// forgets it.
  template <typename Tell>
  static void end_all(Cell& cell, Tell&& tell) noexcept {
    WaitList::Member* links = nullptr;
    WaitList::Member* monitors = nullptr;
    while (WaitList::Member* const end = cell.waiters().drain_guest()) {
      bool const is_monitor = static_cast<End*>(end)->tie->kind_ == Kind::monitor;
      WaitList::Member*& chain = is_monitor ? monitors : links;
      end->next = std::exchange(chain, end);  // the oldest comes to the front
    }
    for (WaitList::Member* chain : {links, monitors}) {
      while (chain != nullptr) {
        End& end = *static_cast<End*>(chain);
        chain = chain->next;
        end.tie->end(end.tag, tell);
      }
    }
    cell.waiters().end_drain();
  }

 private:
  struct End : WaitList::Member {
    Tie* tie;
    Cell* cell;
  };
  enum State : std::uint8_t { armed, fired, dropped };

  void init(std::uint8_t tag, Cell& cell) noexcept {
    ends_[tag].tie = this;
    ends_[tag].cell = &cell;
    ends_[tag].tag = tag;
    cell.retain_memory();
  }
  [[nodiscard]] bool claim(State state) noexcept {
    std::uint8_t expected = armed;
    return state_.compare_exchange_strong(expected, state, memory_order_relaxed,
                                          memory_order_relaxed);  // see above
  }
  // The lists are that of `first` and the other one's.
  [[nodiscard]] std::uint32_t take_ends(WaitList::Pair& lists, Cell& first_list) noexcept {
    unsigned const one = ends_[0].cell == &first_list ? 0 : 1;
    return lists.take(ends_[one], ends_[1 - one]);
  }
  [[nodiscard]] Made refused(Made why) noexcept {
    if (why != Made::of_itself) state_.store(dropped, memory_order_relaxed);  // nobody knows it
    refs_.store(refs_.load(memory_order_relaxed) - 2, memory_order_relaxed);  // the same
    return why;
  }

  /// Calls `look(tie)` for the links of two actors until it says true. Through the shorter of their
  /// lists, or, if that may be incomplete, through that of `self`.
  template <typename Look>
  static void each_link(WaitList::Pair& lists, Cell& self, Cell& other, bool incomplete,
                        Look&& look) noexcept {
    bool const own = incomplete || self.waiters().guest_count() <= other.waiters().guest_count();
    Cell& where = own ? self : other;
    Cell& peer = own ? other : self;
    where.waiters().for_guests(lists, [&](WaitList::Member& member) {
      Tie& tie = *static_cast<End&>(member).tie;
      if (tie.kind_ == Kind::monitor || tie.ends_[1 - member.tag].cell != &peer) return false;
      return look(tie);
    });
  }
  [[nodiscard]] bool find_armed(WaitList::Pair& lists) noexcept {
    bool found = false;
    each_link(lists, first(), second(), false, [&found](Tie& tie) {
      found = tie.state_.load(memory_order_relaxed) == armed;  // listed: see above
      return found;
    });
    return found;
  }

  // `dead_end` is out of its list.
  template <typename Tell>
  void end(unsigned dead_end, Tell&& tell) noexcept {
    End& left = ends_[1 - dead_end];
    bool const tells = kind_ != Kind::monitor || dead_end == 1;
    std::uint32_t owned = 1;
    if (claim(tells ? fired : dropped)) {
      if (tells) tell(static_cast<Self&>(*this), *left.cell);
      if (left.cell->waiters().take(left)) ++owned;
    }
    drop(owned);
  }

  End ends_[2];
  atomic<std::uint32_t> refs_;
  atomic<std::uint8_t> state_{armed};
  Kind kind_;
  SharedCell<bool> flushed_{false};  // the receiver's own
};

}  // namespace spawned::detail
