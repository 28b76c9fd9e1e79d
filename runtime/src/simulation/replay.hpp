// What SPAWNED_SIM_REPLAY asks for, and the commands that say so.
#pragma once

#include <optional>
#include <string>

#include <spawned/runtime/simulation.hpp>

namespace spawned::simulation {

/// What one run did, if the environment asks for one run of the scenario `options.name`:
/// SPAWNED_SIM_REPLAY="name:trace" (or "name:@file"). Tells the story on stderr.
[[nodiscard]] std::optional<Findings> run_asked_for(Options const& options, Program const& program);

/// The trace as it goes behind the name in SPAWNED_SIM_REPLAY. One that is too long for a line is
/// written to a file if the options or the environment name a directory; the answer is then
/// "@file".
[[nodiscard]] std::string keep_trace(Report const& report, Options const& options);

[[nodiscard]] std::string replay_command(std::string const& name, std::string const& trace);
[[nodiscard]] std::string seed_command(std::uint64_t seed);

/// As a part of a file's name.
[[nodiscard]] std::string as_file_name(std::string const& name);
/// Errors: std::system_error.
void write_file(std::string const& path, std::string const& content);

}  // namespace spawned::simulation
