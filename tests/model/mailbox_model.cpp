// The mailbox word (actors/detail/mailbox.hpp): pushes against the owner, the end, and reuse.
#include <cstdint>

#include <spawned/actors/detail/mailbox.hpp>

#include "model/support.hpp"

namespace {

using namespace model_test;
using spawned::detail::SharedCell;

struct Node {
  explicit Node(int number) : value(number) {}
  SharedCell<Node*> next;
  SharedCell<int> value;
};

using Mailbox = spawned::detail::BasicMailbox<Node>;
using Push = Mailbox::Push;

}  // namespace

TEST_SUITE("model/mailbox") {
  TEST_CASE("two senders and the owner: everything arrives, and one sender's mail in order") {
    holds([] {
      Mailbox mailbox(Mailbox::Start::running);
      Node first(1);
      Node second(2);
      Node other(10);
      int last = 0;
      int sum = 0;
      auto const read = [&](Node* list) {
        while (list != nullptr) {
          Node* const next = list->next.get();
          int const value = list->value.get();
          if (value < 10) {
            model::check(value == last + 1, "in the order of the sender");
            last = value;
          }
          sum += value;
          list = next;
        }
      };
      model::parallel(
          [&] {
            model::check(mailbox.push(first) == Push::queued, "the owner runs");
            model::check(mailbox.push(second) == Push::queued, "the owner runs");
          },
          [&] { model::check(mailbox.push(other) == Push::queued, "the owner runs"); },
          [&] { read(mailbox.take_all()); });
      read(mailbox.take_all());
      model::check(sum == 13, "all three have arrived");
    });
  }
}
