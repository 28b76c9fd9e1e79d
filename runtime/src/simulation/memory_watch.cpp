#include "simulation/memory_watch.hpp"

#include <algorithm>
#include <vector>

#include "simulation/told.hpp"

namespace spawned::simulation {

MemoryWatch::MemoryWatch()
    : PoolTally{&on_taken, &on_given_back}, before_(detail::pool_count(this)) {}

MemoryWatch::~MemoryWatch() { detail::pool_count(before_); }

void MemoryWatch::on_taken(PoolTally& tally, void* block, std::size_t bytes) noexcept {
  auto& self = static_cast<MemoryWatch&>(tally);
  self.blocks_.insert_or_assign(block, Block{bytes, ++self.taken_, self.step_, self.unit_});
}

void MemoryWatch::on_given_back(PoolTally& tally, void* block) noexcept {
  static_cast<MemoryWatch&>(tally).blocks_.erase(block);
}

std::string MemoryWatch::problem(Report const& report) const {
  if (blocks_.empty()) return {};
  std::vector<Block> left;
  std::size_t bytes = 0;
  for (auto const& entry : blocks_) {
    left.push_back(entry.second);
    bytes += entry.second.bytes;
  }
  std::string text = "the runtime is gone, and memory of it is not: blocks " +
                     std::to_string(left.size()) + ", bytes " + std::to_string(bytes) +
                     "; something keeps a ref, a reply, a task or another handle";
  if (report.units.size() < 2) return text;  // not traced: nobody has a name
  std::sort(left.begin(), left.end(),
            [](Block const& one, Block const& other) { return one.order < other.order; });
  constexpr std::size_t shown = 10;
  for (std::size_t i = 0; i < std::min(shown, left.size()); ++i) {
    text += "\n  " + std::to_string(left[i].bytes) + " bytes, taken ";
    text += left[i].step == 0 ? "before the first step"
                              : "in step " + std::to_string(left[i].step) + " by " +
                                    name_of(report, left[i].unit);
  }
  return text;
}

}  // namespace spawned::simulation
