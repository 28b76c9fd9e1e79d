// Idle: who searches, who sleeps, who is woken. The protocol that must not lose a wake-up.
//
// A worker is running, searching (looking for work to steal) or parked. Waking a parked core costs
// 26-54 us and its waker 7 us, so at most one worker searches (it spins a little before it parks),
// and nobody is woken while one searches.
//
//   per worker    set by                              means
//   running (0)   the worker; a waker's notify        awake
//   parked (1)    announce()                          asleep or about to be; may be claimed
//   claimed (2)   notify_one(), notify_all()          woken; it inherits a searcher's place
//
// searching_ counts searchers; members_ holds two counts in one word: the workers from announce()
// to retract() (parked), and the workers that take part at all. A waker that claims a worker adds
// it to searching_ first, so two wakers cannot wake two workers for one item.
//
// Holding. Virtual time may move only while nobody runs. try_hold() sets a bit of members_ in the
// same step in which it sees that all are parked; until release() nobody gets past retract() or
// join(), so whoever wakes meanwhile sees the time after the move, and nobody else moves it.
//
// Spares. The constructor's workers always take part. The others, with higher indices, are spares
// (monitor.hpp): join() before a spare looks at a queue for the first time, leave() when it has
// given back what it held and is neither parked nor searching. One word for both counts, so that
// all_parked() is true of one moment: a worker that is blocked in a handler is a member that is not
// parked, whatever the spares do.
//
// Why no wake-up is lost. Work that only parked workers could serve comes through the injection
// queue, whose counter is bumped (seq_cst) before notify_one(). A notifier P bumps, then reads
// parked, then searching_. A worker announces itself, leaves the role of the searcher, then looks
// at the counter. These five are seq_cst, so there is one total order S of them: who reads one of
// Idle's words as it was before a change comes before that change in S.
//   1. P reads searching_ > 0. Some searcher leaves that role later in S: either it found work, and
//      then the last one to leave looks at the queues again and notifies; or it is about to park,
//      and then it looks again after announce(). Both looks come after P's bump in S. Who finds
//      work by the second look may find more than it takes: it becomes the searcher again, unless
//      there is one, and so looks once more when it leaves that role. Which one that is, it may
//      learn late: each role taken after its own is left after its own, in S too.
//   2. P reads parked == 0. No worker has announced itself. Each looks at the counter
//      after announce(), which comes after P's read in S, and so after the bump. A worker that is
//      blocked comes to that late: after a time the monitor lets a spare join, which looks at the
//      queues at once, and again after its own announce(). The monitor does not sleep while any
//      member is not parked (monitor.hpp), so it can not be missed. A spare that leaves owes no
//      look: those who are left are parked (and then it is case 1 or 3), or they will look, or the
//      monitor sees that they do not.
//   3. P reads parked > 0 and raises searching_: it claims one and wakes it, or finds all claimed
//      or awake again by others, lowers searching_ and starts over. If it finds searching_ raised
//      after it has read 0, this is case 1: the role is left after P's read in S.
// Work in a worker's own deque needs none of this: its owner will run it. A wake-up for it that is
// missed because both sides looked too early costs parallelism until the owner's present turn ends,
// never the work (the same argument as oneTBB's), so notify_if_idle() is a pair of plain loads
// first.
//
// Orderings. The first four are Dekker patterns: each side changes one word, then reads the
// other's, and both must not read the past. Only seq_cst promises that. members_ and searching_
// are changed by read-modify-writes alone, which continue each other's release sequences.
//   look      announce() adds to members_ (seq_cst), then the worker looks for work, for the end,
//             for the time (seq_cst)  ->  parked_count() loads members_ (seq_cst), after the work,
//             the end or the time was made known (seq_cst). Who counts a worker as parked also sees
//             that its state was set to parked, and the slot of a spare: the states and slots_ need
//             no order of their own.
//   role      stop_searching() subtracts (seq_cst), then the worker looks (seq_cst)  ->
//             notify_one() loads searching_ (seq_cst), after the bump (seq_cst). Who takes the role
//             orders nothing: a notifier who sees the role taken comes before it is left.
//   awake     retract() subtracts from members_ (seq_cst), then on_unpark() looks whether the
//             monitor sleeps (seq_cst)  ->  all_parked() loads (seq_cst), after the monitor has
//             made that known (seq_cst). See monitor.hpp.
//   mover     announce() adds (seq_cst), then the worker looks whether threads outside work
//             (seq_cst)  ->  try_hold() loads (seq_cst), after the timekeeper, who is no member and
//             is not woken by notify_all(), was counted out (seq_cst). One of the two moves time.
//   hold      announce(), leave() and release() change members_ (release)  ->  try_hold(),
//             retract() and join() read it (acquire). The holder sees what everybody did before he
//             parked or left; who gets past retract() or join() sees the time after the move.
//   wake      claim() CASes the state (release)  ->  retract() exchanges it (acquire).
//             The woken worker sees what the waker queued, and that searching_ was raised for it.
#pragma once

#include <cstdint>
#include <memory>

#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/futex.hpp>

namespace spawned::detail {

class Idle {
 public:
  explicit Idle(std::uint32_t workers, std::uint32_t spares = 0)
      : states_(new State[workers + spares]),
        slots_(workers),
        members_(std::uint64_t{workers} * one_member) {}

  /// A spare takes part from here on. One thread at a time: the monitor.
  void join(std::uint32_t worker) noexcept {
    if (slots_.load(memory_order_relaxed) <= worker) {  // one writer
      slots_.store(worker + 1, memory_order_relaxed);   // published by the spare's announce()
    }
    wait_while_held(members_.fetch_add(one_member, memory_order_acquire));  // hold
  }
  /// A spare takes part no more, until it joins again. It is neither parked nor searching.
  void leave() noexcept { members_.fetch_sub(one_member, memory_order_release); }  // hold

  /// A running worker becomes the searcher, unless there is one.
  [[nodiscard]] bool try_start_searching() noexcept {
    std::uint32_t expected = 0;
    return searching_.compare_exchange_strong(expected, 1, memory_order_relaxed,
                                              memory_order_relaxed);  // orders nothing
  }

  /// True: it was the last searcher. Then the caller must look once more for work that others
  /// could do, and notify if there is some.
  [[nodiscard]] bool stop_searching() noexcept {
    return searching_.fetch_sub(1, memory_order_seq_cst) == 1;  // role
  }

  /// The worker is about to sleep. Afterwards it must look for work once more.
  void announce(std::uint32_t worker) noexcept {
    states_[worker].word.store(parked, memory_order_relaxed);  // published by the next
    members_.fetch_add(one_parked, memory_order_seq_cst);      // look, mover, hold
  }

  /// After announce(): the worker does not sleep, or no more. `found`: it has seen work for
  /// anybody. True: the worker is a searcher now, because of that or because a waker claimed it.
  [[nodiscard]] bool retract(std::uint32_t worker, bool found) noexcept {
    bool const own =
        states_[worker].word.exchange(running, memory_order_acquire) == parked;  // wake
    // Not by the claimer: until the worker is up, it counts as parked, and as a searcher.
    wait_while_held(members_.fetch_sub(one_parked, memory_order_seq_cst));  // awake, hold
    return !own || (found && try_start_searching());
  }

  /// Keeps everybody parked until release(). False: somebody runs or searches. Waits for another
  /// holder, because that one may have looked too early.
  [[nodiscard]] bool try_hold() noexcept {
    std::uint64_t members = members_.load(memory_order_seq_cst);  // mover
    for (;;) {
      if (!all_parked_in(members)) return false;
      if ((members & held) != 0) {
        cpu_pause();
        members = members_.load(memory_order_relaxed);  // not older than what it has read
      } else if (members_.compare_exchange_weak(members, members | held, memory_order_acquire,
                                                memory_order_relaxed)) {  // hold
        return true;
      }
    }
  }
  void release() noexcept { members_.fetch_and(~held, memory_order_release); }  // hold

  /// Sleeps until claimed or until the time is over. Afterwards call retract().
  void sleep(std::uint32_t worker, std::int64_t timeout_ns) noexcept {
    if (states_[worker].word.load(memory_order_relaxed) != parked) return;  // the futex compares
    futex_wait(states_[worker].word, parked, timeout_ns);
  }

  /// After new work for anybody. True: a worker was woken.
  bool notify_one() noexcept {
    for (;;) {
      if (parked_count() == 0) return false;
      if (searching_.load(memory_order_seq_cst) != 0) return false;  // role
      if (!try_start_searching()) return false;
      std::uint32_t const slots = slots_.load(memory_order_relaxed);  // those of the parked
      for (std::uint32_t worker = 0; worker < slots; ++worker) {
        if (claim(worker)) return true;
      }
      (void)stop_searching();
      await_sleeper();
    }
  }

  /// notify_one() behind two plain loads, for work that its owner will run in any case.
  bool notify_if_idle() noexcept {
    if (!has_parked()) return false;
    if (searching_.load(memory_order_relaxed) != 0) return false;  // a hint
    return notify_one();
  }

  /// Wakes everybody: shutdown, or virtual time has moved.
  void notify_all() noexcept {
    if (parked_count() == 0) return;  // they will look; who is counted can be claimed
    bool unclaimed = false;
    std::uint32_t const slots = slots_.load(memory_order_relaxed);  // those of the parked
    for (std::uint32_t worker = 0; worker < slots; ++worker) unclaimed |= !wake(worker);
    // Somebody may have relied on the searcher that this loop only seemed to be.
    if (unclaimed) (void)notify_one();
  }

  /// Wakes one worker in particular, as a further searcher. False: nobody was woken, and the
  /// caller was the last searcher for a moment: see notify_all().
  bool wake(std::uint32_t worker) noexcept {
    searching_.fetch_add(1, memory_order_relaxed);  // orders nothing
    return claim(worker) || !stop_searching();
  }

  [[nodiscard]] std::uint32_t parked_count() const noexcept {
    return parked_in(members_.load(memory_order_seq_cst));  // look
  }
  /// Nobody who takes part runs or searches.
  [[nodiscard]] bool all_parked() const noexcept {
    return all_parked_in(members_.load(memory_order_seq_cst));  // awake
  }

 private:
  static constexpr std::uint32_t running = 0;
  static constexpr std::uint32_t parked = 1;
  static constexpr std::uint32_t claimed = 2;

  static constexpr int pauses_most = 100;

  static constexpr std::uint64_t one_parked = 1;
  static constexpr std::uint64_t one_member = std::uint64_t{1} << 32;
  static constexpr std::uint64_t held = std::uint64_t{1} << 63;
  static constexpr std::uint32_t parked_in(std::uint64_t members) noexcept {
    return static_cast<std::uint32_t>(members);
  }
  static constexpr bool all_parked_in(std::uint64_t members) noexcept {
    return parked_in(members) == (members & ~held) / one_member;
  }

  struct alignas(64) State {
    atomic<std::uint32_t> word{running};
  };

  void wait_while_held(std::uint64_t members) const noexcept {
    while ((members & held) != 0) [[unlikely]] {
      cpu_pause();
      members = members_.load(memory_order_acquire);  // hold
    }
  }

  // Nobody could be claimed: those who count as parked are awake, and about to lower the count.
  // Only looks, so that several who wait here do not keep each other busy; and orders nothing,
  // because the caller looks again.
  void await_sleeper() const noexcept {
    for (int spins = 0; has_parked() && !has_sleeper(); ++spins) {
      if (spins < pauses_most) {
        cpu_pause();
      } else {
        yield_thread();  // one of them is off its core
      }
    }
  }
  bool has_parked() const noexcept {
    return parked_in(members_.load(memory_order_relaxed)) != 0;  // a hint
  }
  bool has_sleeper() const noexcept {
    std::uint32_t const slots = slots_.load(memory_order_relaxed);  // a hint
    for (std::uint32_t worker = 0; worker < slots; ++worker) {
      if (states_[worker].word.load(memory_order_relaxed) == parked) return true;  // a hint
    }
    return false;
  }

  // The caller has added the worker to searching_ beforehand.
  bool claim(std::uint32_t worker) noexcept {
    std::uint32_t expected = parked;
    if (!states_[worker].word.compare_exchange_strong(expected, claimed, memory_order_release,
                                                      memory_order_relaxed)) {  // wake
      return false;
    }
    futex_wake_one(states_[worker].word);
    return true;
  }

  std::unique_ptr<State[]> states_;
  atomic<std::uint32_t> slots_;  // states in use: the workers, and the spares that ever joined
  alignas(64) atomic<std::uint32_t> searching_{0};
  alignas(64) atomic<std::uint64_t> members_;
};

}  // namespace spawned::detail
