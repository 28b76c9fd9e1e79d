// Threads: the OS threads of a simulated runtime, and the executors that run on them: blocking
// jobs, actors on the blocking pool, and actors with a thread of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/scheduling.hpp>
#include <spawned/runtime/detail/simulated.hpp>

#include "simulation/baton.hpp"
#include "simulation/ready_list.hpp"

namespace spawned::simulation {

class Threads {
 public:
  Threads(detail::Scheduler& scheduler, detail::Simulated& simulated, ReadyList& ready) noexcept;
  ~Threads();
  Threads(Threads const&) = delete;
  Threads& operator=(Threads const&) = delete;

  /// Makes work ready that is to run on any thread: a blocking job (home null) or a turn of an
  /// actor.
  void submit(detail::Runnable& work);
  /// An executor with a thread for itself.
  [[nodiscard]] detail::Executor& dedicated();

  /// A thread other than the driver's waits for `word`, which is 0.
  void block(detail::atomic<std::uint32_t>& word);
  /// Makes the thread that waits for `word` ready, if one does.
  void wake(detail::atomic<std::uint32_t>& word);
  /// Some are in the middle of their work.
  [[nodiscard]] bool any_blocked() const;

 private:
  class Turn;
  class Dedicated;
  BatonThread& idle_thread();

  detail::Scheduler& scheduler_;
  detail::Simulated& simulated_;
  ReadyList& ready_;
  std::vector<std::unique_ptr<BatonThread>> pool_;
  std::vector<std::unique_ptr<Dedicated>> dedicated_;
  std::vector<std::unique_ptr<Turn>> turns_;  // unused ones
  std::unordered_map<void const*, BatonThread*> blocked_;
};

}  // namespace spawned::simulation
