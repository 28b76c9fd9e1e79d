#include <string>
#include <utility>

#include <spawned/runtime/runtime.hpp>
#include <spawned/supervision/detail/pool_table.hpp>
#include <spawned/supervision/pool_router.hpp>

namespace spawned::detail {

// A run through the sizes at which the key would move, each found from the one before by a number
// that depends on the key alone; the last one below `size` is where it is.
std::size_t consistent_index(std::uint64_t hash, std::size_t size) noexcept {
  double const limit = static_cast<double>(size);
  double at = 0;
  double next = 0;
  while (next < limit) {
    at = next;
    hash = hash * 2862933555777941757U + 1;
    double const draw = static_cast<double>((hash >> 33U) + 1) / static_cast<double>(1U << 31U);
    next = static_cast<double>(static_cast<std::uint64_t>((at + 1) / draw));
  }
  return static_cast<std::size_t>(at);
}

// The finalizer of splitmix64.
std::uint64_t mixed_hash(std::uint64_t hash) noexcept {
  hash = (hash ^ (hash >> 30U)) * 0xbf58476d1ce4e5b9U;
  hash = (hash ^ (hash >> 27U)) * 0x94d049bb133111ebU;
  return hash ^ (hash >> 31U);
}

SupervisorOptions supervisor_of(PoolOptions const& options) {
  SupervisorOptions supervisor;
  supervisor.intensity = options.intensity;
  supervisor.period = options.period;
  return supervisor;
}

void check(PoolOptions const& options) {
  auto const require = [](bool holds, char const* field, char const* allowed,
                          std::string const& given) {
    if (!holds) throw InvalidOptions("PoolOptions", field, allowed, given);
  };
  require(options.size <= pool_size_max, "size", "0 to 65,536", std::to_string(options.size));
  require(options.intensity >= 0, "intensity", "0 and more", std::to_string(options.intensity));
  require(options.period.count() > 0, "period", "more than 0",
          std::to_string(options.period.count()) + " ns");
  require(options.drain.count() >= 0, "drain", "0 and more",
          std::to_string(options.drain.count()) + " ns");
  require(options.shutdown.is_valid(), "shutdown", "brutal_kill, infinity or 0 and more",
          "a negative time");
}

SupervisorError worker_error(std::string id, ActorError const& error) {
  return {SupervisorError::Kind::start_failed, std::move(id), ExitReason::error(error.what())};
}

}  // namespace spawned::detail
