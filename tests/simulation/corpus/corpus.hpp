// The bug corpus: small programs of actors, each with one typical mistake of concurrent design, and
// the same program without it. A program reports that something went wrong by an exception, or it
// deadlocks. It is written as for a real runtime, where it runs unchanged.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <spawned/runtime/simulation.hpp>
#include <spawned/tasks.hpp>

namespace corpus {

namespace sim = spawned::simulation;

struct Entry {
  int number;
  char const* name;
  sim::Program broken;
  sim::Program fixed;
  /// The mistake shows only if computing may be slower than a time limit.
  bool needs_clock = false;
};

/// Of all programs that are linked in, by number.
[[nodiscard]] std::vector<Entry> const& table();

/// Each program's file defines one, and is found by being linked.
struct Registration {
  explicit Registration(Entry entry);
};

/// Which of the two variants a program's text is.
enum class Variant : bool { broken, fixed };

/// Registers `program<Variant>()`, a coroutine without parameters.
#define CORPUS_PROGRAM(number, name, program, needs_clock) \
  static ::corpus::Registration const registration(        \
      {number, name, &program<Variant::broken>, &program<Variant::fixed>, needs_clock})

/// What a program calls when it sees that something went wrong.
[[noreturn]] inline void fail(std::string const& what) { throw std::runtime_error(what); }
inline void check(bool right, char const* what) {
  if (!right) fail(what);
}

/// A request without a time limit: under an adversarial clock every limit may be over before the
/// answer, and most programs are not about that.
template <typename M, typename A, typename... Args>
[[nodiscard("co_await it")]] auto ask(spawned::ActorRef<A> const& ref, Args&&... args) {
  return ref.template request_with_timeout<M>(spawned::no_timeout, std::forward<Args>(args)...);
}

/// Stands for work of a task's own: others may run `steps` times meanwhile.
[[nodiscard]] inline spawned::Task<void> work(int steps) {
  for (int i = 0; i < steps; ++i) co_await spawned::yield_now();
}

/// Programs call it where a handler begins. On real threads it sleeps for up to a millisecond every
/// other time, if `sleeps_at_random` was set before the threads began; else it does nothing.
void maybe_sleep();
extern bool sleeps_at_random;

/// What explore() does by default, from `first_seed` on.
[[nodiscard]] sim::Findings explore(sim::Program const& program, std::uint64_t seeds,
                                    std::uint64_t first_seed = 1);

/// One run on two real threads. False: it failed, or had not ended after `limit`.
[[nodiscard]] bool passes_for_real(sim::Program const& program, std::chrono::milliseconds limit);

/// Nothing is logged while it lives: programs crash their actors thousands of times.
class Silence final : public spawned::log::Sink {
 public:
  Silence() : before_(spawned::log::set_sink(this)) {}
  ~Silence() override { spawned::log::set_sink(before_); }
  void write(spawned::log::Record const& /*record*/) noexcept override {}

 private:
  spawned::log::Sink* before_;
};

}  // namespace corpus
