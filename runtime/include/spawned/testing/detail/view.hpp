// What a model thread knows: how far it has seen each atomic, and what happened before.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace spawned::testing::model {

/// Limits of one execution. Beyond them it fails with a kind that names the limit.
inline constexpr unsigned max_threads = 8;     // the one that runs the program included
inline constexpr unsigned max_locations = 64;  // atomics constructed, dead ones included

namespace detail {

using Epoch = std::uint32_t;
using StoreIndex = std::uint16_t;

struct View {
  std::array<Epoch, max_threads> clock{};        // happens-before: events of each thread
  std::array<StoreIndex, max_locations> seen{};  // coherence: no older store may be read

  /// `locations`: how many of `seen` are in use.
  void join(View const& other, unsigned locations) noexcept {
    for (unsigned i = 0; i < max_threads; ++i) clock[i] = std::max(clock[i], other.clock[i]);
    join_seen(other, locations);
  }
  void join_seen(View const& other, unsigned locations) noexcept {
    for (unsigned i = 0; i < locations; ++i) seen[i] = std::max(seen[i], other.seen[i]);
  }
};

}  // namespace detail
}  // namespace spawned::testing::model
