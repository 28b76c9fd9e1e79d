#include <spawned/registry/detail/names.hpp>

#include <algorithm>
#include <tuple>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/detail/extensions.hpp>

#include "cell_world.hpp"

namespace spawned::registry::detail {

namespace {

using Kind = RegistryError::Kind;

// As many as a machine has cores, a few times over: two look-ups rarely meet.
constexpr std::size_t shard_count = 64;

NameTable& new_table(Keys keys) { return *pool_new<NameTable>(keys, shard_count); }

/// The table of a runtime. It outlives the runtime while somebody has a handle.
struct OwnNames : Extension {
  static constexpr char kind_tag = 0;
  OwnNames() : Extension(kind_tag, &end), table(new_table(Keys::unique)) {}
  ~OwnNames() { table.drop(); }
  static void end(Extension& self) noexcept { pool_delete(static_cast<OwnNames*>(&self)); }
  NameTable& table;
};

void drop_ref(Found const& found) noexcept {
  if (found.ref != nullptr) found.ref->release();
}

}  // namespace

NameHandle::NameHandle(NameHandle const& other) noexcept : table_(other.table_) {
  if (table_ != nullptr) table_->hold();
}
NameHandle::~NameHandle() {
  if (table_ != nullptr) table_->drop();
}

NameHandle make_names(Keys keys) { return NameHandle(&new_table(keys)); }
NameHandle held(NameTable* table) noexcept {
  if (table != nullptr) table->hold();
  return NameHandle(table);
}
NameTable& names_of(Scheduler& scheduler) { return extension<OwnNames>(scheduler).table; }
NameTable* own_names() {
  Scheduler* const scheduler = current_scheduler();
  return scheduler != nullptr ? &names_of(*scheduler) : nullptr;
}

Found find_name(NameTable* table, Name const& name, void const* tag) noexcept {
  return table != nullptr ? table->find(name, tag) : Found{};
}

CellBase* find_name_as(NameTable* table, Name const& name, void const* tag) noexcept {
  return table != nullptr ? table->find_as(name, tag) : nullptr;
}

Result<void, RegistryError> add_name(NameTable* table, Name const& name,
                                     Registration registration) {
  if (table == nullptr) return Unexpected(RegistryError(Kind::unknown_registry));
  if (name.name.empty()) return Unexpected(RegistryError(Kind::empty_name));
  auto* const entry =
      pool_new<NameTable::Entry>(*table, name, *registration.handle.cell, registration.views,
                                 registration.handle.table, std::move(registration.value));
  NameTable::AddResult result{};
  try {
    result = table->add(*entry, nullptr);
  } catch (...) {
    pool_delete(entry);
    throw;
  }
  if (result.how == NameTable::Added::added) return {};
  pool_delete(entry);
  if (result.how == NameTable::Added::ended) return Unexpected(RegistryError(Kind::no_such_actor));
  return Unexpected(RegistryError(Kind::name_taken, ActorId{result.holder.id}));
}

Result<void, RegistryError> remove_name(NameTable* table, Name const& name) {
  if (table == nullptr) return Unexpected(RegistryError(Kind::unknown_registry));
  if (name.name.empty()) return Unexpected(RegistryError(Kind::empty_name));
  if (table->remove(name, nullptr) == 0) return Unexpected(RegistryError(Kind::not_registered));
  return {};
}
std::size_t remove_name_of(NameTable* table, Name const& name, CellBase const& cell) noexcept {
  return table != nullptr ? table->remove(name, &cell) : 0;
}

// Sorted by what a program gives and by ids, so that equal runs have equal lists.
std::vector<RegisteredName> list_names(NameTable* table) {
  if (table == nullptr) return {};
  std::vector<RegisteredName> names = table->names();
  std::sort(names.begin(), names.end(), [](auto const& left, auto const& right) {
    return std::tie(left.name, left.type_name, left.actor) <
           std::tie(right.name, right.type_name, right.actor);
  });
  return names;
}

std::vector<ValuedName> all_named(NameTable* table, Name const& name, void const* tag) {
  std::vector<ValuedName> all;
  if (table == nullptr) return all;
  auto items = table->all_of(name, tag);
  try {
    all.reserve(items.size());
  } catch (...) {
    for (auto const& item : items) drop_ref(item.found);
    throw;
  }
  for (auto& item : items) all.emplace_back(item.found, std::move(item.value));
  return all;
}

bool value_of_name(NameTable* table, Name const& name, CellBase const* cell, NameValue& value) {
  return table != nullptr && table->value_of(name, cell, value);
}
bool exchange_name_value(NameTable* table, Name const& name, CellBase const* cell,
                         NameValue const& seen, NameValue& next) noexcept {
  return table != nullptr && table->exchange_value(name, cell, seen, next);
}

Result<void, RegistryError> listen_to_names(NameTable* table, NameListener const& listener) {
  if (table == nullptr) return Unexpected(RegistryError(Kind::unknown_registry));
  table->observer.add(listener);
  return {};
}
void stop_listening_to_names(NameTable* table, ActorId listener) noexcept {
  if (table != nullptr) table->observer.remove(listener);
}

RegistryError error_of(NameTable const* table, Found const& found,
                       std::string_view asked_for) noexcept {
  if (table == nullptr) return Kind::unknown_registry;
  if (found.first == nullptr) return Kind::not_registered;
  return {Kind::wrong_type, ActorId{found.id}, found.first->type_name, asked_for};
}

void Reservation::take(CellBase& cell) {
  auto* const entry =
      pool_new<NameTable::Entry>(*table_, name_, cell, *views_, nullptr, std::move(value_));
  NameTable::AddResult result{};
  try {
    result = table_->reserve(*entry, tag_);
  } catch (...) {
    pool_delete(entry);
    throw;
  }
  if (result.how == NameTable::Added::taken) {
    pool_delete(entry);
    throw Taken{result.holder};
  }
  entry_ = entry;
}
void Reservation::publish() noexcept {
  table_->publish(*static_cast<NameTable::Entry*>(std::exchange(entry_, nullptr)));
}
Reservation::~Reservation() {
  if (entry_ != nullptr) table_->withdraw(*static_cast<NameTable::Entry*>(entry_));
}

bool wait_for_name(NameTable& table, NameWaiter& waiter) noexcept { return table.wait(waiter); }
void forget_waiter(NameTable& table, NameWaiter& waiter) noexcept { table.forget(waiter); }

bool wait_for_name_blocking(NameTable& table, Name const& name, std::int64_t timeout_ns) noexcept {
  NameWaiter waiter(name);
  if (!table.wait(waiter)) return true;
  ThreadWait wait;
  bool const came = wait.wait(waiter.slot, timeout_ns);
  table.forget(waiter);
  return came;
}

namespace {

std::int64_t now_ns() noexcept {
  Scheduler* const scheduler = current_scheduler();
  return (scheduler != nullptr ? clock_of(*scheduler) : *real_clock()).now().count();
}

}  // namespace

std::int64_t deadline_after(std::int64_t timeout_ns) noexcept {
  if (timeout_ns == no_deadline) return no_deadline;
  std::int64_t const now = now_ns();
  return timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
}
std::int64_t left_until(std::int64_t deadline_ns) noexcept {
  if (deadline_ns == no_deadline) return no_deadline;
  return std::max<std::int64_t>(deadline_ns - now_ns(), 0);
}

}  // namespace spawned::registry::detail
