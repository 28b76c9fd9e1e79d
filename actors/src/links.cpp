#include <spawned/actors/links.hpp>

#include <spawned/runtime/detail/pool.hpp>

namespace spawned::detail {

Watch& watch_new(Watch::Kind kind, CellBase& first, CellBase& second, PostNotice post) {
  Watch& watch = *pool_new<Watch>(kind, first, second, post);
  (void)watch.establish();
  return watch;
}

Result<void, ActorError> make_link(CellBase& self, CellBase& other) {
  if (&self == &other) return {};  // before anything is allocated
  Watch& link = *pool_new<Watch>(Watch::Kind::link, self, other, nullptr);
  Watch::Made const made = link.establish();
  if (made == Watch::Made::yes) return {};
  Watch::free(link);
  if (made == Watch::Made::linked_before) return {};
  if (!self.traps_exits()) return Unexpected(ActorError::Kind::no_such_actor);
  self.actor_kind().post_exit(self, EndNotice{other.id(), ExitReason::Kind::no_actor}, nullptr);
  return {};
}

bool cut_link(CellBase& self, CellBase& other) noexcept {
  return &self != &other && Watch::cut_link(self, other) == Watch::Cut::yes;
}

MonitorRef make_monitor(CellBase& self, CellBase& other, PostNotice post) {
  WatchHold monitor(*pool_new<Watch>(Watch::Kind::monitor, self, other, post));
  Watch& watch = monitor.get();
  if (watch.establish() == Watch::Made::ended) {
    post(self, EndNotice{other.id(), ExitReason::Kind::no_actor, watch.id()}, &watch);
  }
  return MonitorRef(std::move(monitor));
}

MonitorRef make_monitor_of_nobody(CellBase& self, PostNotice post) {
  WatchHold monitor(*pool_new<Watch>(Watch::Kind::monitor, self, self, post));
  Watch& watch = monitor.get();
  (void)watch.establish();  // of itself: in no list
  (void)watch.cancel();
  post(self, EndNotice{ActorId{}, ExitReason::Kind::no_actor, watch.id()}, &watch);
  return MonitorRef(std::move(monitor));
}

bool cut_monitor(CellBase& self, MonitorRef const& monitor, Flush flush) {
  Watch& watch = monitor.watch();
  if (&watch.first() != &self) return false;
  if (flush == Flush::yes) watch.flush();
  return watch.cancel();
}

void forget(Watch& watch, ActorError const& why) noexcept {
  if (!gave_up_waiting(why) || !watch.cancel()) watch.flush();
}

}  // namespace spawned::detail
