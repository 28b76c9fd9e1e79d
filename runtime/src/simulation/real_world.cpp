#include "simulation/real_world.hpp"

#include <mutex>
#include <set>

#include <spawned/runtime/log.hpp>

namespace spawned::detail {

constinit thread_local RealWorldWatch* real_world_watch = nullptr;

}  // namespace spawned::detail

namespace spawned::simulation {

namespace {

// True the first time in the process.
bool is_new(std::uint64_t site) {
  static std::mutex mutex;
  static auto& seen = *new std::set<std::uint64_t>();  // threads may ask while the process ends
  std::scoped_lock const lock(mutex);
  return seen.insert(site).second;
}

std::string describe(detail::RealWorldCall const& call, detail::RealWorldSite& site) {
  return std::string(call.function) + "() " + call.what +
         ", which no seed decides. It is called by" + site.text() + "\nInstead: " + call.instead;
}

}  // namespace

RealWorldPolicy::Answer RealWorldPolicy::met(detail::RealWorldCall const& call,
                                             detail::RealWorldSite& site) noexcept {
  detail::Exempt const exempt;
  if (policy_ == RealWorld::virtualise && call.can_be_virtual) return Answer::from_simulation;
  try {
    if (policy_ == RealWorld::warn) {
      if (is_new(site.key())) log::warn("spawned", "simulation: " + describe(call, site));
      return Answer::real;
    }
    if (call.may_hang) log::error("spawned", "simulation: " + describe(call, site));
    if (!failed_) problem_ = describe(call, site);
  } catch (...) {  // no memory: the run fails without a text
  }
  failed_ = true;
  return Answer::refused;
}

std::uint32_t RealWorldPolicy::random() noexcept {
  constexpr std::uint32_t half = 1U << 16;
  detail::Exempt const exempt;
  std::uint32_t const high = choose_(half);
  return high << 16 | choose_(half);
}

}  // namespace spawned::simulation
