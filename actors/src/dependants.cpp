#include <spawned/actors/detail/dependants.hpp>

#include <spawned/actors/detail/cell.hpp>

namespace spawned::detail {

namespace {

using State = Dependant::State;

// A worker of the actor's own home needs no pin: the runtime waits for it.
bool works_for(CellBase const& cell) noexcept {
  return current_worker != nullptr && current_worker->executor == cell.home;
}

}  // namespace

Dependant::Dependant(CellBase& actor, Operations const& table, bool many)
    : target(&actor), operations(&table), repeats(many) {
  (void)actor.extra();
  actor.retain_memory();
}

Dependants& Dependant::group() const noexcept { return target->extra_or_null()->dependants; }

Dependant::~Dependant() { target->release_memory(); }

Dependants::Dependants() noexcept : Runnable(nullptr, &run_due) {
  ring_init(waiting_);
  ring_init(due_);
}

// Under the lock.
bool Dependants::is_open(CellBase& cell) noexcept {
  if (phase_ == Phase::unused) [[unlikely]] {
    cell_ = &cell;
    phase_ = cell.confirm_open() ? Phase::open : Phase::closed;
  }
  return phase_ == Phase::open;
}

bool Dependants::pin(CellBase& cell) noexcept {
  SpinGuard const guard(lock_);
  if (!is_open(cell)) return false;
  pins_.fetch_add(1, memory_order_relaxed);  // under the lock, before the list is closed
  return true;
}

bool Dependants::keep(Dependant& dependant) noexcept {
  SpinGuard const guard(lock_);
  switch (dependant.state) {
    case State::arming:
      break;
    case State::cancelled:
    case State::actor_ended:
      return dependant.released;
    default:
      return true;
  }
  if (!is_open(*dependant.target)) {
    dependant.state = State::actor_ended;
    return false;
  }
  dependant.state = State::waiting;
  ring_insert(*waiting_.previous, dependant);
  return true;
}

Runnable* Dependants::expire(Dependant& dependant) noexcept {
  SpinGuard const guard(lock_);
  if (dependant.state == State::arming) {
    if (!is_open(*dependant.target)) {
      dependant.state = State::actor_ended;  // keep() finds it
      return nullptr;
    }
  } else {
    // Somebody has taken it, or is about to: close() lets go what is still listed.
    if (dependant.state != State::waiting || phase_ == Phase::closed) return nullptr;
    ring_remove(dependant);
  }
  dependant.state = State::due;
  ring_insert(*due_.previous, dependant);
  if (queued_) return nullptr;
  queued_ = true;
  cell_->retain_memory();
  return this;
}

Dependant* Dependants::take_due() noexcept {
  SpinGuard const guard(lock_);
  if (is_ring_empty(due_)) {
    queued_ = false;
    home = nullptr;
    return nullptr;
  }
  auto& dependant = static_cast<Dependant&>(*due_.next);
  ring_remove(dependant);
  dependant.state = dependant.repeats ? State::sending : State::sent;
  if (dependant.repeats) dependant.sender = current_worker;
  return &dependant;
}

void Dependants::run_due(Runnable& runnable) noexcept {
  auto& self = static_cast<Dependants&>(runnable);
  CellBase& cell = *self.cell_;
  unsigned sent = 0;
  while (Dependant* const dependant = self.take_due()) {
    dependant->operations->send(*dependant);
    if (++sent >= budget && current_worker->executor != nullptr) {
      self.home = current_worker->executor;
      schedule_last(self);
      return;
    }
  }
  cell.release_memory();  // perhaps with this object
}

bool Dependants::cancel(Dependant& dependant) noexcept {
  bool const inside = works_for(*dependant.target);
  bool stop = false;
  bool wait = false;
  {
    SpinGuard const guard(lock_);
    switch (dependant.state) {
      case State::arming:  // keep() finds it
        break;
      case State::waiting:
      case State::due:
        stop = true;
        break;
      case State::sending:
        if (!dependant.repeats) return false;
        stop = is_in_ring(dependant);
        wait = true;
        break;
      default:
        return false;
    }
    dependant.state = State::cancelled;
    if (stop) {
      ring_remove(dependant);
      dependant.released = true;
      if (!inside) pins_.fetch_add(1, memory_order_relaxed);  // it was listed: the list is open
    }
  }
  if (wait) wait_for_sender(dependant);
  if (stop) {
    dependant.operations->disarm(dependant);
    if (!inside) unpin();
    dependant.operations->let_go(dependant);
  }
  return true;
}

// What is being sent arrives before cancel() returns; unless it is the sender itself who cancels,
// from the copy constructor of a message.
void Dependants::wait_for_sender(Dependant const& dependant) noexcept {
  for (;;) {
    {
      SpinGuard const guard(lock_);
      if (dependant.sender == nullptr || dependant.sender == current_worker) return;
    }
    yield_thread();
  }
}

bool Dependants::begin_send(Dependant& dependant, bool last) noexcept {
  SpinGuard const guard(lock_);
  if (dependant.state == State::arming) {
    if (!is_open(*dependant.target)) dependant.state = State::actor_ended;
  }
  if (dependant.state != State::waiting && dependant.state != State::arming) return false;
  if (last) {
    if (is_in_ring(dependant)) ring_remove(dependant);
    dependant.state = State::sent;
  } else {
    dependant.state = State::sending;
    dependant.sender = current_worker;
  }
  return true;
}

void Dependants::end_send(Dependant& dependant) noexcept {
  SpinGuard const guard(lock_);
  dependant.sender = nullptr;
  if (dependant.state == State::sending) dependant.state = State::waiting;
}

bool Dependants::resume(Dependant& dependant) noexcept {
  SpinGuard const guard(lock_);
  dependant.sender = nullptr;
  if (dependant.state != State::sending) return false;
  dependant.state = phase_ == Phase::open ? State::arming : State::actor_ended;
  return dependant.state == State::arming;
}

void Dependants::note_end(Dependant& dependant) noexcept {
  SpinGuard const guard(lock_);
  dependant.state = State::actor_ended;
}

void Dependants::finish(Dependant& dependant, State end) noexcept {
  SpinGuard const guard(lock_);
  dependant.sender = nullptr;
  if (is_in_ring(dependant)) ring_remove(dependant);
  switch (dependant.state) {
    case State::arming:
    case State::waiting:
    case State::sending:
      dependant.state = end;
      break;
    default:
      break;
  }
}

Dependant::State Dependants::state(Dependant const& dependant) noexcept {
  SpinGuard const guard(lock_);
  return dependant.state;
}

bool Dependants::pin_waiting(Dependant const& dependant, std::int64_t const& of_keeper,
                             std::int64_t& copy) noexcept {
  SpinGuard const guard(lock_);
  if (dependant.state != State::waiting) return false;
  copy = of_keeper;
  pins_.fetch_add(1, memory_order_relaxed);  // it is listed: the list is open
  return true;
}

Dependant* Dependants::take_any() noexcept {
  SpinGuard const guard(lock_);
  RingLinks& list = !is_ring_empty(waiting_) ? waiting_ : due_;
  if (is_ring_empty(list)) return nullptr;
  auto& dependant = static_cast<Dependant&>(*list.next);
  ring_remove(dependant);
  dependant.state = State::actor_ended;
  dependant.released = true;
  dependant.hold();  // its keeper lets go as soon as it is stopped
  return &dependant;
}

std::string Dependants::describe_timers(CellBase const& cell) {
  std::string text;
  for (RingLinks* each = waiting_.next; each != &waiting_; each = each->next) {
    auto& timer = static_cast<Dependant&>(*each);
    if (timer.operations->identify == nullptr) continue;
    MessageInfo const* const info = info_of(timer);
    text += timer.repeats ? "\n  send_interval of " : "\n  send_after of ";
    text += std::string(info == nullptr ? "?" : info->message) + " to " + cell.describe();
  }
  return text;
}

std::string describe_actor_timers(ExecutionContext const& context) {
  auto const& cell = static_cast<CellBase const&>(context);
  CellExtra* const extra = cell.extra_or_null();
  return extra == nullptr ? std::string() : extra->dependants.describe_timers(cell);
}

void Dependants::close() noexcept {
  {
    SpinGuard const guard(lock_);
    phase_ = Phase::closed;
  }
  while (pins_.load(memory_order_acquire) != 0) yield_thread();  // pin
  while (Dependant* const dependant = take_any()) {
    dependant->operations->disarm(*dependant);
    dependant->operations->let_go(*dependant);
    dependant->drop();
  }
}

void Dependants::reopen() noexcept {
  SpinGuard const guard(lock_);
  if (phase_ == Phase::closed) phase_ = cell_ != nullptr ? Phase::open : Phase::unused;
}

}  // namespace spawned::detail
