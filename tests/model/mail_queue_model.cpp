// The mail of a bounded actor (actors/detail/mail_queue.hpp): what is refused, dropped or waits for
// room, the wake-up of those who wait, and the end.
#include <cstdint>
#include <optional>

#include <spawned/actors/detail/mail_queue.hpp>

#include "model/support.hpp"
#include "model/world.hpp"

namespace {

using namespace model_test;
using namespace spawned::detail;
using spawned::ActorOptions;
using spawned::Overflow;

struct Mail final : Envelope {
  explicit Mail(int number) : Envelope(nullptr), value(number) {}
  SharedCell<int> value;  // 10 * sender + how many that sender sends
  SharedCell<int> handled{0};
};

ActorOptions options(std::size_t capacity, Overflow overflow) {
  ActorOptions result;
  result.mailbox_capacity = capacity;
  result.overflow = overflow;
  return result;
}

// A bounded actor. Who makes it runnable runs it on the spot, so that the owner changes its thread
// as it does among workers.
struct Actor {
  explicit Actor(ActorOptions const& limits) : queue(limits) {}

  void run_if(MailQueue::Outcome const& outcome) {
    if (outcome.victim != nullptr) {
      static_cast<Mail*>(outcome.victim)->handled.set(-1);
      (void)victims.fetch_add(1, memory_order_relaxed);
    }
    if (outcome.runnable) turn();
  }
  Pushed send(Mail& mail, MailKind kind = MailKind::ordinary) {
    auto const outcome = queue.push(mailbox, mail, kind, 1);
    run_if(outcome);
    return outcome.pushed;
  }
  void handle(Mail& mail) {
    model::check(mail.handled.get() == 0, "each is handled once");
    mail.handled.set(1);
    int const sender = mail.value.get() / 10;
    int const number = mail.value.get() % 10;
    model::check(number > last[sender].get(), "one sender's mail in order");
    last[sender].set(number);
    handled.set(handled.get() + 1);
  }
  void turn() {
    for (;;) {
      auto const taken = queue.take(mailbox);
      if (taken.what == MailQueue::Taken::What::idle) return;
      if (taken.what == MailQueue::Taken::What::overflow) {
        end();
        return;
      }
      handle(static_cast<Mail&>(*taken.envelope));
      if (handled.get() == ends_after) {
        end();
        return;
      }
    }
  }
  void end() {
    reason.set(7);
    for (Envelope* unread = queue.close(mailbox); unread != nullptr; unread = unread->next.get()) {
      static_cast<Mail*>(unread)->handled.set(-1);
      discarded.set(discarded.get() + 1);
    }
  }

  // As send_blocking() does it: true if the mail was accepted.
  bool send_waiting(Mail& mail, std::int64_t timeout_ns = no_deadline) {
    Pushed how = send(mail);
    if (how == Pushed::no_room) {
      std::optional<RoomWait> room(std::in_place, RoomWait::For::send);
      auto const outcome = queue.stand_in_line(mailbox, mail, *room);
      run_if(outcome);
      how = outcome.pushed;
      if (how == Pushed::no_room) {
        std::optional<ThreadWait> wait(std::in_place);
        (void)wait->wait(room->slot, timeout_ns);
        wait.reset();
        how = queue.withdraw(*room) ? Pushed::ended : Pushed::accepted;
        room.reset();
      }
    }
    if (how == Pushed::accepted) return true;
    model::check(mail.handled.get() == 0, "what is not accepted is still the sender's");
    mail.handled.set(2);
    return false;
  }

  Mailbox mailbox{Mailbox::Start::idle};
  MailQueue queue;
  int ends_after = -1;
  SharedCell<int> handled{0};
  SharedCell<int> discarded{0};
  SharedCell<int> reason{0};
  SharedCell<int> last[3];
  atomic<int> victims{0};
};

}  // namespace

TEST_SUITE("model/mail_queue") {
  TEST_CASE("reject: what is accepted is handled, what is refused is not") {
    holds([] {
      Actor actor(options(1, Overflow::reject));
      Mail first(1);
      Mail second(2);
      Mail other(11);
      atomic<int> accepted{0};
      auto const send = [&](Mail& mail) {
        Pushed const how = actor.send(mail);
        model::check(how == Pushed::accepted || how == Pushed::full, "one of the two");
        if (how == Pushed::accepted) (void)accepted.fetch_add(1, memory_order_relaxed);
      };
      model::parallel(
          [&] {
            send(first);
            send(second);
          },
          [&] { send(other); });
      model::check(actor.handled.get() == accepted.load(), "all that was accepted, no more");
      model::check(actor.queue.unread() == 0, "nothing is left");
    });
  }

  TEST_CASE("wait: everybody gets room in the end, and no wake-up is lost") {
    holds([] {
      Actor actor(options(1, Overflow::wait));
      Mail first(1);
      Mail second(2);
      Mail other(11);
      model::parallel(
          [&] {
            model::check(actor.send_waiting(first), "accepted");
            model::check(actor.send_waiting(second), "accepted");
          },
          [&] { model::check(actor.send_waiting(other), "accepted"); });
      model::check(actor.handled.get() == 3, "all are handled");
    });
  }

  TEST_CASE("wait: a sender whose time ends keeps its mail, or the mail is accepted") {
    holds([] {
      world.looks_at_clock = 0;
      Actor actor(options(1, Overflow::wait));
      Mail first(1);
      Mail other(11);
      bool accepted = false;
      model::parallel([&] { model::check(actor.send_waiting(first), "first come"); },
                      [&] { accepted = actor.send_waiting(other, 1'000); });
      model::check(actor.handled.get() == (accepted ? 2 : 1), "accepted means handled");
      model::check(other.handled.get() == (accepted ? 1 : 2), "refused means the sender's");
    });
  }

  TEST_CASE("wait: the end wakes who stands in line, with the mail still its own") {
    holds([] {
      Actor actor(options(1, Overflow::wait));
      actor.ends_after = 1;
      Mail mails[]{Mail(1), Mail(11)};
      atomic<int> refused{0};
      auto const send = [&](Mail& mail) {
        if (actor.send_waiting(mail)) return;
        model::check(actor.reason.get() == 7, "the reason is seen");
        (void)refused.fetch_add(1, memory_order_relaxed);
      };
      model::parallel([&] { send(mails[0]); }, [&] { send(mails[1]); });
      model::check(actor.handled.get() + actor.discarded.get() + refused.load() == 2, "each once");
    });
  }

  TEST_CASE("wait: a request in line is let in, or discarded by the end") {
    for (int const ends_after : {1, 2}) {
      holds([=] {
        Actor actor(options(1, Overflow::wait));
        actor.ends_after = ends_after;
        Mail first(1);
        Mail request(11);
        RoomWait room(RoomWait::For::request);
        bool refused = false;
        auto const running = actor.queue.push(actor.mailbox, first, MailKind::ordinary, 1);
        model::check(running.runnable, "it was idle");
        model::parallel([&] { actor.turn(); },
                        [&] {
                          auto const how = actor.queue.stand_in_line(actor.mailbox, request, room);
                          actor.run_if(how);
                          refused = how.pushed == Pushed::ended;
                          if (refused) model::check(actor.reason.get() == 7, "the reason is seen");
                        });
        model::check(actor.handled.get() + actor.discarded.get() + (refused ? 1 : 0) == 2,
                     "each once");
      });
    }
  }

  TEST_CASE("wait: who is turned away leaves the line once, with the mail still its own") {
    holds([] {
      Actor actor(options(1, Overflow::wait));
      Mail first(1);
      Mail other(11);
      RoomWait room(RoomWait::For::send);
      auto const running = actor.queue.push(actor.mailbox, first, MailKind::ordinary, 1);
      model::check(running.runnable, "it was idle");
      auto const stands = actor.queue.stand_in_line(actor.mailbox, other, room);
      model::check(stands.pushed == Pushed::no_room, "it is full");
      bool accepted = false;
      model::parallel([&] { actor.turn(); }, [&] { actor.queue.turn_away(room); },
                      [&] {
                        if (room.slot.abandon()) return;  // its time is over
                        accepted = !actor.queue.withdraw(room);
                        if (!accepted) other.handled.set(2);
                      });
      if (!accepted) accepted = !actor.queue.withdraw(room);
      model::check(other.handled.get() == 1 ? accepted : !accepted, "handled, or the sender's");
    });
  }

  TEST_CASE("drop_oldest: each is handled or dropped, once") {
    holds([] {
      Actor actor(options(1, Overflow::drop_oldest));
      Mail mails[]{Mail(1), Mail(11), Mail(12)};
      model::parallel([&] { (void)actor.send(mails[0]); },
                      [&] {
                        (void)actor.send(mails[1]);
                        (void)actor.send(mails[2]);
                      });
      model::check(actor.handled.get() + actor.victims.load() == 3, "each once");
    });
  }

  TEST_CASE("stop_actor: the overflow ends the actor, and nothing is left unanswered") {
    holds([] {
      Actor actor(options(1, Overflow::stop_actor));
      Mail mails[]{Mail(1), Mail(11), Mail(12)};
      atomic<int> refused{0};
      auto const send = [&](Mail& mail) {
        if (actor.send(mail) != Pushed::accepted) (void)refused.fetch_add(1, memory_order_relaxed);
      };
      model::parallel([&] { send(mails[0]); },
                      [&] {
                        send(mails[1]);
                        send(mails[2]);
                      });
      model::check(actor.handled.get() + actor.discarded.get() + refused.load() == 3, "each once");
    });
  }

  TEST_CASE("the library's own mail is accepted where a user's has no room") {
    holds([] {
      Actor actor(options(1, Overflow::reject));
      Mail user(1);
      Mail stop(11);
      model::parallel([&] { model::check(actor.send(user) == Pushed::accepted, "the only one"); },
                      [&] {
                        model::check(actor.send(stop, MailKind::library) == Pushed::accepted,
                                     "no limit applies");
                      });
      model::check(actor.handled.get() == 2, "both are handled");
    });
  }
}
