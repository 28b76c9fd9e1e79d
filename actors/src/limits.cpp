// What actors with a MailQueue do beside the hot path: refuse, wait for room, take urgent messages.
#include <string>

#include <spawned/actors/actor.hpp>
#include <spawned/actors/detail/mail_queue.hpp>
#include <spawned/actors/send_wait.hpp>
#include <spawned/actors/urgent_ref.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/detail/simulated.hpp>
#include <spawned/runtime/log.hpp>

namespace spawned {

namespace detail {

void OwnMailQueue::make(ActorOptions const& options) {
  if (options.mailbox_capacity == unbounded && !options.urgent_messages) return;
  queue_ = pool_new<MailQueue>(options);
}

// --- the sender's side ---

Pushed CellBase::push_routed(Envelope& envelope, MailKind mail_kind, bool turn_ends) noexcept {
  if (is_queued()) return push_queued(envelope, mail_kind, turn_ends);
  if (simulated != nullptr) simulated->sent(*this, &envelope);
  return push_plain(envelope, turn_ends) ? Pushed::accepted : Pushed::ended;
}

Pushed CellBase::push_queued(Envelope& envelope, MailKind mail_kind, bool turn_ends,
                             std::uint64_t generation) noexcept {
  if (simulated != nullptr) simulated->sent(*this, &envelope);
  MailQueue::Outcome const outcome = mail_queue().push(mailbox_, envelope, mail_kind, generation);
  if (outcome.runnable) turn_ends ? hand_off(*this) : schedule(*this);
  if (outcome.victim != nullptr) {
    (void)outcome.victim->deliver(this, *outcome.victim, Operation::drop);
  }
  return outcome.pushed;
}

Pushed CellBase::stand_in_line(Envelope& envelope, RoomWait& wait, bool turn_ends) noexcept {
  MailQueue::Outcome const outcome = mail_queue().stand_in_line(mailbox_, envelope, wait);
  if (outcome.runnable) turn_ends ? hand_off(*this) : schedule(*this);
  return outcome.pushed;
}

Pushed stand_in_line(CellBase& cell, Envelope& envelope, RoomWait*& wait) noexcept {
  wait = nullptr;
  RoomWait* made = nullptr;
  try {
    made = pool_new<RoomWait>(RoomWait::For::request);
  } catch (...) {
    return Pushed::full;
  }
  Pushed const how = cell.stand_in_line(envelope, *made, true);
  if (how == Pushed::no_room) {
    wait = made;
  } else {
    pool_delete(made);
  }
  return how;
}

bool leave_line(CellBase& cell, RoomWait& wait) noexcept {
  bool const refused = cell.mail_queue().withdraw(wait);
  pool_delete(&wait);
  return refused;
}

SendResult refuse_message(CellBase& cell, Envelope& envelope, Pushed how,
                          std::string_view message) noexcept {
  auto const bury = [&](DeadLetter::Cause cause) {
    report_dead_letter(cell, message, cause, CellBase::running());
  };
  SendResult result = SendResult::dropped;
  switch (how) {
    case Pushed::accepted:
    case Pushed::full:
      result = SendResult::full;
      break;
    case Pushed::no_room:
      cell.mail_queue().count_rejected();
      result = SendResult::full;
      break;
    case Pushed::ended:
      bury(DeadLetter::Cause::ended);
      result = SendResult::ok;
      break;
    case Pushed::dropped:
      bury(DeadLetter::Cause::overflow);
      break;
    case Pushed::revoked:
      bury(DeadLetter::Cause::revoked);
      break;
  }
  (void)envelope.deliver(nullptr, envelope, Operation::destroy);
  return result;
}

MailboxInfo mailbox_info(CellBase& cell) noexcept {
  if (!cell.is_queued()) return {0, unbounded, 0, 0};
  return cell.mail_queue().info();
}

// --- send_wait ---

ActorError refuse_waiting(CellBase& cell, Envelope& envelope, Pushed how) {
  (void)envelope.deliver(nullptr, envelope, Operation::destroy);
  return refused_error(cell, how);
}

Result<void, ActorError> send_blocking(CellBase& cell, Envelope& envelope) {
  Pushed how = cell.push_mail(envelope);
  if (how == Pushed::no_room) {
    if (CellBase::running() == &cell) {
      (void)refuse_waiting(cell, envelope, how);
      return Unexpected(ActorError::Kind::deadlock);
    }
    RoomWait room(RoomWait::For::send);
    how = cell.stand_in_line(envelope, room, false);
    if (how == Pushed::no_room) {
      ThreadWait wait;
      (void)wait.wait(room.slot);
      how = cell.mail_queue().withdraw(room) ? Pushed::ended : Pushed::accepted;
    }
  }
  if (how == Pushed::accepted) return {};
  return Unexpected(refuse_waiting(cell, envelope, how));
}

// --- the owner's side ---

Turn CellBase::serve_queue(unsigned handled) noexcept {
  if (handled >= budget || (handled != 0 && has_attention(Attention::stepwise))) {
    schedule_last(*this);
    return Turn::away;
  }
  MailQueue& queue = mail_queue();
  MailQueue::Taken const taken = queue.take(mailbox_);
  switch (taken.what) {
    case MailQueue::Taken::What::idle:
      return Turn::away;
    case MailQueue::Taken::What::overflow:
      break;
    case MailQueue::Taken::What::mail:
      if (simulated != nullptr) simulated->taken(*this, taken.envelope);
      look_up_before(*taken.envelope);
      publish_hand_off();  // as in work_through()
      return taken.envelope->deliver(this, *taken.envelope, Operation::handle);
  }
  try {
    std::string const text = "mailbox overflow (capacity " + std::to_string(queue.capacity()) + ")";
    log::error("spawned", describe() + " ends: " + text);
    return stop_with(ExitReason::error(text));
  } catch (...) {
    return stop_with(ExitReason::Kind::error);
  }
}

// --- urgent messages ---

std::uint64_t urgent_generation(CellBase& cell) {
  if (!cell.is_urgent()) throw UrgentMessagesOff(cell);
  return cell.mail_queue().generation();
}

void revoke_urgent(CellBase& cell) {
  if (!cell.is_urgent()) throw UrgentMessagesOff(cell);
  cell.mail_queue().revoke();
}

}  // namespace detail

UrgentMessagesOff::UrgentMessagesOff(detail::CellBase const& cell)
    : std::logic_error(cell.describe() +
                       " takes no urgent messages: set ActorOptions::urgent_messages") {}

Result<void, ActorError> SendAwaitable::outcome() {
  detail::WaitOutcome waited = detail::WaitOutcome::completed;
  if (waited_) {
    waited_ = false;
    waited = wait_.finish();
    if (how_ == detail::Pushed::no_room && !cell_->mail_queue().withdraw(room_)) {
      how_ = detail::Pushed::accepted;
    }
  }
  detail::Envelope& envelope = *std::exchange(envelope_, nullptr);
  if (how_ == detail::Pushed::accepted) return {};
  if (how_ != detail::Pushed::no_room) {
    return Unexpected(detail::refuse_waiting(*cell_, envelope, how_));
  }
  if (self_) {
    (void)detail::refuse_waiting(*cell_, envelope, how_);
    return Unexpected(ActorError::Kind::deadlock);
  }
  (void)envelope.deliver(nullptr, envelope, detail::Operation::destroy);
  if (waited == detail::WaitOutcome::completed) {
    return Unexpected(detail::dead_actor_error(*cell_));
  }
  return Unexpected(detail::gave_up_error(waited, wait_.context()));
}

// Never awaited, or the frame goes while the message waits for room.
void SendAwaitable::give_back() noexcept {
  if (waited_) {
    (void)wait_.finish();
    if (how_ == detail::Pushed::no_room && !cell_->mail_queue().withdraw(room_)) return;
    if (how_ == detail::Pushed::accepted) return;
  }
  (void)envelope_->deliver(nullptr, *envelope_, detail::Operation::destroy);
}

}  // namespace spawned
