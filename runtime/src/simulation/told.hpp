// The events of a run, step by step: what the story, the diagram and the timeline are made of.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <spawned/runtime/simulation/report.hpp>

namespace spawned::simulation {

/// A step, or what happened outside of all.
struct Told {
  enum class What : std::uint8_t {
    begins,   ///< the unit runs for the first time, without a message
    takes,    ///< a message
    goes_on,  ///< after it has waited for something
    idles,    ///< there was nothing to do
    time,     ///< time moves
    outside,  ///< nobody runs
  };
  static constexpr std::uint64_t none = 0;

  What what = What::outside;
  std::uint64_t step = none;
  std::chrono::nanoseconds time{0};
  bool chosen = false;  ///< not the boring choice
  std::uint32_t unit = Event::nobody;
  std::string message;  ///< that it handles
  std::uint32_t from = Event::nobody;
  std::uint64_t cause = none;  ///< a step
  // What the unit did.
  std::vector<std::uint32_t> started;
  std::vector<Event const*> lost;     ///< sends that nobody took
  std::vector<Event const*> remarks;  ///< and faults
  bool ended = false;
};

[[nodiscard]] std::vector<Told> tell(Report const& report);
/// "Vault#1", for people.
[[nodiscard]] std::string name_of(Report const& report, std::uint32_t unit);
/// Without "{anonymous}::".
[[nodiscard]] std::string plain(std::string text);
/// "1.5 ms".
[[nodiscard]] std::string as_text(std::chrono::nanoseconds time);
/// The index of the one whose step this is, or told.size().
[[nodiscard]] std::size_t find_step(std::vector<Told> const& told, std::uint64_t step) noexcept;
/// What happened, without when, who and why.
[[nodiscard]] std::string deed(Report const& report, Told const& told);
/// "from Teller#2 (4)", or empty.
[[nodiscard]] std::string reason(Report const& report, Told const& told);
/// One line: "(5) Vault#1 takes Vault::Balance, from Teller#2 (4)".
[[nodiscard]] std::string sentence(Report const& report, Told const& told);

}  // namespace spawned::simulation
