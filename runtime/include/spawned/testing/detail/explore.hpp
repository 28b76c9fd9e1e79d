// The loop around executions: search, replay string.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <spawned/testing/detail/execution.hpp>
#include <spawned/testing/detail/shrink.hpp>

namespace spawned::testing::model {

/// Options out of range, or a replay string that is none.
class BadOptions : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

enum class Strategy : unsigned char {
  random,      // a random walk; each execution draws its own bias
  pct,         // random priorities with `depth - 1` changes
  exhaustive,  // depth first: everything within `preemption_bound`
};

inline constexpr int unbounded = -1;

struct Options {
  Strategy strategy = Strategy::random;
  std::uint64_t seed = 1;
  std::uint64_t executions = 10'000;  // at most
  unsigned depth = 3;                 // pct: 1 to 16
  int preemption_bound = 2;           // exhaustive: switches away from a thread that could go on
  std::uint64_t max_steps = 10'000;   // of one execution: 1 to 60'000
  unsigned rereads = 3;               // how often in a row a thread reads the same old store
  unsigned spurious = 1;              // spurious failures and wake-ups of one execution
  bool shrink = true;
};

struct Failure {
  FailureKind kind = FailureKind::check;
  std::string text;
  std::vector<std::string> trace;  // one line for each operation, in the order of execution
  std::string replay;              // for model::replay()
  std::size_t choices = 0;         // that are not 0, after shrinking
  std::size_t found_with = 0;      // the same before
};

struct Result {
  std::uint64_t executions = 0;
  std::uint64_t steps = 0;
  bool complete = false;  // exhaustive: there is nothing left within the bound
  std::optional<Failure> failure;

  [[nodiscard]] bool ok() const noexcept { return !failure; }
  /// For people: what was found, how it comes about, and how to see it again.
  [[nodiscard]] std::string report() const {
    std::string text = std::to_string(executions) + " executions, ";
    text += complete ? "complete\n" : "not complete\n";
    if (!failure) return text;
    text += failure->text + "\n";
    for (auto const& line : failure->trace) text += "  " + line + "\n";
    return text + "replay: " + failure->replay + "\n";
  }
};

namespace detail {

inline void validate(Options const& options) {
  if (options.max_steps < 1 || options.max_steps > 60'000) {
    throw BadOptions("max_steps is not within 1 to 60000");
  }
  if (options.executions == 0) throw BadOptions("executions is 0");
  if (options.depth < 1 || options.depth > 16) throw BadOptions("depth is not within 1 to 16");
  if (options.preemption_bound < unbounded) throw BadOptions("preemption_bound is below -1");
  if (options.rereads < 1 || options.rereads > 200) {
    throw BadOptions("rereads is not within 1 to 200");
  }
}

inline Limits limits_of(Options const& options) {
  bool const bounded = options.strategy == Strategy::exhaustive;
  return {bounded ? options.preemption_bound : unbounded, options.max_steps, options.rereads,
          options.spurious};
}

// "model1/bound/steps/rereads/spurious/picks": what decides which number means what goes along.
inline std::string encode(Limits const& limits, Picks const& picks) {
  std::string text = "model1/" + std::to_string(limits.preemptions) + "/" +
                     std::to_string(limits.steps) + "/" + std::to_string(limits.rereads) + "/" +
                     std::to_string(limits.spurious) + "/";
  for (std::size_t i = 0; i < picks.size(); ++i) {
    text += (i == 0 ? "" : ".") + std::to_string(picks[i]);
  }
  return text;
}

/// The number at the front of `text`, up to `end` or the end of it.
inline std::int64_t take_number(std::string_view& text, char end) {
  std::string_view const part = text.substr(0, text.find(end));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  bool const negative = part.starts_with('-');
  std::string_view const digits = part.substr(negative ? 1 : 0);
  std::int64_t value = 0;
  for (char const digit : digits) {
    if (digit < '0' || digit > '9') throw BadOptions("not a replay string: a bad number");
    value = value * 10 + (digit - '0');
  }
  if (digits.empty() || digits.size() > 9) throw BadOptions("not a replay string: a bad number");
  return negative ? -value : value;
}

inline Picks decode(std::string_view text, Options& options) {
  constexpr std::string_view head = "model1/";
  if (!text.starts_with(head)) throw BadOptions("not a replay string: it begins with model1/");
  text.remove_prefix(head.size());
  options.strategy = Strategy::exhaustive;  // so that the bound counts
  options.preemption_bound = static_cast<int>(take_number(text, '/'));
  options.max_steps = static_cast<std::uint64_t>(take_number(text, '/'));
  options.rereads = static_cast<unsigned>(take_number(text, '/'));
  options.spurious = static_cast<unsigned>(take_number(text, '/'));
  Picks picks;
  while (!text.empty()) picks.push_back(static_cast<std::uint32_t>(take_number(text, '.')));
  validate(options);
  return picks;
}

inline Failure describe(Execution& execution, Program program, Limits const& limits, bool shrink) {
  Failure failure;
  failure.kind = execution.kind();
  std::string const text = execution.text();
  Picks picks = trimmed(execution.choices());
  failure.found_with = weight(picks);
  if (shrink) picks = Shrinker(execution, program).shrink();
  Replay replay(picks);
  bool const passed = execution.run(replay, program.job, program.argument, true);
  bool const same = !passed && execution.kind() == failure.kind;
  failure.text = same ? execution.text()
                      : text +
                            " (not seen again: the program has choices that "
                            "are not the model's)";
  failure.trace = execution.trace();
  failure.replay = encode(limits, picks);
  failure.choices = weight(picks);
  return failure;
}

inline std::unique_ptr<Chooser> make_chooser(Options const& options) {
  if (options.strategy == Strategy::exhaustive) return std::make_unique<DepthFirst>();
  if (options.strategy == Strategy::random) return std::make_unique<RandomWalk>(options.seed);
  return std::make_unique<Priorities>(options.seed, options.depth);
}

inline void refuse_nesting() {
  if (Execution::is_active()) throw BadOptions("explore() or replay() within a program of theirs");
}

inline Result explore(Options const& options, Program program) {
  refuse_nesting();
  validate(options);
  Limits const limits = limits_of(options);
  auto const execution = std::make_unique<Execution>(limits);
  auto const chooser = make_chooser(options);
  Result result;
  while (result.executions < options.executions) {
    chooser->begin(result.executions++);
    bool const passed = execution->run(*chooser, program.job, program.argument, false);
    result.steps = execution->steps();
    if (!passed) {
      result.failure = describe(*execution, program, limits, options.shrink);
      return result;
    }
    if (!chooser->next()) {
      result.complete = true;
      return result;
    }
  }
  return result;
}

inline Result replay(Program program, std::string_view text) {
  refuse_nesting();
  Options options;
  Picks const picks = decode(text, options);
  auto const execution = std::make_unique<Execution>(limits_of(options));
  Replay replay(picks);
  Result result;
  result.executions = 1;
  bool const passed = execution->run(replay, program.job, program.argument, true);
  result.steps = execution->steps();
  if (passed && replay.fits()) return result;
  Failure& failure = result.failure.emplace();
  failure.kind = replay.fits() ? execution->kind() : FailureKind::replay_mismatch;
  failure.text = replay.fits() ? execution->text()
                               : "the replay string is not of this program, or it has changed";
  failure.trace = execution->trace();
  failure.replay = std::string(text);
  failure.choices = failure.found_with = weight(picks);
  return result;
}

}  // namespace detail
}  // namespace spawned::testing::model
