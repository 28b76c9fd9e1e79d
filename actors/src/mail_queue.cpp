#include <spawned/actors/detail/mail_queue.hpp>

#include <utility>

#include <spawned/runtime/detail/pool.hpp>

namespace spawned::detail {

namespace {

Envelope* with_mark(Envelope* next, bool counted) noexcept {
  return reinterpret_cast<Envelope*>(reinterpret_cast<std::uintptr_t>(next) |
                                     static_cast<std::uintptr_t>(counted));
}
bool mark_of(Envelope const& envelope) noexcept {
  return (reinterpret_cast<std::uintptr_t>(envelope.next.get()) & 1) != 0;
}
Envelope* next_of(Envelope const& envelope) noexcept {
  return reinterpret_cast<Envelope*>(reinterpret_cast<std::uintptr_t>(envelope.next.get()) &
                                     ~std::uintptr_t{1});
}

}  // namespace

void MailStack::push(Envelope& envelope, bool counted) noexcept {
  envelope.next.set(with_mark(top_, counted));
  top_ = &envelope;
}

MailList::MailList(MailStack const& stack) noexcept : last_(stack.top_) {
  for (Envelope* envelope = stack.top_; envelope != nullptr;) {
    Envelope* const older = next_of(*envelope);
    envelope->next.set(with_mark(first_, mark_of(*envelope)));
    first_ = std::exchange(envelope, older);
  }
}

void MailList::append(Envelope& envelope, bool counted) noexcept {
  envelope.next.set(with_mark(nullptr, counted));
  if (first_ == nullptr) {
    first_ = &envelope;
  } else {
    last_->next.set(with_mark(&envelope, mark_of(*last_)));
  }
  last_ = &envelope;
}

Envelope& MailList::pop(bool& counted) noexcept {
  Envelope& envelope = *first_;
  counted = mark_of(envelope);
  first_ = next_of(envelope);
  return envelope;
}

Envelope* MailList::remove_counted() noexcept {
  Envelope* before = nullptr;
  for (Envelope* envelope = first_; envelope != nullptr; envelope = next_of(*envelope)) {
    if (mark_of(*envelope)) {
      Envelope* const next = next_of(*envelope);
      if (before == nullptr) {
        first_ = next;
      } else {
        before->next.set(with_mark(next, mark_of(*before)));
      }
      if (last_ == envelope) last_ = before;
      return envelope;
    }
    before = envelope;
  }
  return nullptr;
}

MailQueue::MailQueue(ActorOptions const& options) noexcept
    : capacity_(options.mailbox_capacity),
      low_water_(options.mailbox_capacity / 2),
      urgent_burst_(options.urgent_burst),
      policy_(options.overflow),
      one_at_a_time_(options.urgent_messages || options.overflow == Overflow::drop_oldest) {}

bool MailQueue::has_room() noexcept {
  if (first_in_line_ != nullptr) return false;
  std::uint64_t const pushed = pushed_.load(memory_order_relaxed);  // written under this lock
  if (pushed - taken_seen_ < capacity_) return true;
  taken_seen_ = taken_.load(memory_order_relaxed);  // a counter
  return pushed - taken_seen_ < capacity_;
}

void MailQueue::append(Envelope& envelope, bool counted) noexcept {
  if (one_at_a_time_) {
    ordinary_.append(envelope, counted);
  } else {
    newest_.push(envelope, counted);
  }
}

MailQueue::Outcome MailQueue::accept(Mailbox& mailbox, Envelope& envelope, MailKind kind) noexcept {
  bool const counted = kind != MailKind::library;
  if (kind == MailKind::urgent) {
    urgent_.append(envelope, counted);
  } else {
    append(envelope, counted);
  }
  if (counted) add_pushed(1);
  if (rung_) return {Pushed::accepted};
  rung_ = true;
  return {Pushed::accepted, mailbox.push(bell_) == Mailbox::Push::made_runnable};
}

MailQueue::Outcome MailQueue::overflow(Mailbox& mailbox, Envelope& envelope,
                                       MailKind kind) noexcept {
  switch (policy_) {
    case Overflow::wait:
      return {Pushed::no_room};
    case Overflow::reject:
      ++rejected_;
      return {Pushed::full};
    case Overflow::drop_newest:
      break;
    case Overflow::drop_oldest: {
      Envelope* victim = ordinary_.remove_counted();
      if (victim == nullptr) victim = urgent_.remove_counted();
      ++dropped_;
      if (victim == nullptr) break;
      add_pushed(std::uint64_t{0} - 1);
      Outcome outcome = accept(mailbox, envelope, kind);
      outcome.victim = victim;
      return outcome;
    }
    case Overflow::stop_actor:
      overflowed_ = true;
      call(overflow_call);
      break;
  }
  if (policy_ != Overflow::drop_oldest) ++dropped_;
  return {Pushed::dropped};
}

MailQueue::Outcome MailQueue::push(Mailbox& mailbox, Envelope& envelope, MailKind kind,
                                   std::uint64_t generation) noexcept {
  SpinGuard const guard(lock_);
  if (closed_) return {Pushed::ended};
  if (kind != MailKind::library) {
    if (kind == MailKind::urgent && generation != generation_) return {Pushed::revoked};
    if (!has_room()) return overflow(mailbox, envelope, kind);
  }
  return accept(mailbox, envelope, kind);
}

MailQueue::Outcome MailQueue::stand_in_line(Mailbox& mailbox, Envelope& envelope,
                                            RoomWait& wait) noexcept {
  SpinGuard const guard(lock_);
  if (closed_) return {Pushed::ended};
  if (has_room()) {
    wait.state_ = RoomWait::State::let_in;
    return accept(mailbox, envelope, MailKind::ordinary);
  }
  wait.envelope_ = &envelope;
  wait.state_ = RoomWait::State::in_line;
  wait.previous_ = last_in_line_;
  (last_in_line_ == nullptr ? first_in_line_ : last_in_line_->next_) = &wait;
  last_in_line_ = &wait;
  call(line_call);
  return {Pushed::no_room};
}

void MailQueue::unlink(RoomWait& wait) noexcept {
  (wait.previous_ == nullptr ? first_in_line_ : wait.previous_->next_) = wait.next_;
  (wait.next_ == nullptr ? last_in_line_ : wait.next_->previous_) = wait.previous_;
  wait.previous_ = wait.next_ = nullptr;
  wait.state_ = RoomWait::State::outside;
  if (first_in_line_ == nullptr) call(0);
}

bool MailQueue::withdraw(RoomWait& wait) noexcept {
  SpinGuard const guard(lock_);
  if (wait.state_ == RoomWait::State::in_line) unlink(wait);
  return wait.state_ != RoomWait::State::let_in;
}

// As in let_in(), the waiter outlives this.
void MailQueue::turn_away(RoomWait& wait) noexcept {
  SpinGuard const guard(lock_);
  if (wait.state_ != RoomWait::State::in_line) return;
  unlink(wait);
  (void)wait.slot.complete();
}

// A waiter that is woken here takes the lock before it goes, so it outlives this.
void MailQueue::let_in() noexcept {
  if (first_in_line_ == nullptr || unread() > low_water_) return;
  while (first_in_line_ != nullptr && unread() < capacity_) {
    RoomWait& wait = *first_in_line_;
    unlink(wait);
    if (wait.wakes_ && !wait.slot.complete()) continue;  // it has given up and keeps its envelope
    wait.state_ = RoomWait::State::let_in;
    append(*wait.envelope_, true);
    add_pushed(1);
  }
}

void MailQueue::count_rejected() noexcept {
  SpinGuard const guard(lock_);
  ++rejected_;
}

MailboxInfo MailQueue::info() noexcept {
  SpinGuard const guard(lock_);
  return {unread(), capacity_, dropped_, rejected_};
}

MailQueue::Taken MailQueue::begin(MailList& list) noexcept {
  bool counted = false;
  Envelope& envelope = list.pop(counted);
  if (counted) {
    taken_.store(taken_.load(memory_order_relaxed) + 1, memory_order_relaxed);  // one writer
  }
  return {Taken::What::mail, &envelope};
}

MailQueue::Taken MailQueue::begin_locked(MailList& list) noexcept {
  Taken const taken = begin(list);
  let_in();
  return taken;
}

MailQueue::Taken MailQueue::take(Mailbox& mailbox) noexcept {
  std::uint8_t const calls = calls_.load(memory_order_relaxed);  // a hint
  bool const look =
      batch_.empty() || (calls != 0 && (calls == overflow_call || unread() <= low_water_));
  if (look) {
    MailStack all;
    if (auto const taken = take_locked(mailbox, all)) return *taken;
    batch_ = MailList(all);
  }
  Taken const taken = begin(batch_);
  // What is begun makes room, and may be in work for long.
  if (calls == line_call && unread() <= low_water_) let_in_now();
  return taken;
}

void MailQueue::let_in_now() noexcept {
  SpinGuard const guard(lock_);
  let_in();
}

std::optional<MailQueue::Taken> MailQueue::take_locked(Mailbox& mailbox, MailStack& all) noexcept {
  SpinGuard const guard(lock_);
  if (overflowed_) return Taken{Taken::What::overflow};
  let_in();  // before it goes idle
  if (!batch_.empty()) return begin_locked(batch_);
  if (!urgent_.empty() && (urgent_row_ < urgent_burst_ || ordinary_.empty())) {
    ++urgent_row_;
    return begin_locked(urgent_);
  }
  if (!newest_.empty()) {
    all = std::exchange(newest_, MailStack());
    return std::nullopt;
  }
  if (ordinary_.empty()) {
    // Under the lock nobody else changes the word. The unlock is the owner's last access: whoever
    // rings next needs the lock.
    (void)mailbox.go_idle(rung_ ? &bell_ : nullptr);
    rung_ = false;
    return Taken{Taken::What::idle};
  }
  urgent_row_ = 0;
  return begin_locked(ordinary_);
}

Envelope* MailQueue::close(Mailbox& mailbox) noexcept {
  SpinGuard const guard(lock_);
  closed_ = true;
  (void)mailbox.close();  // the bell, or nothing
  while (first_in_line_ != nullptr) {
    RoomWait& wait = *first_in_line_;
    unlink(wait);
    if (wait.wakes_) {
      (void)wait.slot.complete();  // it finds itself outside, and keeps its envelope
    } else {
      wait.state_ = RoomWait::State::let_in;
      append(*wait.envelope_, false);
    }
  }
  MailList newest(newest_);
  MailList unread;
  for (MailList* const list : {&batch_, &urgent_, &ordinary_, &newest}) {
    while (!list->empty()) {
      bool counted = false;
      unread.append(list->pop(counted), false);
    }
  }
  taken_.store(pushed_.load(memory_order_relaxed), memory_order_relaxed);  // the owner, locked
  return unread.first();
}

void MailQueue::revoke() noexcept {
  SpinGuard const guard(lock_);
  ++generation_;
}

void destroy_mail_queue(MailQueue* queue) noexcept {
  if (queue != nullptr) pool_delete(queue);
}

}  // namespace spawned::detail
