#include <spawned/actors/detail/idle_timeout.hpp>

#include <utility>

#include <spawned/actors/detail/cell_extra.hpp>
#include <spawned/actors/detail/envelopes.hpp>
#include <spawned/actors/detail/timed.hpp>
#include <spawned/actors/timers.hpp>

namespace spawned::detail {

bool IdleTimer::begin(CellBase& cell) noexcept {
  return cell.extra_or_null()->idle.take(cell, *this);
}

void IdleTimeout::wish(CellBase& cell, IdleTimer& timer, std::int64_t delay_ns) noexcept {
  forget_wish();
  wished_ = &timer;
  delay_ns_ = delay_ns;
  cell.look_up(CellBase::Attention::idle_timeout);
}

void IdleTimeout::forget_wish() noexcept {
  if (IdleTimer* const timer = std::exchange(wished_, nullptr)) {
    timer->drop();
    timer->drop();
  }
}

void IdleTimeout::after_callback() noexcept {
  if (wished_ == nullptr) return;
  armed_ = std::exchange(wished_, nullptr);
  armed_->start(delay_ns_);
}

bool IdleTimeout::is_stale(Envelope const& envelope) const noexcept {
  for (IdleTimer const* timer = stale_; timer != nullptr; timer = timer->next_stale) {
    if (static_cast<Envelope const*>(timer) == &envelope) return true;
  }
  return false;
}

void IdleTimeout::before_callback(CellBase& cell, Envelope const& envelope) noexcept {
  if (armed_ == nullptr || static_cast<Envelope const*>(armed_) == &envelope ||
      is_stale(envelope) || PingEnvelope::is_ping(envelope) || CellBase::is_suspension(envelope)) {
    return;
  }
  disarm();
  look_no_more(cell);
}

// One that can not be cancelled has been sent.
void IdleTimeout::disarm() noexcept {
  IdleTimer& timer = *std::exchange(armed_, nullptr);
  if (timer.group().cancel(timer)) {
    timer.drop();
  } else {
    timer.next_stale = std::exchange(stale_, &timer);
  }
}

void IdleTimeout::end_incarnation() noexcept {
  forget_wish();
  if (armed_ != nullptr) disarm();
}

bool IdleTimeout::take(CellBase& cell, IdleTimer& timer) noexcept {
  bool const wanted = armed_ == &timer;
  if (wanted) {
    armed_ = nullptr;
  } else {
    IdleTimer** place = &stale_;
    while (*place != &timer) place = &(*place)->next_stale;
    *place = timer.next_stale;
  }
  timer.drop();  // the mailbox holds the other reference
  look_no_more(cell);
  return wanted;
}

void IdleTimeout::look_no_more(CellBase& cell) noexcept {
  if (wished_ == nullptr && armed_ == nullptr && stale_ == nullptr) {
    cell.look_no_more(CellBase::Attention::idle_timeout);
  }
}

void IdleTimeout::end() noexcept {
  forget_wish();
  if (IdleTimer* const timer = std::exchange(armed_, nullptr)) timer->drop();
  while (IdleTimer* const timer = stale_) {
    stale_ = timer->next_stale;
    timer->drop();
  }
}

void wish_idle_timeout(CellBase& cell, IdleTimer& timer, std::int64_t delay_ns) noexcept {
  cell.extra_or_null()->idle.wish(cell, timer, delay_ns);
}

void forget_idle_timeout(CellBase& cell) noexcept {
  if (CellExtra* const own = cell.extra_or_null()) own->idle.forget_wish();
}

}  // namespace spawned::detail
