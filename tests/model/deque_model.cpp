// The work-stealing deque, as it is (runtime/lockfree/work_stealing_deque.hpp): the owner pushes
// and takes at both ends, grows and raids, thieves steal. Each item is taken exactly once, by
// somebody who sees what was written before it was pushed.
#include <array>
#include <cstddef>

#include <spawned/runtime/lockfree/work_stealing_deque.hpp>

#include "model/support.hpp"

namespace {

using namespace model_test;
using spawned::detail::SharedCell;

struct Item {
  SharedCell<int> payload;
  bool pushed = false;
  int taken = 0;
};

using Deque = spawned::runtime::lockfree::WorkStealingDeque<Item*>;

/// Up to four items, and how often each was taken.
struct Items {
  std::array<Item, 4> all;

  void push(Deque& deque, std::size_t index) {
    all[index].payload.set(1);
    all[index].pushed = true;
    deque.push(&all[index]);
  }
  static bool take(Item* item) {
    if (item == nullptr) return false;
    model::check(item->payload.get() == 1, "the taker sees what was written before the push");
    item->payload.set(2);  // the item is the taker's alone: a second one would be a race, too
    model::check(++item->taken == 1, "an item is taken once");
    return true;
  }
  void check_all_taken() const {
    for (Item const& item : all) model::check(item.taken == (item.pushed ? 1 : 0), "none is lost");
  }
};

}  // namespace

TEST_SUITE("model/deque") {
  TEST_CASE("the owner pops what one thief steals: each item goes to one of them") {
    holds([] {
      Deque deque(2);
      Items items;
      model::parallel(
          [&] {
            items.push(deque, 0);
            items.push(deque, 1);
            Items::take(deque.pop());
            Items::take(deque.pop());
          },
          [&] {
            Items::take(deque.steal());
            Items::take(deque.steal());
          });
      while (Items::take(deque.pop())) {
      }
      items.check_all_taken();
    });
  }

  TEST_CASE("the owner and two thieves want the last item: one gets it") {
    holds([] {
      Deque deque(2);
      Items items;
      items.push(deque, 0);
      model::parallel(
          [&] {
            Items::take(deque.pop());
            items.push(deque, 1);
          },
          [&] { Items::take(deque.steal()); }, [&] { Items::take(deque.steal()); });
      while (Items::take(deque.pop())) {
      }
      items.check_all_taken();
    });
  }

  TEST_CASE("two thieves and an owner that pops two: each item goes to one of them") {
    holds([] {
      Deque deque(2);
      Items items;
      items.push(deque, 0);
      items.push(deque, 1);
      model::parallel(
          [&] {
            Items::take(deque.pop());
            Items::take(deque.pop());
          },
          [&] { Items::take(deque.steal()); }, [&] { Items::take(deque.steal()); });
      while (Items::take(deque.pop())) {
      }
      items.check_all_taken();
    });
  }

  TEST_CASE("a thief steals while the deque grows: it finds the items in either buffer") {
    holds([] {
      Deque deque(1);
      Items items;
      items.push(deque, 0);
      model::parallel(
          [&] {
            items.push(deque, 1);
            items.push(deque, 2);
            Items::take(deque.pop());
          },
          [&] {
            Items::take(deque.steal());
            Items::take(deque.steal());
          });
      while (Items::take(deque.pop())) {
      }
      items.check_all_taken();
    });
  }

  TEST_CASE("the owner takes the oldest beside a thief, and misses none that nobody else got") {
    holds([] {
      Deque deque(2);
      Items items;
      items.push(deque, 0);
      items.push(deque, 1);
      model::parallel(
          [&] {
            while (Items::take(deque.take_oldest())) {
            }
            model::check(deque.empty(), "the owner's view of it is exact");
          },
          [&] { Items::take(deque.steal()); });
      items.check_all_taken();
    });
  }

  TEST_CASE("the owner takes at both ends while slots are used again") {
    holds([] {
      Deque deque(2);
      Items items;
      items.push(deque, 0);
      model::parallel(
          [&] {
            items.push(deque, 1);
            Items::take(deque.take_oldest());
            items.push(deque, 2);
            Items::take(deque.pop());
          },
          [&] {
            Items::take(deque.steal());
            Items::take(deque.steal());
          });
      while (Items::take(deque.pop())) {
      }
      items.check_all_taken();
    });
  }

  TEST_CASE("a raid moves half beside the owner's pop and a thief at the raider") {
    holds([] {
      Deque victim(4);
      Deque raider(1);
      Items items;
      for (std::size_t i = 0; i < 4; ++i) items.push(victim, i);
      model::parallel([&] { Items::take(victim.pop()); },
                      [&] {
                        std::size_t moved = 0;
                        Item* const first = victim.steal_half_into(raider, 64, &moved);
                        model::check((first == nullptr) == (moved == 0) && moved <= 2,
                                     "it says how many it has moved, at most half");
                        Items::take(first);
                        Items::take(raider.pop());
                      },
                      [&] { Items::take(raider.steal()); });
      while (Items::take(victim.pop())) {
      }
      while (Items::take(raider.pop())) {
      }
      items.check_all_taken();
    });
  }
}
