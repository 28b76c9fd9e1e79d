// Replaying a simulated run from its trace: the text that Report::trace() makes.
#pragma once

#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <spawned/runtime/simulation/options.hpp>
#include <spawned/runtime/simulation/report.hpp>
#include <spawned/runtime/simulation/scenario.hpp>

namespace spawned::simulation {

/// The text is no trace: it was cut off, or a character has changed.
class InvalidTrace : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// The trace was made by another build of the program, has another format, or does not lead where
/// it led when it was made. what() says what to do.
class TraceMismatch : public std::runtime_error {
 public:
  TraceMismatch(std::string const& what, std::string theirs, std::string ours)
      : std::runtime_error(what), theirs_(std::move(theirs)), ours_(std::move(ours)) {}

  /// The build, format or hash that the trace names, and the one that is here.
  [[nodiscard]] std::string const& theirs() const noexcept { return theirs_; }
  [[nodiscard]] std::string const& ours() const noexcept { return ours_; }

 private:
  std::string theirs_;
  std::string ours_;
};

/// Of the running program: its build id, or a hash of its code and constants if it has none. Two
/// programs that differ in anything that could decide have different ones.
[[nodiscard]] std::string const& build_identity();

/// Repeats the run that `trace` was made of, under the clock that it had.
///
/// Errors   InvalidTrace; TraceMismatch unless Options::any_build; what run() throws.
[[nodiscard]] Report replay_trace(std::string_view trace, Options const& options,
                                  Program const& program);
template <class Text>
  requires std::convertible_to<Text const&, std::string_view>
[[nodiscard]] Report replay(Text const& trace, Options const& options, Program const& program) {
  return replay_trace(std::string_view(trace), options, program);
}
template <class Text>
  requires std::convertible_to<Text const&, std::string_view>
[[nodiscard]] Report replay(Text const& trace, Program const& program) {
  return replay_trace(std::string_view(trace), Options(), program);
}

/// The same with a trace that was too long for a line. Errors: also std::system_error.
[[nodiscard]] Report replay_file(std::string const& path, Options const& options,
                                 Program const& program);

}  // namespace spawned::simulation
