#include "name_table.hpp"

#include "cell_world.hpp"

namespace spawned::registry::detail {

template <typename World>
auto BasicNameTable<World>::all_of(Name const& key, void const* tag) -> std::vector<Item> {
  std::vector<Item> items;
  std::size_t count = 0;
  do {
    items.reserve(count);
    count = 0;
    settled(key, [&](Shard&, Entry* oldest) {
      for (Entry* each = oldest; each != nullptr; each = each->younger) ++count;
      if (count > items.capacity()) return;
      for (Entry* each = oldest; each != nullptr; each = each->younger) {
        Found const found = seen(*each, tag);
        if (found.ref != nullptr) items.push_back({found, each->value});
      }
      count = 0;
    });
  } while (count != 0);
  return items;
}

template <typename World>
std::vector<RegisteredName> BasicNameTable<World>::names() {
  std::vector<RegisteredName> names;
  for (Shard& shard : shards_) {
    SpinGuard const guard(shard.lock);
    for (Place const& place : shard.places) {
      for (Entry* each = place.entry; each != nullptr; each = each->younger) {
        if (each->reserved) continue;
        names.push_back({each->name, each->views.first->type_name, ActorId{World::id(each->cell)}});
      }
    }
  }
  return names;
}

template <typename World>
bool BasicNameTable<World>::value_of(Name const& key, Cell const* cell, Value& value) {
  bool is_there = false;
  settled(key, [&](Shard&, Entry* each) noexcept {
    while (each != nullptr && cell != nullptr && &each->cell != cell) each = each->younger;
    is_there = each != nullptr;
    if (is_there) value = each->value;
  });
  return is_there;
}

template <typename World>
bool BasicNameTable<World>::exchange_value(Name const& key, Cell const* cell, Value const& seen,
                                           Value& next) noexcept {
  bool done = false;
  settled(key, [&](Shard&, Entry* each) noexcept {
    while (each != nullptr && ((cell != nullptr && &each->cell != cell) || each->value != seen)) {
      each = each->younger;
    }
    done = each != nullptr;
    if (done) each->value.swap(next);
  });
  return done;
}

template class BasicNameTable<CellWorld>;

}  // namespace spawned::registry::detail
