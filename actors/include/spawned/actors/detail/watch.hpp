// Watch: a link or a monitor between two actors. One block with an end in the list of each.
//
//   state     set by                                         means
//   armed     initial                                        both ends are listed, or about to be
//   fired     the death of an actor, for whoever is left     a signal or a message is on its way
//   dropped   unlink(), demonitor(), the death of a watcher  nothing comes of it any more
//
// Who moves the state out of `armed` has won, and only the winner acts: so a
// watch fires once or never, and of two actors that die together one is the other's mourner or
// nobody is. The winner takes the ends that are still listed out of their lists, one lock at a
// time, so no thread ever holds two. An actor that dies takes its own ends out first (take_guest)
// and competes then.
//
// References. One for each listed end, which belongs to whoever takes it out of its list; one for
// each handle of the user's; one for a message on its way. An end keeps its cell in memory until
// the block goes.
//
// Registration against death. The watcher's own end is listed first, on the watcher's own turn, so
// the watcher cannot die in between; then the target's. If the target takes no guests any more it
// has ended: the watch never was, and the watcher is told `no_actor`. If it does, its death finds
// the end. There is no moment in which neither holds.
//
// claim() is relaxed: which of the claimants is the first is all it tells. What the block holds is
// written before its ends are listed, and read after they were found there, under a list's lock.
//
// Orderings.
//   refs      drop() subtracts (acq_rel)  ->  drop() subtracts (acq_rel).
//             The last owner frees the block after everybody else is done with it.
#pragma once

#include <cstdint>
#include <utility>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/exit_reason.hpp>
#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/wait_list.hpp>

namespace spawned::detail {

/// What a message about the end of another is made of.
struct EndNotice {
  ActorId from;
  ExitReason reason;
  std::uint64_t monitor = 0;  // 0: an exit signal
};

class Watch {
 public:
  enum class Kind : std::uint8_t {
    link,     // of two equals
    parent,   // the same; the first end is the one that started the other
    monitor,  // the first end watches the second
  };

  /// The kind's `post` is for monitors; null otherwise.
  Watch(Kind kind, CellBase& first, CellBase& second, PostNotice post) noexcept;
  Watch(Watch const&) = delete;
  Watch& operator=(Watch const&) = delete;

  /// On the turn of `first`, or before `first` or `second` is anybody else's. False: `second` has
  /// ended; then the watch is dropped and off all lists.
  [[nodiscard]] bool establish() noexcept;

  /// unlink(), demonitor(): nothing comes of it any more that is not on its way. False: it has
  /// fired or was dropped before.
  bool cancel() noexcept;
  /// On the receiver's turn: what is on its way is not delivered either.
  void flush() noexcept { flushed_ = true; }
  [[nodiscard]] bool is_flushed() const noexcept { return flushed_; }

  void hold() noexcept { refs_.fetch_add(1, memory_order_relaxed); }  // the caller holds one
  void drop() noexcept;

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] CellBase& first() const noexcept { return *ends_[0].cell; }
  [[nodiscard]] CellBase& second() const noexcept { return *ends_[1].cell; }

  /// All links and monitors of an actor that ends, or whose incarnation ends: whoever is linked
  /// gets the signal, then whoever watches gets the message, and what it watched forgets it.
  static void fire_all(CellBase& cell, ExitReason const& reason) noexcept;

  /// The same for an actor that never was: nobody hears of it. Closes its list.
  static void forget_all(CellBase& cell) noexcept;

  /// The link between two actors, with a reference for the caller, or nullptr. Looks through the
  /// shorter of their lists.
  [[nodiscard]] static Watch* find_link(CellBase& one, CellBase& other) noexcept;

 private:
  struct End : WaitList::Member {
    Watch* watch;
    CellBase* cell;
  };
  enum State : std::uint8_t { armed, fired, dropped };

  [[nodiscard]] bool claim(State state) noexcept {
    std::uint8_t expected = armed;
    return state_.compare_exchange_strong(expected, state, memory_order_relaxed,
                                          memory_order_relaxed);  // see above
  }
  void unlist(End& end) noexcept;
  void fire(unsigned dead_end, ExitReason const& reason) noexcept;

  End ends_[2];
  PostNotice post_;
  std::uint64_t id_;
  atomic<std::uint32_t> refs_{1};  // the maker's
  atomic<std::uint8_t> state_{armed};
  Kind kind_;
  bool flushed_ = false;  // the receiver's own
};

/// A signal as a link sends it: `kill` is a reason like any other. From any thread.
void deliver_exit(CellBase& receiver, ActorId from, ExitReason const& reason, bool from_parent,
                  Watch* watch) noexcept;

}  // namespace spawned::detail
