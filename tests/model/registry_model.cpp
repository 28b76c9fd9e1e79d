// Names against deaths (registry/src/name_table.hpp as it is, with one shard): who is found can be
// used, who has ended is not found, and every entry is freed once.
#include <cstdint>
#include <utility>

#include <spawned/actors/detail/handle_count.hpp>

#include "model/support.hpp"
#include "model/world.hpp"
#include "name_table.hpp"

namespace {

using namespace model_test;
using namespace spawned::detail;
namespace registry = spawned::registry;
using registry::Keys;
using registry::Name;
using registry::detail::NameWaiter;

struct Actor;

// As EndHook. The atomic is there to be missed: an access after its end is reported.
struct Hook {
  using Run = void (*)(Hook&, Actor&) noexcept;
  explicit Hook(Run function) noexcept : run(function) {}
  Run run;
  Hook* next = nullptr;
  bool hooked = false;
  atomic<int> life{0};
};

// An actor as CellBase counts and ends it: its hooks run once it has ended, without the lock. It
// begins with one strong ref and the memory of the living actor.
struct Actor {
  explicit Actor(std::uint64_t number) : id(number) {}

  void end() {
    for (;;) {
      Hook* hook = nullptr;
      {
        SpinGuard const guard(lock);
        ended = true;
        hook = first;
        if (hook == nullptr) break;
        first = hook->next;
        hook->hooked = false;
      }
      hook->run(*hook, *this);
    }
    drop_memory();
  }
  void drop_ref() {
    if (count.drop_strong()) drop_memory();
  }
  void drop_memory() {
    if (!count.drop_memory()) return;
    used.set(-1);  // the destructor: races with whoever is not done
    ++frees;
  }

  std::uint64_t id;
  SpinLock lock;
  Hook* first = nullptr;
  bool ended = false;
  SharedCell<int> used{0};
  HandleCount count;
  int frees = 0;
};

struct Observer {
  template <typename Entry>
  void note(Entry& entry, bool /*registered*/) noexcept {
    (void)entry.life.load(memory_order_relaxed);
  }
  void deliver() noexcept {}
};

struct ModelWorld {
  using Cell = Actor;
  using Hook = ::Hook;
  using Observer = ::Observer;

  static void prepare(Actor& /*actor*/) {}
  static bool hook(Actor& actor, Hook& hook) noexcept {
    SpinGuard const guard(actor.lock);
    if (actor.ended) return false;
    hook.next = std::exchange(actor.first, &hook);
    return hook.hooked = true;
  }
  static bool unhook(Actor& actor, Hook& hook) noexcept {
    (void)hook.life.load(memory_order_relaxed);
    SpinGuard const guard(actor.lock);
    if (!hook.hooked) return false;
    Hook** at = &actor.first;
    while (*at != &hook) at = &(*at)->next;
    *at = hook.next;
    hook.hooked = false;
    return true;
  }
  static void keep(Actor& actor) noexcept { actor.count.add_memory(); }
  static void let_go(Actor& actor) noexcept { actor.drop_memory(); }
  static void ref(Actor& actor) noexcept { actor.count.add_strong_again(); }
  static std::uint64_t id(Actor const& actor) noexcept {
    (void)actor.used.get();
    return actor.id;
  }
};

using Table = registry::detail::BasicNameTable<ModelWorld>;
using Added = Table::Added;

constexpr char target = 0;
constexpr registry::detail::View view{&target, "Target", nullptr};
constexpr registry::detail::Views views{&view, 1};
constexpr Name name("name");

struct Names {
  explicit Names(Keys keys = Keys::unique) : table(pool_new<Table>(keys, std::size_t{1})) {}
  ~Names() { table->drop(); }

  [[nodiscard]] Table::Entry& entry(Actor& actor) const {
    return *pool_new<Table::Entry>(*table, name, actor, views, nullptr, nullptr);
  }
  Added add(Actor& actor) const {
    Table::Entry& made = entry(actor);
    auto const result = table->add(made, nullptr);
    if (result.how != Added::added) pool_delete(&made);
    return result.how;
  }
  // Uses whoever has the name. Who, or 0.
  std::uint64_t look(bool quick = false) const {
    Actor* const found = quick ? table->find_as(name, &target) : table->find(name, &target).ref;
    if (found == nullptr) return 0;
    (void)found->used.get();
    model::check(found->count.is_referenced(), "by this ref at least");
    std::uint64_t const id = found->id;
    found->drop_ref();
    return id;
  }
  void gone(Actor& actor) const {
    model::check(look() == 0, "nobody has the name");
    actor.drop_ref();
    model::check(actor.frees == 1, "the actor's memory is freed once");
  }

  Table* table;
};

}  // namespace

TEST_SUITE("model/registry") {
  TEST_CASE("an actor that ends while it is registered leaves no name") {
    holds([] {
      Names const names;
      Actor actor(1);
      model::parallel(
          [&] {
            Added const how = names.add(actor);
            model::check(how == Added::added || how == Added::ended, "added, or too late");
          },
          [&] { actor.end(); });
      names.gone(actor);
    });
  }

  TEST_CASE("who is found can be used; an actor that has ended is not found") {
    for (bool const quick : {false, true})
      holds([quick] {
        Names const names;
        Actor actor(1);
        (void)names.add(actor);
        actor.drop_ref();  // what is found is the only ref
        atomic<int> ended{0};
        model::parallel(
            [&] {
              bool const late = ended.load(memory_order_acquire) != 0;
              bool const found = names.look(quick) != 0;
              model::check(!(late && found), "found after its end");
            },
            [&] {
              actor.end();
              ended.store(1, memory_order_release);
            });
        model::check(names.look() == 0, "nobody has the name");
        model::check(actor.frees == 1, "the actor's memory is freed once");
      });
  }

  TEST_CASE("a name is taken back while its actor ends: the entry is freed once") {
    holds([] {
      Names const names;
      Actor actor(1);
      (void)names.add(actor);
      model::parallel([&] { (void)names.table->remove(name, nullptr); }, [&] { actor.end(); });
      names.gone(actor);
    });
  }

  TEST_CASE("two take a name back, one does") {
    holds([] {
      Names const names;
      Actor actor(1);
      (void)names.add(actor);
      std::size_t taken[2] = {};
      model::parallel([&] { taken[0] = names.table->remove(name, nullptr); },
                      [&] { taken[1] = names.table->remove(name, &actor); });
      model::check(taken[0] + taken[1] == 1, "one");
      actor.end();
      names.gone(actor);
    });
  }

  TEST_CASE("of two that take a name one gets it, and it is free when that one has ended") {
    holds([] {
      Names const names;
      Actor one(1);
      Actor two(2);
      Added how[2] = {};
      model::parallel([&] { how[0] = names.add(one); }, [&] { how[1] = names.add(two); });
      model::check((how[0] == Added::added) != (how[1] == Added::added), "one");
      Actor& winner = how[0] == Added::added ? one : two;
      Actor& loser = how[0] == Added::added ? two : one;
      model::parallel([&] { winner.end(); }, [&] { (void)names.look(); });
      model::check(names.add(loser) == Added::added, "it is free");
      loser.end();
      names.gone(winner);
      names.gone(loser);
    });
  }

  TEST_CASE("duplicate keys: two of one key end at once, beside a third that comes") {
    holds([] {
      Names const names(Keys::duplicate);
      Actor one(1);
      Actor two(2);
      Actor three(3);
      (void)names.add(one);
      (void)names.add(two);
      model::parallel([&] { one.end(); }, [&] { two.end(); }, [&] { (void)names.add(three); });
      model::check(names.look() == 3, "the third is left");
      three.end();
      names.gone(one);
      names.gone(two);
      names.gone(three);
    });
  }

  TEST_CASE("the last user frees the table: a handle, or the entry of an actor that ends") {
    holds([] {
      Actor actor(1);
      Table* table = nullptr;
      {
        Names const names;
        (void)names.add(actor);
        table = names.table;
        table->hold();
      }
      model::parallel([&] { actor.end(); },
                      [&] {
                        (void)table->find(name, nullptr);
                        table->drop();
                      });
      actor.drop_ref();
      model::check(actor.frees == 1, "the actor's memory is freed once");
    });
  }

  TEST_CASE("a reserved name is nobody's until it is published, and then its actor's") {
    holds([] {
      Names const names;
      Actor started(1);
      Actor other(2);
      atomic<int> launched{0};
      model::parallel(
          [&] {
            Table::Entry& entry = names.entry(started);
            if (names.table->reserve(entry, nullptr).how != Added::added) {
              pool_delete(&entry);
              started.end();
              return;
            }
            launched.store(1, memory_order_relaxed);  // the publication orders it
            started.end();                            // it may be over at once
            names.table->publish(entry);
          },
          [&] {
            if (names.look() == 1) {
              model::check(launched.load(memory_order_relaxed) == 1, "found before its launch");
            }
            (void)names.add(other);
          });
      other.end();
      names.gone(started);
      names.gone(other);
    });
  }

  TEST_CASE("a reservation that is taken back lets the others on") {
    holds([] {
      Names const names;
      Actor never(1);
      Actor other(2);
      Added how = Added::ended;
      model::parallel(
          [&] {
            Table::Entry& entry = names.entry(never);
            if (names.table->reserve(entry, nullptr).how == Added::added) {
              names.table->withdraw(entry);
            } else {
              pool_delete(&entry);
            }
          },
          [&] { how = names.add(other); });
      model::check(how == Added::added, "nobody else has the name");
      other.end();
      never.end();
      names.gone(other);
      names.gone(never);
    });
  }

  TEST_CASE("who waits for a name sleeps no longer than until it is taken") {
    holds([] {
      Names const names;
      Actor actor(1);
      model::parallel(
          [&] {
            NameWaiter waiter(name);
            if (!names.table->wait(waiter)) return;
            ThreadWait wait;
            model::check(wait.wait(waiter.slot), "it is woken");
            names.table->forget(waiter);
          },
          [&] { (void)names.add(actor); });
      actor.end();
      names.gone(actor);
    });
  }
}
