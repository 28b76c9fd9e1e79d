// Tracker: whom each step has to do with, for a chooser that asks.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "simulation/chooser.hpp"

namespace spawned::simulation {

/// Only what nobody else can notice is left out: that an actor runs, and what it sends and wakes. A
/// task may share memory with anybody, so its steps have to do with all; so have births and deaths,
/// time, decisions, and what says so by Simulated::touches_all().
class Tracker {
 public:
  void begin(std::uint32_t unit) {
    footprint_.unit = unit;
    under_way_ = true;
    footprint_.all = all_from_now_on_ || !is_actor(unit);
    if (unit < serves_.size() && serves_[unit] != 0) footprint_.units.push_back(serves_[unit]);
  }
  void born(std::uint32_t unit, bool is_actor) {
    touches_all();
    if (!is_actor) return;
    if (is_actor_.size() <= unit) is_actor_.resize(unit + 1);
    is_actor_[unit] = true;
  }
  void touches_all() noexcept { footprint_.all = true; }
  /// Something is shared by more than messages.
  void touches_all_from_now_on() noexcept { all_from_now_on_ = footprint_.all = true; }
  void touches(std::uint32_t unit) { footprint_.units.push_back(unit); }
  void sent(std::uint32_t sender, std::uint32_t receiver, void const* message) {
    touches(receiver);
    senders_[message] = sender;
  }
  /// An answer goes to the sender, who may not be waiting for it and so is not woken. A task's
  /// steps have to do with all anyway.
  void taken(std::uint32_t receiver, void const* message) {
    auto const found = senders_.find(message);
    std::uint32_t sender = 0;
    if (found != senders_.end()) {
      if (is_actor(found->second)) sender = found->second;
      senders_.erase(found);
    }
    if (sender != 0) touches(sender);
    if (serves_.size() <= receiver) serves_.resize(receiver + 1);
    serves_[receiver] = sender;
  }
  /// The step that has begun, if one has, is over.
  void end(Chooser& chooser) {
    if (under_way_) chooser.stepped(footprint_);
    under_way_ = false;
    footprint_ = {};
  }

 private:
  [[nodiscard]] bool is_actor(std::uint32_t unit) const {
    return unit < is_actor_.size() && is_actor_[unit];
  }

  Footprint footprint_;
  bool under_way_ = false;
  bool all_from_now_on_ = false;
  std::vector<bool> is_actor_;
  std::vector<std::uint32_t> serves_;  // by unit: whose message it handles, or has handled last
  std::unordered_map<void const*, std::uint32_t> senders_;  // of messages under way
};

}  // namespace spawned::simulation
