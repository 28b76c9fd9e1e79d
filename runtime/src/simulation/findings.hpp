// What becomes of a run that has failed.
#pragma once

#include <spawned/runtime/simulation.hpp>

namespace spawned::simulation {

/// `findings.report` has failed: shrinks it, makes sure that the simplest run does what it did, and
/// tells it.
void investigate(Findings& findings, Options const& options, Program const& program);

}  // namespace spawned::simulation
