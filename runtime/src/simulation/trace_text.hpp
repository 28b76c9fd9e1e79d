// The text of a trace: "s1", then in base64url
//
//   6 bytes  the build identity, cut
//   1        bit 0: the clock is adversarial; bits 1 to 3: the outcome
//   3        the low bytes of the run's hash
//   ...      the choices, up to the last that is not 0: a byte for each that is not, its high
//            half the zeros before it, its low half itself less 1; a half of 15 is followed by the
//            rest as a varint (the zeros' first)
//   2        a check sum of all before
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <spawned/runtime/simulation/report.hpp>

namespace spawned::simulation {

inline constexpr std::size_t trace_build_bytes = 6;

struct Trace {
  std::string build;  ///< 12 hexadecimal digits
  ClockMode clock = ClockMode::adversarial;
  Outcome outcome = Outcome::passed;
  std::uint32_t hash = 0;  ///< 24 bits
  std::vector<std::uint32_t> choices;
};

[[nodiscard]] std::string encode(Trace const& trace);
/// Errors: InvalidTrace; TraceMismatch for another format.
[[nodiscard]] Trace decode(std::string_view text);
/// Of the running program, as long as a trace holds it.
[[nodiscard]] std::string short_build_identity();
/// How many choices are left without the boring ones at the end.
[[nodiscard]] std::size_t length_that_counts(std::vector<std::uint32_t> const& choices) noexcept;

}  // namespace spawned::simulation
