#include <spawned/actors/detail/state_machine.hpp>

#include <algorithm>
#include <utility>

#include <spawned/actors/detail/deferral.hpp>

namespace spawned {

TransitionRefused::TransitionRefused(std::string const& actor, std::string const& what)
    : std::logic_error(actor + ": " + what) {}

namespace detail {

bool StateTimer::begin(CellBase& /*cell*/) noexcept {
  if (fired_) return true;  // it was postponed
  if (machine_ == nullptr) return false;
  fired_ = true;
  (void)machine_->remove(machine_->armed_, name_);
  drop();  // the mailbox holds the other reference
  return true;
}

// At the end of the actor what is postponed is unread mail; its timers end with the state, because
// that is what they are about.
MachineCore::~MachineCore() {
  drop_wishes();
  while (armed_ != nullptr) cancel_armed(armed_->name_);
  inserted_ = 0;
  if (oldest_postponed_ != nullptr) retry_postponed();
}

void MachineCore::begin(CellBase& cell, Phase phase) noexcept {
  cell_ = &cell;
  phase_ = phase;
  postpones_ = false;
  inserted_ = 0;
  drop_wishes();  // of a handler that was cancelled
  if (armed_ != nullptr) cancel_armed(event_timeout);
}

void MachineCore::enter(bool changed) noexcept {
  if (changed) cancel_armed(state_timeout);
  phase_ = in_enter;
}

void MachineCore::check_postponed(Envelope const& event) const {
  if (!postpones_ || !Deferral::is_deferred(event)) return;
  throw TransitionRefused(cell_->describe(), "postpone() of a request that was deferred, too");
}

bool MachineCore::settle(Envelope* event, bool changed, bool answer_stops) noexcept {
  bool const keeps = event != nullptr && postpones_ && !answer_stops;
  phase_ = outside;
  if (keeps) keep(*event);
  if (answer_stops || cell_->is_stopping()) {
    drop_wishes();
    return keeps;
  }
  if (changed && oldest_postponed_ != nullptr) retry_postponed();
  while (StateTimer* const timer = wishes_) {
    wishes_ = timer->next_in_list_;
    arm(*timer);
  }
  return keeps;
}

void MachineCore::keep(Envelope& event) noexcept {
  cell_->take_out(event);
  cell_->current = nullptr;
  event.next.set(nullptr);
  if (oldest_postponed_ == nullptr) {
    oldest_postponed_ = &event;
  } else {
    newest_postponed_->next.set(&event);
  }
  newest_postponed_ = &event;
  ++postponed_;
}

void MachineCore::retry_postponed() noexcept {
  cell_->insert_mail(*oldest_postponed_, *newest_postponed_, inserted_);
  cell_->extra_or_null()->continuations += postponed_;
  oldest_postponed_ = newest_postponed_ = nullptr;
  postponed_ = 0;
}

CellBase& MachineCore::require(std::uint8_t phases, char const* action) const {
  if ((phase_ & phases) != 0) return *cell_;
  std::string const what = std::string(action) + "()";
  if (phase_ == outside) {
    throw TransitionRefused(cell_ != nullptr ? cell_->describe() : "a state machine",
                            what + " outside of its callbacks");
  }
  throw TransitionRefused(cell_->describe(),
                          what + (phase_ == in_enter ? " in enter" : " in init"));
}

void MachineCore::postpone() {
  (void)require(in_event, "postpone").extra();
  postpones_ = true;
}

void MachineCore::insert(Envelope& event) noexcept {
  cell_->insert_mail(event, event, inserted_);
  ++inserted_;
  ++cell_->extra_or_null()->continuations;
}

void MachineCore::wish(StateTimer& timer, TimeoutName name, std::int64_t delay_ns,
                       bool updates) noexcept {
  timer.machine_ = this;
  timer.name_ = name;
  timer.delay_ns_ = delay_ns;
  timer.updates_ = updates;
  if (StateTimer* const old = remove(wishes_, name)) {
    if (updates) {  // of what was asked for a moment ago
      timer.delay_ns_ = old->delay_ns_;
      timer.updates_ = old->updates_;
    }
    old->drop();
    old->drop();
  }
  StateTimer** place = &wishes_;
  while (*place != nullptr) place = &(*place)->next_in_list_;
  *place = &timer;
}

void MachineCore::cancel(TimeoutName name) noexcept {
  if (StateTimer* const wished = remove(wishes_, name)) {
    wished->drop();
    wished->drop();
  }
  cancel_armed(name);
}

void MachineCore::cancel_armed(TimeoutName name) noexcept {
  StateTimer* const timer = remove(armed_, name);
  if (timer == nullptr) return;
  if (!timer->group().cancel(*timer)) timer->machine_ = nullptr;  // it is on its way
  timer->drop();
}

StateTimer* MachineCore::remove(StateTimer*& list, TimeoutName name) noexcept {
  for (StateTimer** place = &list; *place != nullptr; place = &(*place)->next_in_list_) {
    if ((*place)->name_ != name) continue;
    StateTimer* const found = *place;
    *place = std::exchange(found->next_in_list_, nullptr);
    return found;
  }
  return nullptr;
}

void MachineCore::drop_wishes() noexcept {
  while (StateTimer* const timer = wishes_) {
    wishes_ = timer->next_in_list_;
    timer->drop();
    timer->drop();
  }
}

void MachineCore::arm(StateTimer& timer) noexcept {
  std::int64_t delay_ns = timer.delay_ns_;
  if (timer.updates_) {
    delay_ns = 0;
    for (StateTimer* each = armed_; each != nullptr; each = each->next_in_list_) {
      if (each->name_ == timer.name_) delay_ns = std::max<std::int64_t>(time_left(*each), 0);
    }
  }
  cancel_armed(timer.name_);
  timer.next_in_list_ = std::exchange(armed_, &timer);
  if (delay_ns > 0) {
    timer.start(delay_ns);
  } else if (timer.group().begin_send(timer, true)) {
    std::uint32_t& front = cell_->extra_or_null()->continuations;
    cell_->insert_mail(timer, timer, front++);
  }
}

}  // namespace detail
}  // namespace spawned
