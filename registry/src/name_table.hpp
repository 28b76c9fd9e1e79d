// NameTable: who is registered under which key. A fixed number of shards by hash, each a table with
// open addressing under a spin lock of its own cache line.
//
// Why locks. A look-up that took none would have to make sure by other means that an entry it has
// found is not freed under it, which costs as many atomic accesses as the lock: one to say "I read
// here", one to take it back. The section is one probe and one increment of the actor's count.
//
//   an entry is     who may touch it besides the lock's holder         it leaves that state by
//   reserved        its maker alone; everybody else waits              publish(), withdraw()
//   listed, hooked  nobody                                             unlisting
//   unlisted        whoever has its hook, to free it
//
// An entry hangs in two lists: the shard's, under the shard's lock, and that of the actor's hooks,
// under a lock of the actor's. It is freed by whoever gets its hook after (or while) taking it out
// of the shard:
//   unregister   takes it out of the shard and, still under the shard's lock, the hook out of the
//                actor's list. If the hook is no more in there, the actor is ending, and end() will
//                find the entry unlisted and free it.
//   end          has been given the hook; takes the entry out of the shard if it is still in.
// The order of locks is shard, then actor; an ending actor calls its hooks without any lock.
//
// Registration against death. The hook is added under the shard's lock, after the entry: if the
// actor takes no hook any more it has ended, and the entry goes before anybody has seen it. Else
// its end finds the hook, and waits for that lock.
//
// A reserved entry (start_registered) has a cell that nobody may have a ref to yet, because it has
// not been launched. Who meets one spins until its maker has published it or taken it back, which
// takes as long as a launch.
//
// Orderings. All of it is ordered by the locks, but for
//   users     drop() subtracts (acq_rel)  ->  drop() subtracts (acq_rel).
//             The last user of the table frees it after everybody else is done with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <spawned/registry/detail/names.hpp>
#include <spawned/registry/detail/views.hpp>
#include <spawned/registry/key.hpp>
#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

namespace spawned::registry::detail {

/// `World`: the actors as the table sees them; see cell_world.hpp.
template <typename World>
class BasicNameTable {
 public:
  using Cell = typename World::Cell;
  using Value = std::shared_ptr<void const>;

  struct Entry : World::Hook {
    Entry(BasicNameTable& owner, Name const& under, Cell& actor, Views const& as,
          void const* protocol_table, Value data)
        : World::Hook(&end),
          table(owner),
          cell(actor),
          views(as),
          protocol(protocol_table),
          value(std::move(data)),
          name(under.name),
          key(under) {
      key.name = name;
      World::prepare(cell);
      World::keep(cell);
      table.hold();
    }
    ~Entry() {
      World::let_go(cell);
      table.drop();
    }
    BasicNameTable& table;
    Cell& cell;
    Views const& views;
    void const* protocol;
    Value value;
    std::string name;
    Name key;
    Entry* younger = nullptr;          // of the same key
    Entry* older = nullptr;            // of the oldest: the youngest
    void const* settled_as = nullptr;  // the tag of views.first; null while it is reserved
    bool listed = false;
    bool reserved = false;
  };

  using Found = BasicFound<Cell>;
  struct Item {
    Found found;
    Value value;
  };
  enum class Added : std::uint8_t { added, taken, ended };
  struct AddResult {
    Added how;
    Found holder;  // of taken
  };

  /// `shards`: a power of two.
  BasicNameTable(Keys keys, std::size_t shards) : shards_(shards), keys_(keys) {}
  BasicNameTable(BasicNameTable const&) = delete;
  BasicNameTable& operator=(BasicNameTable const&) = delete;

  // One reference for each handle and each entry; the maker has the first.
  void hold() noexcept { users_.fetch_add(1, memory_order_relaxed); }  // the caller holds one
  void drop() noexcept {
    if (users_.fetch_sub(1, memory_order_acq_rel) == 1) pool_delete(this);  // users
  }

  [[nodiscard]] Keys keys() const noexcept { return keys_; }
  typename World::Observer observer;

  /// Who is registered under `key`, the first of several, as the type `tag`.
  [[nodiscard]] Found find(Name const& key, void const* tag) noexcept {
    Found found;
    settled(key, [&](Shard&, Entry* entry) noexcept {
      if (entry != nullptr) found = seen(*entry, tag);
    });
    return found;
  }

  /// find() for what is looked up most: as the very type under which it was registered. Null: ask
  /// find() why.
  [[nodiscard]] Cell* find_as(Name const& key, void const* tag) noexcept {
    Shard& shard = shard_of(key);
    SpinGuard const guard(shard.lock);
    Place const* const place = place_of(shard, key);
    if (place == nullptr || place->entry->settled_as != tag) return nullptr;
    World::ref(place->entry->cell);
    return &place->entry->cell;
  }

  /// The entry is the table's if it was added; else still the caller's. `tag`: as find(), of the
  /// holder.
  AddResult add(Entry& entry, void const* tag) {
    AddResult result{Added::added, {}};
    settled(entry.key, [&](Shard& shard, Entry* holder) {
      if (holder != nullptr && keys_ == Keys::unique) {
        result = {Added::taken, seen(*holder, tag)};
        return;
      }
      insert(shard, entry, holder);
      if (!activate(shard, entry)) result.how = Added::ended;
    });
    observer.deliver();
    return result;
  }

  // add() in two steps, unique keys only, for an actor that is launched in between.
  AddResult reserve(Entry& entry, void const* tag) {
    AddResult result{Added::added, {}};
    settled(entry.key, [&](Shard& shard, Entry* holder) {
      if (holder != nullptr) {
        result = {Added::taken, seen(*holder, tag)};
        return;
      }
      insert(shard, entry, nullptr);
      entry.reserved = true;
    });
    return result;
  }
  void publish(Entry& entry) noexcept {
    bool active = false;
    {
      Shard& shard = shard_of(entry.key);
      SpinGuard const guard(shard.lock);
      entry.reserved = false;
      active = activate(shard, entry);
    }
    if (!active) pool_delete(&entry);
    observer.deliver();
  }
  void withdraw(Entry& entry) noexcept {
    {
      Shard& shard = shard_of(entry.key);
      SpinGuard const guard(shard.lock);
      unlist(shard, entry);
    }
    pool_delete(&entry);
  }

  /// Takes out those under `key` whose actor is `cell`, or all if that is null. How many.
  std::size_t remove(Name const& key, Cell const* cell) noexcept {
    Entry* mine = nullptr;
    std::size_t count = 0;
    settled(key, [&](Shard& shard, Entry* each) noexcept {
      while (each != nullptr) {
        Entry& entry = *each;
        each = entry.younger;
        if (cell != nullptr && &entry.cell != cell) continue;
        ++count;
        unlist(shard, entry);
        observer.note(entry, false);
        if (World::unhook(entry.cell, entry)) entry.younger = std::exchange(mine, &entry);
      }
    });
    while (mine != nullptr) pool_delete(std::exchange(mine, mine->younger));
    observer.deliver();
    return count;
  }

  /// All under `key` that are seen as `tag`, or all if that is null (without a view), oldest first.
  [[nodiscard]] std::vector<Item> all_of(Name const& key, void const* tag);
  /// Every entry. Copies under each shard's lock; unordered.
  [[nodiscard]] std::vector<RegisteredName> names();

  /// The value of the entry of `cell` under `key`, of the first if that is null. False: none.
  [[nodiscard]] bool value_of(Name const& key, Cell const* cell, Value& value);
  /// Exchanges it with `next` if it is still `seen`. False: it is not.
  [[nodiscard]] bool exchange_value(Name const& key, Cell const* cell, Value const& seen,
                                    Value& next) noexcept;

  /// False: somebody is registered already.
  [[nodiscard]] bool wait(NameWaiter& waiter) noexcept {
    bool waits = false;
    settled(waiter.key, [&](Shard& shard, Entry* entry) noexcept {
      waits = entry == nullptr;
      if (waits) link(shard, waiter);
    });
    return waits;
  }
  /// After a wait, however it ended: nobody uses the waiter afterwards.
  void forget(NameWaiter& waiter) noexcept {
    Shard& shard = shard_of(waiter.key);
    SpinGuard const guard(shard.lock);
    if (waiter.linked) unlink(shard, waiter);
  }

 private:
  struct Place {
    std::uint64_t hash = 0;
    Entry* entry = nullptr;  // the oldest of the key
  };
  struct alignas(64) Shard {
    SpinLock lock;
    std::size_t used = 0;
    std::vector<Place> places;  // a power of two of them, or none
    NameWaiter* waiters = nullptr;
  };

  // --- what follows holds the shard's lock ---

  Shard& shard_of(Name const& key) noexcept {
    return shards_[(key.hash >> 32) & (shards_.size() - 1)];
  }
  static std::size_t wanted(std::vector<Place> const& places, std::uint64_t hash) noexcept {
    return static_cast<std::size_t>(hash) >> 1 & (places.size() - 1);  // bit 0 is always set
  }
  static Place* place_of(Shard& shard, Name const& key) noexcept {
    std::vector<Place>& places = shard.places;
    if (places.empty()) return nullptr;
    for (std::size_t at = wanted(places, key.hash);; at = (at + 1) & (places.size() - 1)) {
      Place& place = places[at];
      if (place.entry == nullptr) return nullptr;
      if (place.hash == key.hash && place.entry->key == key) return &place;
    }
  }
  static void put(std::vector<Place>& places, Place const& place) noexcept {
    std::size_t at = wanted(places, place.hash);
    while (places[at].entry != nullptr) at = (at + 1) & (places.size() - 1);
    places[at] = place;
  }
  static void make_room(Shard& shard) {
    if ((shard.used + 1) * 4 <= shard.places.size() * 3) return;
    std::vector<Place> wider(shard.places.empty() ? 8 : shard.places.size() * 2);
    for (Place const& place : shard.places) {
      if (place.entry != nullptr) put(wider, place);
    }
    shard.places.swap(wider);
  }
  // Closes the gap: what was displaced past `place` moves up.
  static void vacate(Shard& shard, Place& place) noexcept {
    std::vector<Place>& places = shard.places;
    std::size_t const mask = places.size() - 1;
    std::size_t gap = static_cast<std::size_t>(&place - places.data());
    for (std::size_t at = (gap + 1) & mask; places[at].entry != nullptr; at = (at + 1) & mask) {
      if (((at - wanted(places, places[at].hash)) & mask) < ((at - gap) & mask)) continue;
      places[gap] = places[at];
      gap = at;
    }
    places[gap] = {};
    --shard.used;
  }

  /// Calls `use(shard, oldest entry or null)` under the lock, with no reserved entry.
  template <typename Use>
  void settled(Name const& key, Use&& use) {
    Shard& shard = shard_of(key);
    for (;; yield_thread()) {
      SpinGuard const guard(shard.lock);
      Place* const place = place_of(shard, key);
      if (place != nullptr && place->entry->reserved) continue;
      return use(shard, place != nullptr ? place->entry : nullptr);
    }
  }

  static Found seen(Entry& entry, void const* tag) noexcept {
    View const* const view = entry.views.find(tag);
    if (view != nullptr) World::ref(entry.cell);
    return {view != nullptr ? &entry.cell : nullptr, view, entry.views.first, entry.protocol,
            World::id(entry.cell)};
  }

  void insert(Shard& shard, Entry& entry, Entry* oldest) {
    if (oldest == nullptr) {
      make_room(shard);
      put(shard.places, {entry.key.hash, &entry});
      ++shard.used;
      entry.older = &entry;
    } else {
      entry.older = std::exchange(oldest->older, &entry);
      entry.older->younger = &entry;
    }
    entry.listed = true;
  }
  void unlist(Shard& shard, Entry& entry) noexcept {
    entry.listed = false;
    Place& place = *place_of(shard, entry.key);
    Entry* const oldest = place.entry;
    if (&entry != oldest) {
      entry.older->younger = entry.younger;
      (entry.younger != nullptr ? entry.younger : oldest)->older = entry.older;
    } else if (entry.younger != nullptr) {
      entry.younger->older = entry.older;
      place.entry = entry.younger;
    } else {
      vacate(shard, place);
    }
  }
  // False: the actor has ended, the entry is unlisted and the caller's.
  bool activate(Shard& shard, Entry& entry) noexcept {
    if (!World::hook(entry.cell, entry)) {
      unlist(shard, entry);
      return false;
    }
    entry.settled_as = entry.views.first->tag;
    observer.note(entry, true);
    for (NameWaiter* each = shard.waiters; each != nullptr;) {
      NameWaiter& waiter = *std::exchange(each, each->next);
      if (waiter.key != entry.key) continue;
      unlink(shard, waiter);
      (void)waiter.slot.complete();  // one that gave up takes our lock before it goes
    }
    return true;
  }

  static void link(Shard& shard, NameWaiter& waiter) noexcept {
    waiter.next = shard.waiters;
    if (waiter.next != nullptr) waiter.next->previous = &waiter;
    shard.waiters = &waiter;
    waiter.linked = true;
  }
  static void unlink(Shard& shard, NameWaiter& waiter) noexcept {
    (waiter.previous != nullptr ? waiter.previous->next : shard.waiters) = waiter.next;
    if (waiter.next != nullptr) waiter.next->previous = waiter.previous;
    waiter.previous = waiter.next = nullptr;
    waiter.linked = false;
  }

  /// The end of an actor, which has taken the hook out.
  static void end(typename World::Hook& hook, Cell& /*cell*/) noexcept {
    Entry& entry = static_cast<Entry&>(hook);
    BasicNameTable& table = entry.table;
    table.hold();
    {
      Shard& shard = table.shard_of(entry.key);
      SpinGuard const guard(shard.lock);
      if (entry.listed) {
        table.unlist(shard, entry);
        table.observer.note(entry, false);
      }
    }
    pool_delete(&entry);
    table.observer.deliver();
    table.drop();
  }

  std::vector<Shard> shards_;
  Keys const keys_;
  atomic<std::uint32_t> users_{1};
};

}  // namespace spawned::registry::detail
