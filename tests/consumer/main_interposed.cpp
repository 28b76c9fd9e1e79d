// A test program that links spawned::simulation_interpose, and does nothing else for it.
#include <chrono>
#include <cstdio>
#include <string>

#include <spawned/runtime/simulation.hpp>

namespace {

spawned::Task<void> look_at_the_clock() {
  (void)std::chrono::steady_clock::now();
  co_return;
}

}  // namespace

int main() {
  namespace sim = spawned::simulation;
  sim::Report const report = sim::run(1, [] { return look_at_the_clock(); });
  std::puts(report.problem.c_str());
  bool const named = report.problem.find("look_at_the_clock") != std::string::npos;
  return report.outcome == sim::Outcome::real_world && named ? 0 : 1;
}
