// Linked into a program, simulates the runtimes of its main thread if SPAWNED_SIMULATE=<seed> is in
// the environment, and says at the end, on stderr, what they did: equal seeds give equal lines.
#include <cstdio>
#include <cstdlib>
#include <optional>

#include <spawned/runtime/simulation/simulated_runtimes.hpp>

namespace {

class WholeProgram {
 public:
  WholeProgram() {
    if (char const* const seed = std::getenv("SPAWNED_SIMULATE")) {
      runtimes_.emplace(std::strtoull(seed, nullptr, 10));
    }
  }
  ~WholeProgram() {
    if (!runtimes_) return;
    std::fprintf(stderr, "simulated: %llu steps, hash %016llx\n",
                 static_cast<unsigned long long>(runtimes_->steps()),
                 static_cast<unsigned long long>(runtimes_->hash()));
  }
  WholeProgram(WholeProgram const&) = delete;
  WholeProgram& operator=(WholeProgram const&) = delete;

 private:
  std::optional<spawned::simulation::SimulatedRuntimes> runtimes_;
};

WholeProgram whole_program;

}  // namespace
