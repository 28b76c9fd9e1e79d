// Links and monitors (actors/detail/tie.hpp and WaitList as they are): making and taking back
// against the death of either side. Cell is an actor as far as a tie sees it: a list, and owners.
// What is told goes into a count, one for each receiver.
#include <cstdint>
#include <optional>

#include <spawned/actors/detail/handle_count.hpp>
#include <spawned/actors/detail/tie.hpp>
#include <spawned/runtime/detail/wait_list.hpp>

#include "model/support.hpp"

namespace {

using namespace model_test;
using namespace spawned::detail;

struct Cell {
  WaitList& waiters() { return *list; }
  void retain_memory() noexcept { handles.add_memory(); }
  void release_memory() noexcept {
    if (handles.drop_memory()) list.reset();
  }
  std::optional<WaitList> list{std::in_place};
  HandleCount handles;  // one for the actor itself, and a ref that the program keeps
  atomic<int> told{0};  // signals and messages that came
};

struct World {
  Cell cells[3];
  atomic<int> frees{0};
};

class Bond : public Tie<Bond, Cell> {
 public:
  Bond(World& in, std::optional<Bond>& place, Kind kind, Cell& first, Cell& second,
       std::uint32_t handles)
      : Tie(kind, first, second, handles), world_(&in), place_(&place) {}
  static void free(Bond& bond) noexcept {
    Cell& one = bond.first();
    Cell& other = bond.second();
    World& world = *bond.world_;
    (void)world.frees.fetch_add(1, memory_order_relaxed);
    bond.place_->reset();
    one.release_memory();
    other.release_memory();
  }

 private:
  World* world_;
  std::optional<Bond>* place_;
};

using Kind = Bond::Kind;
using Place = std::optional<Bond>;

Bond& make(World& world, Place& place, Kind kind, Cell& first, Cell& second,
           std::uint32_t handles) {
  return place.emplace(world, place, kind, first, second, handles);
}

/// link(): true, the pair is linked, by this call or another.
bool link(World& world, Place& place, Cell& self, Cell& other) {
  Bond& bond = make(world, place, Kind::link, self, other, 0);
  auto const made = bond.establish();
  if (made != Bond::Made::yes) Bond::free(bond);
  return made != Bond::Made::ended;
}
bool unlink(Cell& self, Cell& other) { return Bond::cut_link(self, other) == Bond::Cut::yes; }

/// finish_end(): tells everybody, closes the list, gives the actor's own memory back.
void die(Cell& cell) {
  while (!cell.waiters().close()) {
    Bond::end_all(cell, [](Bond& bond, Cell& left) {
      bond.hold();  // the message's
      (void)left.told.fetch_add(1, memory_order_acq_rel);
      bond.drop();
    });
  }
  cell.release_memory();
}

void nobody_left(World& world) {
  for (Cell& cell : world.cells) {
    model::check(!cell.waiters().has_members(), "nobody is left in a list");
  }
}

}  // namespace

TEST_SUITE("model/watch") {
  TEST_CASE("a link against the death of the other: an exit comes once, or the link is refused") {
    holds([] {
      World world;
      Place place;
      bool linked = false;
      auto& [self, other, third] = world.cells;
      model::parallel([&] { linked = link(world, place, self, other); }, [&] { die(other); });
      model::check(self.told.load() == (linked ? 1 : 0), "once, or refused");
      model::check(other.told.load() == 0, "the dead hears nothing");
      model::check(world.frees.load() == 1 && !place, "freed once");
      nobody_left(world);
    });
  }

  TEST_CASE("a monitor against the death of its target") {
    holds([] {
      World world;
      Place place;
      auto& [self, other, third] = world.cells;
      bool made = false;
      model::parallel(
          [&] {
            Bond& bond = make(world, place, Kind::monitor, self, other, 1);
            made = bond.establish() == Bond::Made::yes;
            bond.drop();
          },
          [&] { die(other); });
      model::check(self.told.load() == (made ? 1 : 0), "once, or no_actor");
      model::check(world.frees.load() == 1 && !place, "freed once");
      nobody_left(world);
    });
  }

  TEST_CASE("two that link each other at the same moment have one link") {
    holds([] {
      World world;
      Place places[2];
      auto& [one, other, third] = world.cells;
      model::parallel([&] { (void)link(world, places[0], one, other); },
                      [&] { (void)link(world, places[1], other, one); });
      model::check(one.waiters().guest_count() == 1 && other.waiters().guest_count() == 1,
                   "one link");
      die(other);
      model::check(one.told.load() == 1, "one exit");
      model::check(world.frees.load() == 2, "each freed once");
      nobody_left(world);
    });
  }

  TEST_CASE("both sides of a link take it back: one has, and nothing comes of it") {
    holds([] {
      World world;
      Place place;
      auto& [one, other, third] = world.cells;
      bool cut[2] = {};
      model::parallel(
          [&] {
            (void)link(world, place, one, other);
            cut[0] = unlink(one, other);
          },
          [&] { cut[1] = unlink(other, one); });
      model::check(cut[0] != cut[1], "one of them");
      model::check(world.frees.load() == 1 && !place, "freed once");
      nobody_left(world);
      die(one);
      model::check(other.told.load() == 0, "nothing comes");
    });
  }

  // `arrived` stands for the mailbox: what is told before unlink() returns is in it.
  TEST_CASE("unlink against the death of the other: nothing that is not flushed comes later") {
    holds([] {
      World world;
      Place place;
      auto& [self, other, third] = world.cells;
      (void)link(world, place, self, other);
      place->hold();  // the message's, from the beginning on: it is looked at in the end
      int before = 0;
      bool cut = false;
      model::parallel(
          [&] {
            cut = unlink(self, other);
            before = self.told.load(memory_order_acquire);
          },
          [&] { die(other); });
      int const after = self.told.load();
      model::check(!cut || after == 0, "what was cut does not fire");
      model::check(cut || after == 1, "what was not cut has fired, once");
      model::check(after == before || place->is_flushed(), "what comes later is flushed");
      place->drop();
      model::check(world.frees.load() == 1 && !place, "freed once");
      nobody_left(world);
    });
  }

  TEST_CASE("unlink against the death of one who has another link") {
    holds([] {
      World world;
      Place places[2];
      auto& [self, other, third] = world.cells;
      (void)link(world, places[0], self, other);
      (void)link(world, places[1], third, other);
      bool cut = false;
      model::parallel([&] { cut = unlink(self, other); }, [&] { die(other); });
      model::check(self.told.load() == (cut ? 0 : 1), "cut, or told");
      model::check(third.told.load() == 1, "the other one is told");
      model::check(world.frees.load() == 2, "each freed once");
      nobody_left(world);
    });
  }

  TEST_CASE("demonitor against the death of the target: fired or dropped") {
    holds([] {
      World world;
      Place place;
      auto& [self, other, third] = world.cells;
      Bond& bond = make(world, place, Kind::monitor, self, other, 1);
      (void)bond.establish();
      bool cut = false;
      model::parallel(
          [&] {
            cut = bond.cancel();
            bond.drop();
          },
          [&] { die(other); });
      model::check(self.told.load() == (cut ? 0 : 1), "fired or dropped");
      model::check(world.frees.load() == 1 && !place, "freed once");
      nobody_left(world);
    });
  }

  TEST_CASE("a ref to a target that dies is dropped at once: its cell lives as long as its ties") {
    holds([] {
      World world;
      Place place;
      auto& [self, other, third] = world.cells;
      Bond& bond = make(world, place, Kind::monitor, self, other, 1);
      (void)bond.establish();
      model::parallel(
          [&] {
            (void)bond.cancel();
            bond.drop();
          },
          [&] {
            die(other);
            if (other.handles.drop_strong()) other.release_memory();
          });
      model::check(world.frees.load() == 1 && !place, "freed once");
      model::check(!other.list, "and the cell with it");
    });
  }

  TEST_CASE("both sides of a link die at once: it fires once at most, and nobody is left") {
    holds([] {
      World world;
      Place place;
      auto& [one, other, third] = world.cells;
      (void)link(world, place, one, other);
      model::parallel([&] { die(one); }, [&] { die(other); });
      model::check(one.told.load() + other.told.load() == 1, "one mourns the other");
      model::check(world.frees.load() == 1 && !place, "freed once");
      nobody_left(world);
    });
  }

  TEST_CASE("watcher and target of a monitor die at once") {
    holds([] {
      World world;
      Place place;
      auto& [self, other, third] = world.cells;
      (void)make(world, place, Kind::monitor, self, other, 0).establish();
      model::parallel([&] { die(self); }, [&] { die(other); });
      model::check(self.told.load() <= 1 && other.told.load() == 0, "the watcher, or nobody");
      model::check(world.frees.load() == 1 && !place, "freed once");
      nobody_left(world);
    });
  }

  TEST_CASE("a watcher dies while another is told: its message is not lost") {
    holds([] {
      World world;
      Place places[2];
      auto& [one, other, target] = world.cells;
      (void)make(world, places[0], Kind::monitor, one, target, 0).establish();
      (void)make(world, places[1], Kind::monitor, other, target, 0).establish();
      model::parallel([&] { die(one); }, [&] { die(target); });
      model::check(other.told.load() == 1, "who lives is told");
      model::check(world.frees.load() == 2, "each freed once");
      nobody_left(world);
    });
  }

  TEST_CASE("a waiter and a link: the end wakes the one and tells the other") {
    holds([] {
      World world;
      Place place;
      auto& [self, other, third] = world.cells;
      bool happened = false;
      model::parallel([&] { happened = spawned::detail::wait_blocking(other.waiters()); },
                      [&] {
                        (void)link(world, place, self, other);
                        die(other);
                      });
      model::check(happened && self.told.load() == 1, "both");
      nobody_left(world);
    });
  }
}
