// One run with a given chooser.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <spawned/runtime/simulation.hpp>

#include "simulation/chooser.hpp"

namespace spawned::simulation {

/// `hashes`: gets one for each step.
[[nodiscard]] Report run_with(std::unique_ptr<Chooser> chooser, Program const& program,
                              Options const& options, std::vector<std::uint64_t>* hashes = nullptr);

}  // namespace spawned::simulation
