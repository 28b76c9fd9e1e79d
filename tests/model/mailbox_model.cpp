// The mailbox word (actors/detail/mailbox.hpp): pushes against the owner, the end, and reuse.
#include <cstdint>

#include <spawned/actors/detail/mailbox.hpp>

#include "model/support.hpp"

namespace {

using namespace model_test;
using spawned::detail::atomic;
using spawned::detail::memory_order_acquire;
using spawned::detail::memory_order_relaxed;
using spawned::detail::memory_order_release;
using spawned::detail::SharedCell;

struct Node {
  explicit Node(int number) : value(number) {}
  SharedCell<Node*> next;
  SharedCell<int> value;  // 10 * sender + how many that sender sends
  atomic<bool> freed{false};
};

using Mailbox = spawned::detail::BasicMailbox<Node>;
using Push = Mailbox::Push;

// What an actor does with its mailbox. A sender that makes it runnable runs it on the spot, so that
// the owner changes its thread as it does among workers.
struct Actor {
  explicit Actor(Mailbox::Start start = Mailbox::Start::idle) : mailbox(start) {}

  void send(Node& node) {
    if (mailbox.push(node) == Push::made_runnable) turn();
  }
  void handle(Node& node) {
    int const value = node.value.get();
    int const sender = value / 10;
    model::check(value % 10 == last[sender].get() + 1, "one sender's mail in order, each once");
    last[sender].set(value % 10);
    handled.set(handled.get() + 1);
  }
  void turn() {
    for (;;) {
      if (Node* const node = inbox.get()) {
        inbox.set(node->next.get());
        handle(*node);
        free(*node);
        continue;
      }
      Node* const node = mailbox.peek();
      if (node == nullptr) {
        if (mailbox.go_idle(nullptr)) return;
      } else if (node->next.get() != nullptr) {
        inbox.set(mailbox.take_all());
      } else {  // alone: handled in place
        handle(*node);
        bool const given_up = mailbox.go_idle(node);
        if (!given_up) inbox.set(mailbox.take_above(node));
        free(*node);
        if (given_up) return;
      }
    }
  }
  // Its sender may use the block for another message from here on.
  void free(Node& node) {
    node.value.set(-1);
    node.freed.store(true, memory_order_release);
  }

  Mailbox mailbox;
  SharedCell<Node*> inbox{nullptr};
  SharedCell<int> handled{0};
  SharedCell<int> last[3];
};

int length(Node const* list) {
  int count = 0;
  for (; list != nullptr; list = list->next.get()) ++count;
  return count;
}

}  // namespace

TEST_SUITE("model/mailbox") {
  TEST_CASE("mail of two senders arrives while the owner takes it, each sender's in order") {
    holds([] {
      Actor actor(Mailbox::Start::running);
      Node first(11);
      Node second(12);
      Node other(21);
      model::parallel(
          [&] {
            actor.send(first);
            actor.send(second);
          },
          [&] { actor.send(other); }, [&] { actor.turn(); });
      model::check(actor.handled.get() == 3, "all three have arrived");
      model::check(!actor.mailbox.go_idle(nullptr), "the owner has given it up");
    });
  }

  TEST_CASE("an idle actor is run by exactly one of those who send to it") {
    holds([] {
      Actor actor;
      Node nodes[]{Node(1), Node(11), Node(21)};
      model::parallel([&] { actor.send(nodes[0]); }, [&] { actor.send(nodes[1]); },
                      [&] { actor.send(nodes[2]); });
      model::check(actor.handled.get() == 3, "no mail is left unseen");
    });
  }

  TEST_CASE("mail that comes while the owner gives the actor up is seen by one of the two") {
    holds([] {
      Actor actor(Mailbox::Start::running);
      Node before(1);
      model::check(actor.mailbox.push(before) == Push::queued, "the owner runs");
      Node first(11);
      Node second(12);
      model::parallel([&] { actor.turn(); },
                      [&] {
                        actor.send(first);
                        actor.send(second);
                      });
      model::check(actor.handled.get() == 3, "no mail is left unseen");
    });
  }

  TEST_CASE("a block that is used again for the next message is not mistaken for the former") {
    holds([] {
      Actor actor;
      Node block(1);
      Node others[]{Node(11), Node(12)};
      int sent = 3;
      model::parallel(
          [&] {
            actor.send(block);
            if (!block.freed.load(memory_order_acquire)) return;
            model::check(block.value.get() == -1, "freed means that it was handled");
            block.value.set(2);
            ++sent;
            actor.send(block);
          },
          [&] {
            actor.send(others[0]);
            actor.send(others[1]);
          });
      model::check(actor.handled.get() == sent, "no mail is left unseen");
    });
  }

  TEST_CASE("mail that is unread at the end is returned once, later mail refused with the reason") {
    holds([] {
      Mailbox mailbox(Mailbox::Start::running);
      SharedCell<int> reason{0};
      Node nodes[]{Node(1), Node(11), Node(12)};
      atomic<int> refused{0};
      int taken = 0;
      auto const send = [&](Node& node) {
        Push const pushed = mailbox.push(node);
        model::check(pushed != Push::made_runnable, "it never becomes idle");
        if (pushed != Push::closed) return;
        model::check(reason.get() == 7, "who comes too late sees the reason");
        model::check(mailbox.is_closed(), "for good");
        (void)refused.fetch_add(1, memory_order_relaxed);
      };
      model::parallel([&] { send(nodes[0]); },
                      [&] {
                        send(nodes[1]);
                        send(nodes[2]);
                      },
                      [&] {
                        taken += length(mailbox.take_all());
                        reason.set(7);
                        taken += length(mailbox.close());
                      });
      model::check(taken + refused.load() == 3, "each is taken or refused, once");
    });
  }

  TEST_CASE("what comes before a confirmed look at an open mailbox is seen by who closes it") {
    holds([] {
      Mailbox mailbox(Mailbox::Start::running);
      SharedCell<int> reason{0};
      atomic<int> registered{0};
      bool open = false;
      bool seen = false;
      model::parallel(
          [&] {
            registered.store(1, memory_order_relaxed);
            open = mailbox.confirm_open();
            if (!open) model::check(reason.get() == 7, "closed: the reason is seen");
          },
          [&] {
            reason.set(7);
            (void)mailbox.close();
            seen = registered.load(memory_order_relaxed) == 1;
          });
      model::check(!open || seen, "open means that the end will see the registration");
    });
  }

  TEST_CASE("who sees an ended mailbox sees the reason of the end") {
    holds([] {
      Mailbox mailbox(Mailbox::Start::running);
      SharedCell<int> reason{0};
      model::parallel(
          [&] {
            reason.set(7);
            (void)mailbox.close();
          },
          [&] {
            if (mailbox.is_closed()) model::check(reason.get() == 7, "the reason is seen");
          });
    });
  }
}
