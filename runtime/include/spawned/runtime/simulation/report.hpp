// What a simulated run was like: its outcome, what was chosen, and what happened.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <spawned/runtime/simulation/options.hpp>

namespace spawned::simulation {

enum class Outcome : std::uint8_t {
  passed,
  failed,      ///< an exception left the program, or a check failed
  violated,    ///< an always(), never(), eventually() or Monitor does not hold
  deadlock,    ///< nothing can run any more, and the program has not ended
  step_limit,  ///< Options::steps_max
  stuck_end,   ///< the program has ended, but something that it left behind does not end
  crashed,     ///< its process was killed or has exited; only of ExploreOptions::jobs > 1
  real_world,  ///< it has called the real world: see RealWorld
  leak,        ///< the program has ended, and left behind what an Options::..._is_failure forbids
};
[[nodiscard]] char const* to_string(Outcome outcome) noexcept;

/// Something that happened.
struct Event {
  enum class Kind : std::uint8_t {
    step,    ///< a unit ran: an actor handled `text`, a task went on
    time,    ///< time moved to `time`
    start,   ///< a unit came to life
    end,     ///< a unit ended
    send,    ///< `from` sent a message to `unit`
    fault,   ///< what was made to go wrong
    remark,  ///< a line of the program's, or a check
  };
  static constexpr std::uint32_t nobody = 0;
  static constexpr std::uint64_t no_cause = ~std::uint64_t{0};

  Kind kind = Kind::step;
  std::chrono::nanoseconds time{0};  ///< virtual
  std::uint64_t step = 0;            ///< the how-manieth step it happened in, from 1
  std::uint64_t choices = 0;         ///< that were made before: of Report::choices
  std::uint32_t unit = nobody;       ///< who: an index of Report::units
  std::uint32_t from = nobody;       ///< of a step or send: the sender, or who let it go on
  std::uint64_t cause = no_cause;    ///< of a step: the index of the event that sent its message,
                                     ///< or of the step or move of time that let it go on
  std::string text;                  ///< the message, the callback, the remark
};

/// A coverage mark, see sometimes().
struct Mark {
  std::string name;
  std::uint64_t reached = 0;  ///< how often the program came there
  std::uint64_t hits = 0;     ///< how often the condition held
};
/// Adds what another run has marked.
void add_marks(std::vector<Mark>& sum, std::vector<Mark> const& run);

/// What a run was like.
struct Report {
  Outcome outcome = Outcome::passed;
  std::string name;  ///< Options::name
  ClockMode clock = ClockMode::adversarial;
  std::string problem;  ///< what failed, for people; empty if it passed
  std::uint64_t seed = 0;
  std::string strategy;  ///< what chose, for people: "random", "pct 3, clock 0.2"
  std::uint64_t steps = 0;
  std::uint64_t hash = 0;            ///< of all that happened: equal runs have equal hashes
  std::chrono::nanoseconds time{0};  ///< virtual, from the start
  /// What was chosen where there was a choice; 0 is the boring one. replay() repeats it.
  std::vector<std::uint32_t> choices;
  std::vector<Mark> marks;
  std::vector<Event> events;       ///< see Options::trace
  std::vector<std::string> units;  ///< names, of those that `events` tells of; 0: nobody

  [[nodiscard]] bool passed() const noexcept { return outcome == Outcome::passed; }
  /// The run as one word, to be given to replay(): what was chosen, and by which build. At most 80
  /// characters for what shrinking usually leaves.
  [[nodiscard]] std::string trace() const;
  /// A command that replays the run: SPAWNED_SIM_REPLAY="name:trace" program.
  [[nodiscard]] std::string replay_command() const;

  // What follows tells `events`, in which there is something only with Options::trace.

  /// For people, a line for each step: when, who, what, and because of which step before. A star
  /// marks a step that was not the boring choice.
  [[nodiscard]] std::vector<std::string> story() const;
  /// A Mermaid sequence diagram: messages as arrows where they are taken.
  [[nodiscard]] std::string mermaid() const;
  /// JSON for Perfetto and chrome://tracing: units as threads, steps as slices, an arrow from each
  /// cause to its effect. A step is ten microseconds of it; virtual time is a counter.
  [[nodiscard]] std::string chrome_trace() const;
};

}  // namespace spawned::simulation
