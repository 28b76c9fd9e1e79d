#include <spawned/actors/listeners.hpp>

#include <exception>
#include <string>

#include <spawned/runtime/errors.hpp>
#include <spawned/runtime/log.hpp>

namespace spawned {

CancelResult ListenerHandle::cancel() noexcept {
  if (listener_ == nullptr || !listener_->group->cancel(*listener_)) return CancelResult::too_late;
  return CancelResult::cancelled;
}

ListenerState ListenerHandle::state() const noexcept {
  if (listener_ == nullptr) return ListenerState::none;
  switch (listener_->group->state(*listener_)) {
    case detail::Dependant::State::sent:
      return ListenerState::sent;
    case detail::Dependant::State::finished:
      return ListenerState::finished;
    case detail::Dependant::State::cancelled:
      return ListenerState::cancelled;
    case detail::Dependant::State::actor_ended:
      return ListenerState::actor_ended;
    default:
      return ListenerState::listening;
  }
}

std::optional<ActorError> ListenerHandle::error() const {
  if (state() != ListenerState::actor_ended) return std::nullopt;
  if (!listener_->target->has_ended()) {  // its runtime ends, and the actor with it
    return ActorError(ActorError::Kind::no_such_actor, ExitReason::shutdown());
  }
  return detail::dead_actor_error(*listener_->target);
}

namespace detail {

void Listener::disarm(Dependant& self) noexcept { static_cast<Listener&>(self).work->cancel(); }

void Listener::destroy(Dependant& self) noexcept { pool_delete(&static_cast<Listener&>(self)); }

ListenerKeeper::~ListenerKeeper() {
  if (listener_ == nullptr) return;
  listener_->group->finish(*listener_, end_);
  listener_->drop();
}

bool ListenerKeeper::send(OwnedMessage message, bool last) noexcept {
  Dependants& group = *listener_->group;
  if (!group.begin_send(*listener_, last)) return false;
  Envelope& envelope = message.release();
  bool const open = listener_->target->push(envelope);
  if (!open) {
    (void)envelope.deliver(listener_->target, envelope, Operation::discard);
    group.note_end(*listener_);
  }
  if (!last) group.end_send(*listener_);
  return open;
}

void ListenerKeeper::report_failure(char const* what) noexcept {
  try {
    log::error("spawned", std::string(what) + " for " + listener_->target->describe() +
                              " ended with " + describe_exception(std::current_exception()));
  } catch (...) {
    log::error("spawned", "a listener failed; no memory for its report");
  }
}

}  // namespace detail

}  // namespace spawned
