#include <spawned/actors/detail/watch.hpp>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/runtime/detail/pool.hpp>

namespace spawned::detail {

Watch::Watch(Kind kind, CellBase& first, CellBase& second, PostNotice post) noexcept
    : post_(post), id_(kind == Kind::monitor ? next_identity(first) : 0), kind_(kind) {
  CellBase* const cells[2] = {&first, &second};
  for (unsigned i = 0; i < 2; ++i) {
    ends_[i].watch = this;
    ends_[i].cell = cells[i];
    ends_[i].tag = static_cast<std::uint8_t>(i);
    cells[i]->retain_memory();
  }
}

void Watch::drop() noexcept {
  if (refs_.fetch_sub(1, memory_order_acq_rel) != 1) return;  // refs
  CellBase& one = first();
  CellBase& other = second();
  pool_delete(this);
  one.release_memory();
  other.release_memory();
}

bool Watch::establish() noexcept {
  for (End& end : ends_) {
    hold();
    if (end.cell->waiters().add_guest(end)) continue;
    drop();
    (void)cancel();
    return false;
  }
  return true;
}

// An end that has been taken out already is somebody else's, and so is its reference.
void Watch::unlist(End& end) noexcept {
  if (end.cell->waiters().take(end)) drop();
}

bool Watch::cancel() noexcept {
  if (!claim(dropped)) return false;
  hold();
  for (End& end : ends_) unlist(end);
  drop();
  return true;
}

// The winner's part; `dead_end` is out of its list.
void Watch::fire(unsigned dead_end, ExitReason const& reason) noexcept {
  End& left = ends_[1 - dead_end];
  CellBase& dead = *ends_[dead_end].cell;
  unlist(left);
  if (kind_ != Kind::monitor) {
    deliver_exit(*left.cell, dead.id(), reason, kind_ == Kind::parent && dead_end == 0, this);
  } else if (dead_end == 1) {
    post_(*left.cell, EndNotice{dead.id(), reason, id_}, this);
  }
}

void Watch::fire_all(CellBase& cell, ExitReason const& reason) noexcept {
  WaitList::Member* links = nullptr;
  WaitList::Member* monitors = nullptr;
  while (WaitList::Member* const end = cell.waiters().take_guest()) {
    bool const is_monitor = static_cast<End*>(end)->watch->kind_ == Kind::monitor;
    WaitList::Member*& chain = is_monitor ? monitors : links;
    end->next = std::exchange(chain, end);  // the oldest comes to the front
  }
  for (WaitList::Member* chain : {links, monitors}) {
    while (chain != nullptr) {
      End& end = *static_cast<End*>(chain);
      chain = chain->next;
      Watch& watch = *end.watch;
      bool const tells = watch.kind_ != Kind::monitor || end.tag == 1;
      if (watch.claim(tells ? fired : dropped)) watch.fire(end.tag, reason);
      watch.drop();
    }
  }
}

void Watch::forget_all(CellBase& cell) noexcept {
  do {
    while (WaitList::Member* const end = cell.waiters().take_guest()) {
      Watch& watch = *static_cast<End*>(end)->watch;
      (void)watch.cancel();
      watch.drop();
    }
  } while (!cell.waiters().close());
}

Watch* Watch::find_link(CellBase& one, CellBase& other) noexcept {
  bool const swap = other.waiters().guest_count() < one.waiters().guest_count();
  CellBase& where = swap ? other : one;
  CellBase& peer = swap ? one : other;
  Watch* found = nullptr;
  where.waiters().for_guests([&](WaitList::Member& member) {
    Watch& watch = *static_cast<End&>(member).watch;
    if (watch.kind_ == Kind::monitor || watch.ends_[1 - member.tag].cell != &peer) return false;
    watch.hold();  // it is listed
    found = &watch;
    return true;
  });
  return found;
}

void deliver_exit(CellBase& receiver, ActorId from, ExitReason const& reason, bool from_parent,
                  Watch* watch) noexcept {
  if (receiver.traps_exits()) {
    if (from_parent) {
      (void)post_stop(receiver, reason);
    } else {
      receiver.actor_kind().post_exit(receiver, EndNotice{from, reason}, watch);
    }
  } else if (reason.kind() != ExitReason::Kind::normal) {
    receiver.exit_for_good(reason);
  }
}

}  // namespace spawned::detail
