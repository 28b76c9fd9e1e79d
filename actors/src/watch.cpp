#include <spawned/actors/detail/watch.hpp>

#include <spawned/actors/detail/cell.hpp>
#include <spawned/runtime/detail/pool.hpp>

namespace spawned::detail {

Watch::Watch(Kind kind, CellBase& first, CellBase& second, PostNotice post) noexcept
    : Tie(kind, first, second, kind == Kind::link ? 0 : 1),
      post_(post),
      id_(kind == Kind::monitor ? next_identity(first) : 0) {}

void Watch::free(Watch& watch) noexcept {
  CellBase& one = watch.first();
  CellBase& other = watch.second();
  pool_delete(&watch);
  one.release_memory();
  other.release_memory();
}

namespace {

// A signal as a link sends it: `kill` is a reason like any other.
void signal(CellBase& receiver, CellBase& dead, ExitReason const& reason, Watch& watch) noexcept {
  if (receiver.traps_exits()) {
    bool const from_parent = watch.kind() == Watch::Kind::parent && &watch.first() == &dead;
    if (from_parent) {
      (void)post_stop(receiver, reason);
    } else {
      receiver.actor_kind().post_exit(receiver, EndNotice{dead.id(), reason}, &watch);
    }
  } else if (reason.kind() == ExitReason::Kind::shutdown &&
             dead.has_attention(CellBase::Attention::runtime_ends)) {
    (void)post_stop(receiver, reason);  // all end, and each is to have its teardown
  } else if (reason.kind() != ExitReason::Kind::normal) {
    receiver.exit_for_good(reason);
  }
}

}  // namespace

void Watch::fire_all(CellBase& cell, ExitReason const& reason) noexcept {
  end_all(cell, [&](Watch& watch, CellBase& left) {
    if (watch.kind() == Kind::monitor) {
      watch.post_(left, EndNotice{cell.id(), reason, watch.id_}, &watch);
    } else {
      signal(left, cell, reason, watch);
    }
  });
}

void Watch::forget_all(CellBase& cell) noexcept {
  do end_all(cell, [](Watch&, CellBase&) {});
  while (!cell.waiters().close());
}

}  // namespace spawned::detail
