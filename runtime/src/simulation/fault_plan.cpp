#include "simulation/fault_plan.hpp"

#include <algorithm>
#include <cmath>

namespace spawned::simulation {

bool FaultPlan::happens(double rate) { return rate > 0 && decisions_.chance(rate, Choice::fault); }

bool FaultPlan::is_used() noexcept {
  if (used_) return true;
  used_ = wall_jumps_ns_ != 0 || faults_.clock_skew != 0 || faults_.crash > 0 ||
          faults_.pause > 0 || faults_.starve > 0 || faults_.slow > 0 || faults_.clock_jump > 0;
  return used_;
}

// One to eight eighths.
std::int64_t FaultPlan::some_of(std::chrono::nanoseconds most) {
  return most.count() / 8 * (1 + std::int64_t{decisions_.choose(8, Choice::fault)});
}

bool FaultPlan::before_turn(Ready const& unit, bool actor, bool on_thread, std::int64_t now_ns,
                            std::string& said) {
  if (now_ns < faults_.from.count() || now_ns > faults_.until.count()) return true;
  if (happens(faults_.pause) || (on_thread && happens(faults_.starve))) {
    paused_.push_back({unit, now_ns + some_of(faults_.pause_max)});
    said = "is paused";
    return false;
  }
  if (happens(faults_.slow)) {
    delay_ns_ = some_of(faults_.slow_max);
    said = "is slow";
  }
  if (happens(faults_.clock_jump)) {
    std::int64_t const jump = some_of(faults_.clock_jump_max);
    wall_jumps_ns_ += decisions_.choose(2, Choice::fault) == 0 ? jump : -jump;
    said = "the wall clock jumps";
  }
  if (actor && crashes_ < faults_.crashes_max && happens(faults_.crash)) {
    ++crashes_;
    crash_ = true;
    said = "crashes";
  }
  return true;
}

void FaultPlan::wake(std::int64_t now_ns, ReadyList& ready) {
  if (paused_.empty()) return;
  for (Paused const& each : paused_) {
    if (each.until_ns <= now_ns) ready.add_as(*each.unit.work, each.unit.unit);
  }
  std::erase_if(paused_, [now_ns](Paused const& each) { return each.until_ns <= now_ns; });
}

std::int64_t FaultPlan::next_ns() const noexcept {
  std::int64_t next = INT64_MAX;
  for (Paused const& each : paused_) next = std::min(next, each.until_ns);
  return next;
}

std::int64_t FaultPlan::wall_clock_offset_ns(std::int64_t now_ns) const noexcept {
  return wall_jumps_ns_ + std::llround(static_cast<double>(now_ns) * faults_.clock_skew);
}

bool FaultPlan::is_active(std::uint64_t site) {
  auto const found = sites_.find(site);
  if (found != sites_.end()) return found->second;
  bool const active = decisions_.chance(0.25, Choice::fault);
  sites_.emplace(site, active);
  return active;
}

}  // namespace spawned::simulation
