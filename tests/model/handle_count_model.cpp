// Who keeps an actor's cell in memory (actors/detail/handle_count.hpp).
#include <spawned/actors/detail/handle_count.hpp>

#include "model/support.hpp"

namespace {

using namespace model_test;
using spawned::detail::HandleCount;
using spawned::detail::SharedCell;

// A cell as CellBase counts it. It begins with one strong ref and the memory of the living actor.
struct Cell {
  SharedCell<int> used{0};
  SharedCell<int> ended{0};
  int frees = 0;  // on nobody's account: each access is ordered by the count, or fails the model
  HandleCount count;

  void drop_ref() {
    if (!count.drop_strong()) return;
    (void)ended.get();  // what the last ref does, with memory in hand
    drop_memory();
  }
  void drop_memory() {
    if (!count.drop_memory()) return;
    used.set(-1);  // the destructor: races with whoever is not done
    ended.set(-1);
    ++frees;
  }
};

}  // namespace

TEST_SUITE("model/handle_count") {
  TEST_CASE(
      "the last of two refs and the actor itself frees the cell, after the others' accesses") {
    holds([] {
      Cell cell;
      cell.count.add_strong();
      model::parallel(
          [&] {
            (void)cell.used.get();
            cell.drop_ref();
          },
          [&] {
            (void)cell.used.get();
            cell.drop_ref();
          },
          [&] {
            (void)cell.ended.get();
            cell.drop_memory();
          });
      model::check(cell.frees == 1, "freed once");
    });
  }

  TEST_CASE("a weak ref becomes a ref again while the last ref goes, or finds the actor gone") {
    holds([] {
      Cell cell;
      cell.count.add_memory();  // the weak ref
      model::parallel([&] { cell.drop_ref(); },
                      [&] {
                        cell.count.add_strong_again();
                        model::check(cell.count.is_referenced(), "by this ref at least");
                        (void)cell.used.get();
                        cell.drop_memory();
                        (void)cell.used.get();
                        cell.drop_ref();
                      },
                      [&] { cell.drop_memory(); });
      model::check(cell.frees == 1, "freed once");
    });
  }

  TEST_CASE("two weak refs upgrade at once, and all refs share one piece of memory") {
    holds([] {
      Cell cell;
      cell.count.add_memory();
      cell.count.add_memory();
      cell.drop_ref();
      model::check(!cell.count.is_referenced(), "no ref is left");
      auto const upgrade = [&] {
        cell.count.add_strong_again();
        cell.drop_memory();  // the weak ref goes first
        (void)cell.used.get();
        cell.drop_ref();
      };
      model::parallel(upgrade, upgrade);
      model::check(cell.frees == 0, "the actor lives");
      cell.drop_memory();
      model::check(cell.frees == 1, "freed once");
    });
  }

  TEST_CASE("each time the last ref goes, exactly one finds itself the last") {
    holds([] {
      Cell cell;
      cell.count.add_memory();
      int last = 0;
      auto const drop = [&] {
        if (!cell.count.drop_strong()) return;
        ++last;
        cell.drop_memory();
      };
      model::parallel(drop, [&] {
        cell.count.add_strong_again();
        cell.count.add_strong();
        drop();
        drop();
        cell.drop_memory();
      });
      model::check(last == 1 || last == 2, "once for each way down to 0");
      cell.drop_memory();
      model::check(cell.frees == 1, "freed once");
    });
  }

  TEST_CASE("who drops the last ref sees what was done through the others") {
    holds([] {
      Cell cell;
      cell.count.add_strong();
      SharedCell<int> sent[2];
      auto const use_and_drop = [&](int self) {
        sent[self].set(1);
        if (!cell.count.drop_strong()) return;
        model::check(sent[0].get() + sent[1].get() == 2, "both were sent before");
        cell.drop_memory();
      };
      model::parallel([&] { use_and_drop(0); }, [&] { use_and_drop(1); });
      cell.drop_memory();
      model::check(cell.frees == 1, "freed once");
    });
  }
}
