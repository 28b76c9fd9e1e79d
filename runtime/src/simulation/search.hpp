// The loops behind explore(): over seeds, in this process or in several, and over what a tree
// enumerates. Finds the first failure; making it simple is explore()'s.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <spawned/runtime/simulation.hpp>

#include "simulation/chooser.hpp"

namespace spawned::simulation {

/// One run, made by `chooser`. `hashes`: gets one for each step.
[[nodiscard]] Report run_with(std::unique_ptr<Chooser> chooser, Program const& program,
                              Options const& options, std::vector<std::uint64_t>* hashes = nullptr);

/// Errors: as explore().
[[nodiscard]] Findings search(ExploreOptions options, Program const& program);

}  // namespace spawned::simulation
