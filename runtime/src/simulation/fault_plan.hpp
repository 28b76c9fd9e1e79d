// FaultPlan: decides, turn by turn, what of Faults happens, and keeps the units that are paused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <spawned/runtime/simulation/faults.hpp>

#include "simulation/chooser.hpp"
#include "simulation/ready_list.hpp"

namespace spawned::simulation {

class FaultPlan {
 public:
  FaultPlan(Faults const& faults, detail::Simulated& decisions) noexcept
      : faults_(faults), decisions_(decisions) {}

  [[nodiscard]] Faults& faults() noexcept { return faults_; }

  /// Something is to go wrong, or was at some time. If not, no turn need be asked about.
  [[nodiscard]] bool is_used() noexcept;
  /// Before the turn of a unit, `actor` if it is one. False: it is paused, do not run it.
  /// `said`: what went wrong, for the story.
  [[nodiscard]] bool before_turn(Ready const& unit, bool actor, bool on_thread, std::int64_t now_ns,
                                 std::string& said);
  /// By how much the turn that begins is late.
  [[nodiscard]] std::int64_t take_delay_ns() noexcept { return std::exchange(delay_ns_, 0); }
  /// The turn that begins crashes.
  [[nodiscard]] bool take_crash() noexcept { return std::exchange(crash_, false); }

  /// Puts what has been paused long enough back into the list.
  void wake(std::int64_t now_ns, ReadyList& ready);
  /// When the next of them is due, or INT64_MAX.
  [[nodiscard]] std::int64_t next_ns() const noexcept;

  [[nodiscard]] std::int64_t wall_clock_offset_ns(std::int64_t now_ns) const noexcept;
  void jump_wall_clock(std::int64_t ns) noexcept { wall_jumps_ns_ += ns; }

  /// SPAWNED_BUGGIFY: one of four sites is active in a run.
  [[nodiscard]] bool is_active(std::uint64_t site);

 private:
  struct Paused {
    Ready unit;
    std::int64_t until_ns;
  };
  [[nodiscard]] bool happens(double rate);
  [[nodiscard]] std::int64_t some_of(std::chrono::nanoseconds most);

  Faults faults_;
  detail::Simulated& decisions_;
  std::vector<Paused> paused_;
  std::int64_t delay_ns_ = 0;
  std::int64_t wall_jumps_ns_ = 0;
  std::uint32_t crashes_ = 0;
  bool crash_ = false;
  bool used_ = false;
  std::unordered_map<std::uint64_t, bool> sites_;
};

}  // namespace spawned::simulation
