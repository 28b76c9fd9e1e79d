#include "simulation/heap_layout.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <functional>

#include <spawned/runtime/detail/pool.hpp>

namespace spawned::simulation {

namespace {

constexpr std::size_t blocks = 64;  // of each size

// Free lists are stacks: what is freed last is handed out first.
void sort_to_free(std::vector<void*>& addresses, AddressOrder order) {
  if (order == AddressOrder::ascending) {
    std::sort(addresses.begin(), addresses.end(), std::greater<>());
  } else {
    std::sort(addresses.begin(), addresses.end(), std::less<>());
  }
}

}  // namespace

HeapLayout::HeapLayout(AddressOrder order) {
  std::vector<void*> batch;
  batch.reserve(blocks);
  for (std::size_t bytes = detail::pool_granule; bytes <= detail::pool_largest;
       bytes += detail::pool_granule) {
    for (std::size_t i = 0; i < blocks; ++i) batch.push_back(detail::pool_allocate(bytes));
    sort_to_free(batch, order);
    for (void* const each : batch) detail::pool_free(each, bytes);
    batch.clear();
  }
  constexpr std::size_t step = 16;  // that of malloc's own classes, which end 8 above
  constexpr std::size_t largest = 1024;
  kept_.reserve(largest / step * blocks);
  for (std::size_t bytes = step + 8; bytes <= largest + 8; bytes += step) {
    for (std::size_t i = 0; i < blocks; ++i) {
      batch.push_back(std::malloc(bytes));
      kept_.push_back(std::malloc(bytes));
    }
    sort_to_free(batch, order);
    for (void* const each : batch) std::free(each);
    batch.clear();
  }
}

HeapLayout::~HeapLayout() {
  for (void* const each : kept_) std::free(each);
}

}  // namespace spawned::simulation
