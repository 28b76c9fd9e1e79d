#include <spawned/actors/links.hpp>

#include <spawned/runtime/detail/pool.hpp>

namespace spawned::detail {

namespace {

Watch& made(Watch::Kind kind, CellBase& first, CellBase& second, PostNotice post) {
  return *pool_new<Watch>(kind, first, second, post);
}

}  // namespace

Watch& watch_new(Watch::Kind kind, CellBase& first, CellBase& second, PostNotice post) {
  Watch& watch = made(kind, first, second, post);
  (void)watch.establish();
  return watch;
}

Result<void, ActorError> make_link(CellBase& self, CellBase& other) {
  if (&self == &other) return {};
  if (Watch* const linked = Watch::find_link(self, other)) {
    linked->drop();
    return {};
  }
  WatchHold const link(made(Watch::Kind::link, self, other, nullptr));
  if (link.get().establish()) return {};
  if (!self.traps_exits()) return Unexpected(ActorError::Kind::no_such_actor);
  self.actor_kind().post_exit(self, EndNotice{other.id(), ExitReason::Kind::no_actor}, nullptr);
  return {};
}

bool cut_link(CellBase& self, CellBase& other) noexcept {
  Watch* const link = Watch::find_link(self, other);
  if (link == nullptr) return false;
  WatchHold const hold(*link);
  link->flush();
  return link->cancel();
}

MonitorRef make_monitor(CellBase& self, CellBase& other, PostNotice post) {
  WatchHold monitor(made(Watch::Kind::monitor, self, other, post));
  if (&self != &other && !monitor.get().establish()) {
    post(self, EndNotice{other.id(), ExitReason::Kind::no_actor, monitor.get().id()},
         &monitor.get());
  }
  return std::move(monitor).as_monitor();
}

bool cut_monitor(CellBase& self, MonitorRef const& monitor, Flush flush) {
  Watch& watch = monitor.watch();
  if (&watch.first() != &self) return false;
  if (flush == Flush::yes) watch.flush();
  return watch.cancel();
}

void forget(Watch& watch) noexcept {
  watch.flush();
  (void)watch.cancel();
}

}  // namespace spawned::detail
