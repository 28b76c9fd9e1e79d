// MemoryWatch: what a run takes from the library's pools and does not give back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/simulation/report.hpp>

namespace spawned::simulation {

/// Remembers each block, so that what an earlier run has left and this one gives back hides
/// nothing. For the thread that makes it and destroys it, and for those that the run starts. Begins
/// before the runtime is made and is asked when that is gone.
class MemoryWatch final : private detail::PoolTally {
 public:
  MemoryWatch();
  ~MemoryWatch();
  MemoryWatch(MemoryWatch const&) = delete;
  MemoryWatch& operator=(MemoryWatch const&) = delete;

  void runs(std::uint64_t step, std::uint32_t unit) noexcept {
    step_ = step;
    unit_ = unit;
  }
  /// What is left, for people, or empty.
  [[nodiscard]] std::string problem(Report const& report) const;

 private:
  static void on_taken(PoolTally& self, void* block, std::size_t bytes) noexcept;
  static void on_given_back(PoolTally& self, void* block) noexcept;

  struct Block {
    std::size_t bytes;
    std::uint64_t order;
    std::uint64_t step;
    std::uint32_t unit;
  };
  detail::PoolTally* before_;
  std::uint64_t step_ = 0;
  std::uint32_t unit_ = Event::nobody;
  std::uint64_t taken_ = 0;
  std::unordered_map<void*, Block> blocks_;
};

}  // namespace spawned::simulation
