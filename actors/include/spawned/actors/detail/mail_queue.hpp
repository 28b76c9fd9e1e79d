// MailQueue: the mail of an actor that is bounded or takes urgent messages. Other actors have none.
//
// All that is sent to such an actor, stops and the library's own envelopes included, goes through
// lists under one lock, so that the order of a sender holds across all of it. The mailbox word then
// holds nothing but `bell_`, an envelope that is never delivered: it makes the actor runnable just
// as mail does.
//
//   under lock_      means
//   rung_            the mailbox word holds the bell: the actor is queued or running
//   not rung_        the word is idle, or nullptr while init or its first turn has seen no mail
//   closed_          the word is closed; nothing is accepted any more
//
// The word changes only under the lock (the one exception is the initial value), so append-and-ring
// and find-nothing-and-go-idle exclude each other and no mail is left unseen.
//
// Counting. pushed_ counts user mail accepted and taken_ what the owner has begun, each with one
// writer at a time, so a message costs the owner no lock: it takes the whole list at once. The
// difference is what is unread. What is sent lies on a stack, newest_, until the owner takes it all
// and turns it round outside the lock. With drop_oldest and with urgent messages the owner takes
// one envelope at a time from a list, ordinary_, instead, because a sender may remove mail, or mail
// may overtake.
//
// Room. Under the policy `wait`, RoomWaits stand in line with their envelopes. The owner lets them
// in, first come, once the unread have fallen to half the capacity, and moves the envelope itself,
// so nobody can barge in between. It looks when it has begun a message, which may be in work for
// long, and before it goes idle.
//
// What is not ordered by the lock. taken_ and pushed_ are counters: a late view of taken_ refuses,
// or makes wait, a moment longer. calls_ tells the owner to take the lock before it has to; it
// always takes it before it goes idle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/options.hpp>
#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/slot.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned {

/// What an actor's mailbox holds and has refused: a moment's truth.
struct MailboxInfo {
  std::size_t size;        ///< unread messages and requests; 0 where nobody counts (see capacity)
  std::size_t capacity;    ///< ActorOptions::mailbox_capacity; only bounded mailboxes count
  std::uint64_t dropped;   ///< messages and requests that a policy has dropped
  std::uint64_t rejected;  ///< sends answered `full`, requests answered `mailbox_full`
};

namespace detail {

/// Envelopes, the newest on top, through Envelope::next; its low bit says whether the envelope
/// counts against the capacity. Pushing touches no other envelope, which is in the cache of another
/// core.
class MailStack {
 public:
  [[nodiscard]] bool empty() const noexcept { return top_ == nullptr; }
  void push(Envelope& envelope, bool counted) noexcept;

 private:
  friend class MailList;
  Envelope* top_ = nullptr;
};

/// A list of envelopes, oldest first; links as in MailStack.
class MailList {
 public:
  MailList() noexcept = default;
  /// All of the stack, whose newest is on top.
  explicit MailList(MailStack const& stack) noexcept;
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  void append(Envelope& envelope, bool counted) noexcept;
  /// Not empty. Tells whether it counts.
  [[nodiscard]] Envelope& pop(bool& counted) noexcept;
  /// As a plain list, if nothing in it counts.
  [[nodiscard]] Envelope* first() const noexcept { return first_; }
  /// Removes the oldest that counts, or returns nullptr.
  [[nodiscard]] Envelope* remove_counted() noexcept;

 private:
  Envelope* first_ = nullptr;
  Envelope* last_ = nullptr;
};

/// Somebody who waits for room, with the envelope to send. Lives until it was withdrawn, or until
/// the request it belongs to is answered.
class RoomWait {
 public:
  enum class For : bool { request, send };
  explicit RoomWait(For what) noexcept : wakes_(what == For::send) {}
  RoomWait(RoomWait const&) = delete;
  RoomWait& operator=(RoomWait const&) = delete;

  Slot slot;  // of a send: completed when it is let in, or the actor ends

 private:
  friend class MailQueue;
  enum class State : std::uint8_t { outside, in_line, let_in };

  RoomWait* previous_ = nullptr;  // all guarded by the queue's lock
  RoomWait* next_ = nullptr;
  Envelope* envelope_ = nullptr;
  State state_ = State::outside;
  bool wakes_;
};

class MailQueue {
 public:
  explicit MailQueue(ActorOptions const& options) noexcept;
  MailQueue(MailQueue const&) = delete;
  MailQueue& operator=(MailQueue const&) = delete;

  struct Outcome {
    Pushed pushed;
    bool runnable = false;       // the caller must queue the actor
    Envelope* victim = nullptr;  // the caller must drop it
  };

  // --- any thread ---

  /// `generation`: of an urgent envelope.
  [[nodiscard]] Outcome push(Mailbox& mailbox, Envelope& envelope, MailKind kind,
                             std::uint64_t generation) noexcept;
  /// no_room: `wait` is in line. accepted, ended: as push().
  [[nodiscard]] Outcome stand_in_line(Mailbox& mailbox, Envelope& envelope,
                                      RoomWait& wait) noexcept;
  /// Ends a wait, and afterwards nobody uses it. True: the envelope was not accepted.
  [[nodiscard]] bool withdraw(RoomWait& wait) noexcept;
  /// Wakes one who waits in line, if he still does; he finds that his envelope was not accepted.
  void turn_away(RoomWait& wait) noexcept;
  /// The policy asks, or allows, a stream to wait rather than to lose items.
  [[nodiscard]] bool lets_streams_wait() const noexcept {
    return policy_ == Overflow::wait || policy_ == Overflow::reject;
  }
  void count_rejected() noexcept;
  [[nodiscard]] MailboxInfo info() noexcept;
  [[nodiscard]] std::size_t unread() const noexcept {
    std::uint64_t const taken = taken_.load(memory_order_relaxed);    // a counter
    std::uint64_t const pushed = pushed_.load(memory_order_relaxed);  // a counter
    return pushed > taken ? pushed - taken : 0;
  }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  // --- the owner ---

  struct Taken {
    enum class What : std::uint8_t {
      mail,
      idle,      // there is none, and the actor is given up: do not touch it any more
      overflow,  // the actor must end
    };
    What what;
    Envelope* envelope = nullptr;
  };
  [[nodiscard]] Taken take(Mailbox& mailbox) noexcept;
  /// Once: closes the mailbox too, and returns what is unread, oldest first.
  [[nodiscard]] Envelope* close(Mailbox& mailbox) noexcept;
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  /// Earlier generations are refused from now on.
  void revoke() noexcept;

 private:
  class Bell final : public Envelope {
   public:
    Bell() noexcept : Envelope(&deliver_bell) {}

   private:
    static Turn deliver_bell(CellBase* /*cell*/, Envelope& /*bell*/, Operation /*op*/) {
      return Turn::next;
    }
  };
  static constexpr std::uint8_t line_call = 1;      // somebody waits for room
  static constexpr std::uint8_t overflow_call = 2;  // the policy says that the actor ends

  // Under the lock.
  [[nodiscard]] bool has_room() noexcept;
  [[nodiscard]] Outcome accept(Mailbox& mailbox, Envelope& envelope, MailKind kind) noexcept;
  [[nodiscard]] Outcome overflow(Mailbox& mailbox, Envelope& envelope, MailKind kind) noexcept;
  void append(Envelope& envelope, bool counted) noexcept;
  /// Nothing: there is a new batch, in `all`.
  [[nodiscard]] std::optional<Taken> take_locked(Mailbox& mailbox, MailStack& all) noexcept;
  void let_in() noexcept;
  [[nodiscard]] Taken begin_locked(MailList& list) noexcept;
  void unlink(RoomWait& wait) noexcept;

  [[nodiscard]] Taken begin(MailList& list) noexcept;
  void let_in_now() noexcept;
  void add_pushed(std::uint64_t n) noexcept {
    pushed_.store(pushed_.load(memory_order_relaxed) + n, memory_order_relaxed);  // one writer
  }
  void call(std::uint8_t calls) noexcept {
    calls_.store(calls, memory_order_relaxed);  // a hint, written under the lock
  }

  // What senders write.
  SpinLock lock_;
  bool rung_ = false;
  bool closed_ = false;
  bool overflowed_ = false;
  atomic<std::uint64_t> pushed_{0};
  std::uint64_t taken_seen_ = 0;  // taken_ when last looked at: the owner's line is left alone
  MailStack newest_;              // ordinary mail, or
  MailList ordinary_;             // if one_at_a_time_
  MailList urgent_;
  RoomWait* first_in_line_ = nullptr;
  RoomWait* last_in_line_ = nullptr;
  std::uint64_t generation_ = 1;  // written by the owner under the lock
  std::uint64_t dropped_ = 0;
  std::uint64_t rejected_ = 0;
  Bell bell_;

  // What the owner writes, and what nobody does, each on lines of its own.
  alignas(64) atomic<std::uint64_t> taken_{0};
  MailList batch_;
  unsigned urgent_row_ = 0;  // urgent messages begun since the last ordinary one

  alignas(64) atomic<std::uint8_t> calls_{0};
  std::size_t const capacity_;
  std::size_t const low_water_;  // the unread at which those in line are let in
  unsigned const urgent_burst_;
  Overflow const policy_;
  bool const one_at_a_time_;
};

}  // namespace detail
}  // namespace spawned
