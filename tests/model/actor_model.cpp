// An actor from its first message to the end of its memory: the mailbox word, the message in place,
// the stop and the count of its owners together (actors/detail/cell.hpp, cell.cpp).
//
// CellBase itself needs the whole scheduler. Cell below is what it does with the mailbox, the
// handles and the reply, step by step and on the real classes of these three: peek, take_all,
// leave, take_out and give_up as in work_through(), and finish_end().
#include <cstdint>
#include <optional>

#include <spawned/actors/detail/handle_count.hpp>
#include <spawned/actors/detail/mailbox.hpp>
#include <spawned/runtime/detail/futex.hpp>
#include <spawned/runtime/detail/slot.hpp>

#include "model/support.hpp"

namespace {

using namespace model_test;
using namespace spawned::detail;

enum class Kind : unsigned char { message, stop, request };

struct Mail {
  explicit Mail(Kind what) : kind(what) {}
  SharedCell<Mail*> next;
  SharedCell<Kind> kind;
  std::optional<Slot> slot{std::in_place};  // of a request
};

// The run queue of a worker, with room for the one actor.
struct RunQueue {
  atomic<std::uint32_t> queued{0};

  void schedule() {
    model::check(queued.exchange(1, memory_order_acq_rel) == 0, "an actor is queued once");
    futex_wake_one(queued);
  }
  void await() {
    while (queued.exchange(0, memory_order_acq_rel) == 0) futex_wait(queued, 0);
  }
};

struct Tally {
  SharedCell<int> handled{0};
  SharedCell<int> discarded{0};
  SharedCell<int> frees{0};
};

struct Cell {
  Cell(RunQueue& queue, Tally& counts) : runs(queue), tally(counts) {}

  RunQueue& runs;
  Tally& tally;
  BasicMailbox<Mail> mailbox{BasicMailbox<Mail>::Start::idle};
  HandleCount handles;
  SharedCell<Mail*> inbox{nullptr};
  SharedCell<Mail*> in_place{nullptr};
  SharedCell<bool> stopping{false};
  SharedCell<int> reason{0};
};

struct Actor {
  RunQueue runs;
  Tally tally;
  std::optional<Cell> cell{std::in_place, runs, tally};

  // --- senders ---

  bool send(Mail& mail) {
    auto const pushed = cell->mailbox.push(mail);
    if (pushed == BasicMailbox<Mail>::Push::made_runnable) runs.schedule();
    if (pushed == BasicMailbox<Mail>::Push::closed) {
      model::check(cell->reason.get() == 7, "who comes too late sees the reason");
    }
    return pushed != BasicMailbox<Mail>::Push::closed;
  }
  void release() {
    if (cell->handles.drop_strong()) release_memory();
  }
  void release_memory() {
    if (!cell->handles.drop_memory()) return;
    tally.frees.set(tally.frees.get() + 1);
    cell.reset();
  }

  // --- the worker ---

  // Until the actor has ended.
  void work() {
    do {
      runs.await();
    } while (!turn());
  }
  bool turn() {
    for (;;) {
      if (cell->stopping.get()) {
        finish_end();
        return true;
      }
      Mail* mail = cell->inbox.get();
      if (mail != nullptr) {
        cell->inbox.set(mail->next.get());
      } else {
        mail = cell->mailbox.peek();
        if (mail == nullptr) {
          if (cell->mailbox.go_idle(nullptr)) return false;
          continue;
        }
        if (mail->next.get() != nullptr) {
          cell->inbox.set(cell->mailbox.take_all());
          continue;
        }
        cell->in_place.set(mail);
      }
      if (handle(*mail)) return false;
    }
  }
  // True: the actor is given up.
  bool handle(Mail& mail) {
    Kind const kind = mail.kind.get();
    tally.handled.set(tally.handled.get() + 1);
    if (kind == Kind::stop) {
      take_out(mail);
      cell->stopping.set(true);
      return false;
    }
    bool const away = leave(mail);
    if (kind == Kind::request) reply(mail);  // its block may be used again at once
    return away;
  }
  bool leave(Mail& mail) {
    if (cell->in_place.get() != &mail) return false;
    cell->in_place.set(nullptr);  // first: afterwards the cell may be anybody's
    if (cell->mailbox.go_idle(&mail)) return true;
    cell->in_place.set(&mail);
    take_out(mail);
    return false;
  }
  void take_out(Mail& mail) {
    if (cell->in_place.get() != &mail) return;
    cell->in_place.set(nullptr);
    cell->inbox.set(cell->mailbox.take_above(&mail));
  }
  static void reply(Mail& mail) { (void)mail.slot->complete(); }
  void finish_end() {
    cell->reason.set(7);
    Mail* const unread = cell->mailbox.close();
    discard(cell->inbox.get());
    discard(unread);
    release_memory();
  }
  void discard(Mail* unread) {
    while (unread != nullptr) {
      Mail& mail = *unread;
      unread = mail.next.get();
      tally.discarded.set(tally.discarded.get() + 1);
      if (mail.kind.get() == Kind::request) reply(mail);
    }
  }
};

struct Waiter : SlotWaiter {
  Waiter() : SlotWaiter(&on_complete) {}
  static void on_complete(SlotWaiter& self, bool /*turn_ends*/) noexcept {
    auto& waiter = static_cast<Waiter&>(self);
    waiter.awake.store(1, memory_order_release);
    futex_wake_one(waiter.awake);
  }
  void wait() {
    while (awake.load(memory_order_acquire) == 0) futex_wait(awake, 0);
    awake.store(0, memory_order_relaxed);
  }
  atomic<std::uint32_t> awake{0};
};

}  // namespace

TEST_SUITE("model/actor") {
  TEST_CASE("two senders and a stop: all mail is handled, discarded or refused, the cell freed") {
    holds([] {
      Actor actor;
      Mail mails[]{Mail(Kind::message), Mail(Kind::message), Mail(Kind::stop)};
      actor.cell->handles.add_strong();
      atomic<int> refused{0};
      auto const send = [&](Mail& mail) {
        if (!actor.send(mail)) (void)refused.fetch_add(1, memory_order_relaxed);
      };
      model::parallel(
          [&] {
            send(mails[0]);
            actor.release();
          },
          [&] {
            send(mails[1]);
            send(mails[2]);
            actor.release();
          },
          [&] { actor.work(); });
      model::check(actor.tally.handled.get() + actor.tally.discarded.get() + refused.load() == 3,
                   "each once");
      model::check(actor.tally.frees.get() == 1, "the memory is freed once");
    });
  }

  TEST_CASE("a stop by one sender does not overtake the mail of another, nor lose it") {
    holds([] {
      Actor actor;
      Mail mails[]{Mail(Kind::message), Mail(Kind::stop), Mail(Kind::stop)};
      actor.cell->handles.add_strong();
      atomic<int> refused{0};
      auto const send = [&](Mail& mail) {
        if (!actor.send(mail)) (void)refused.fetch_add(1, memory_order_relaxed);
      };
      model::parallel(
          [&] {
            send(mails[0]);
            send(mails[1]);
            actor.release();
          },
          [&] {
            send(mails[2]);
            actor.release();
          },
          [&] { actor.work(); });
      model::check(actor.tally.handled.get() + actor.tally.discarded.get() + refused.load() == 3,
                   "each once");
      model::check(actor.tally.frees.get() == 1, "the memory is freed once");
    });
  }

  TEST_CASE("a caller uses the block of its answered request again at once") {
    holds([] {
      Actor actor;
      Mail request(Kind::request);
      Mail stop(Kind::stop);
      Waiter waiter;
      auto const ask = [&] {
        request.slot.emplace();
        request.slot->start_waiting(waiter);
        if (!actor.send(request)) return;
        waiter.wait();
        request.kind.set(Kind::request);  // a new message in the same block
      };
      model::parallel(
          [&] {
            ask();
            ask();
            (void)actor.send(stop);
            actor.release();
          },
          [&] { actor.work(); });
      model::check(actor.tally.handled.get() == 3, "both requests and the stop");
      model::check(actor.tally.frees.get() == 1, "the memory is freed once");
    });
  }

  TEST_CASE("a request is answered whether the stop of another comes before or after it") {
    holds([] {
      Actor actor;
      Mail request(Kind::request);
      Mail stop(Kind::stop);
      Waiter waiter;
      actor.cell->handles.add_strong();
      bool refused = false;
      model::parallel(
          [&] {
            request.slot->start_waiting(waiter);
            refused = !actor.send(request);
            if (!refused) waiter.wait();
            request.slot.reset();
            actor.release();
          },
          [&] {
            (void)actor.send(stop);
            actor.release();
          },
          [&] { actor.work(); });
      model::check(actor.tally.handled.get() + actor.tally.discarded.get() + (refused ? 1 : 0) == 2,
                   "each once");
      model::check(actor.tally.frees.get() == 1, "the memory is freed once");
    });
  }
}
