#include <spawned/actors/listeners.hpp>

#include <exception>
#include <string>

#include <spawned/runtime/errors.hpp>
#include <spawned/runtime/log.hpp>

namespace spawned {

CancelResult ListenerHandle::cancel() noexcept {
  if (listener_ == nullptr || !listener_->group().cancel(*listener_)) return CancelResult::too_late;
  return CancelResult::cancelled;
}

ListenerState ListenerHandle::state() const noexcept {
  if (listener_ == nullptr) return ListenerState::none;
  switch (listener_->group().state(*listener_)) {
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

void Listener::disarm(Dependant& dependant) noexcept {
  auto& self = static_cast<Listener&>(dependant);
  {
    SpinGuard const guard(self.line_lock_);
    if (self.in_line_ != nullptr) self.target->mail_queue().turn_away(*self.in_line_);
  }
  self.work->cancel();
}

void Listener::destroy(Dependant& self) noexcept { pool_delete(&static_cast<Listener&>(self)); }

ListenerKeeper::~ListenerKeeper() {
  if (listener_ == nullptr) return;
  listener_->group().finish(*listener_, end_);
  listener_->drop();
}

ListenerKeeper::Sent ListenerKeeper::send(OwnedMessage& message, RoomWait& wait) noexcept {
  Dependants& group = listener_->group();
  CellBase& target = *listener_->target;
  if (!group.begin_send(*listener_, false)) return Sent::over;
  Envelope& envelope = message.get();
  Sent sent = Sent::yes;
  bool const waits = may_stand_in_line();
  if (waits) listener_->stand(&wait);
  switch (waits ? target.stand_in_line(envelope, wait, false) : target.push_mail(envelope)) {
    case Pushed::accepted:
      (void)message.release();
      break;
    case Pushed::no_room:
      sent = Sent::in_line;
      break;
    case Pushed::ended:
      (void)envelope.deliver(&target, message.release(), Operation::discard);
      group.note_end(*listener_);
      sent = Sent::over;
      break;
    case Pushed::full:
    case Pushed::dropped:
    case Pushed::revoked:
      (void)envelope.deliver(&target, message.release(), Operation::drop);
      break;
  }
  if (waits && sent != Sent::in_line) listener_->stand(nullptr);
  group.end_send(*listener_);
  return sent;
}

bool ListenerKeeper::leave_line(OwnedMessage& message, RoomWait& wait) noexcept {
  listener_->stand(nullptr);
  if (listener_->target->mail_queue().withdraw(wait)) {
    note_cancelled();  // nobody leaves the line for another reason than an end
    return false;
  }
  (void)message.release();
  return true;
}

bool ListenerKeeper::send_blocking(OwnedMessage message) noexcept {
  RoomWait wait(RoomWait::For::send);
  Sent const sent = send(message, wait);
  if (sent != Sent::in_line) return sent == Sent::yes;
  ThreadWait until_it_is_settled;
  (void)until_it_is_settled.wait(wait.slot);
  return leave_line(message, wait);
}

void ListenerKeeper::send_last(OwnedMessage message) noexcept {
  Dependants& group = listener_->group();
  if (!group.begin_send(*listener_, true)) return;
  Envelope& envelope = message.release();
  if (listener_->target->push(envelope)) return;
  (void)envelope.deliver(listener_->target, envelope, Operation::discard);
  group.note_end(*listener_);
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
