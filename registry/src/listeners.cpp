#include <utility>

#include "cell_world.hpp"

namespace spawned::registry::detail {

template <typename Goes>
void Listeners::keep_without(Goes&& goes) {
  std::shared_ptr<List const> before;
  {
    SpinGuard const guard(lock_);
    before = list_;
  }
  for (;;) {
    auto kept = std::make_shared<List>();
    for (auto const& each : *before) {
      if (!goes(each)) kept->push_back(each);
    }
    std::shared_ptr<List const> next = std::move(kept);
    SpinGuard const guard(lock_);
    if (before == list_) {
      any_.store(!next->empty(), memory_order_relaxed);  // see note()
      list_.swap(next);
      return;
    }
    before = list_;
  }
}

void Listeners::add(NameListener const& listener) {
  SpinGuard const guard(lock_);
  auto more = std::make_shared<List>(*list_);
  more->push_back(listener.downgrade());
  list_ = std::move(more);
  any_.store(true, memory_order_relaxed);  // see note()
}

void Listeners::remove(ActorId listener) noexcept {
  keep_without([&](auto const& each) { return each.id() == listener; });
}

void Listeners::note(std::string const& name, ActorId actor, bool registered) noexcept {
  SpinGuard const guard(lock_);
  events_.push_back({name, actor, registered});
}

// False: some listener has ended.
bool Listeners::send(List const& list, Event const& event) {
  bool all = true;
  for (auto const& each : list) {
    auto const listener = each.upgrade();
    if (!listener) {
      all = false;
    } else if (event.registered) {
      listener->template send<NameRegistered>(event.name, event.actor);
    } else {
      listener->template send<NameUnregistered>(event.name, event.actor);
    }
  }
  return all;
}

void Listeners::send_all() noexcept {
  for (;;) {
    std::vector<Event> events;
    std::shared_ptr<List const> list;
    {
      SpinGuard const guard(lock_);
      if (sending_ || events_.empty()) return;
      sending_ = true;
      events.swap(events_);
      list = list_;
    }
    bool all = true;
    for (Event const& event : events) all = send(*list, event) && all;
    {
      SpinGuard const guard(lock_);
      sending_ = false;
    }
    if (!all) keep_without([](auto const& each) { return !each.upgrade().has_value(); });
  }
}

}  // namespace spawned::registry::detail
