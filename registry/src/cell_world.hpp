// What a NameTable needs of the world, with the library's actors; a model has its own.
#pragma once

#include <memory>
#include <vector>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/actors/detail/end_hooks.hpp>
#include <spawned/registry/detail/names.hpp>
#include <spawned/registry/events.hpp>
#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/spin_lock.hpp>

#include "name_table.hpp"

namespace spawned::registry::detail {

/// Tells the listeners of a table what happens to its entries. Events are noted under the lock of a
/// shard, so that those of one key have their order, and sent outside of every lock by one thread
/// at a time; who comes meanwhile leaves what it noted to that one.
class Listeners {
 public:
  void add(NameListener const& listener);
  void remove(ActorId listener) noexcept;

  /// Out of memory here would lose an event: the program ends.
  template <typename Entry>
  void note(Entry const& entry, bool registered) noexcept {
    if (!any_.load(memory_order_relaxed)) return;  // a listener hears of what comes after it
    note(entry.name, entry.cell.id(), registered);
  }
  void deliver() noexcept {
    if (any_.load(memory_order_relaxed)) send_all();  // see note(), by the same thread
  }

 private:
  using List = std::vector<WeakProtocol<NameRegistered, NameUnregistered>>;
  struct Event {
    std::string name;
    ActorId actor;
    bool registered;
  };
  void note(std::string const& name, ActorId actor, bool registered) noexcept;
  void send_all() noexcept;
  static bool send(List const& list, Event const& event);
  template <typename Goes>
  void keep_without(Goes&& goes);

  SpinLock lock_;
  atomic<bool> any_{false};
  std::shared_ptr<List const> list_ = std::make_shared<List>();
  std::vector<Event> events_;
  bool sending_ = false;
};

struct CellWorld {
  using Cell = CellBase;
  using Hook = EndHook;
  using Observer = Listeners;

  static void prepare(Cell& cell) { (void)cell.extra(); }  // so that hook() needs no memory
  static bool hook(Cell& cell, Hook& hook) noexcept { return add_end_hook(cell, hook); }
  static bool unhook(Cell& cell, Hook& hook) noexcept { return remove_end_hook(cell, hook); }
  static void keep(Cell& cell) noexcept { cell.retain_memory(); }
  static void let_go(Cell& cell) noexcept { cell.release_memory(); }
  static void ref(Cell& cell) noexcept { cell.retain_again(); }
  static std::uint64_t id(Cell const& cell) noexcept { return cell.id().value; }
};

extern template class BasicNameTable<CellWorld>;

}  // namespace spawned::registry::detail
