// Driver: runs a runtime whose only worker has no thread, one unit of work after the other, on the
// calling thread.
//
// The worker's queues fill as they do on a real runtime; the driver empties them into one list
// after each step and chooses from it. So everything above the queues is the code that runs for
// real.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/simulation.hpp>

#include "scheduler/scheduler.hpp"
#include "simulation/choices.hpp"
#include "simulation/real_world.hpp"

namespace spawned::simulation {

/// Time that only the driver moves.
class SimulatedClock final : public Clock {
 public:
  [[nodiscard]] Duration now() const noexcept override { return Duration(now_ns_); }
  /// From 2000-01-01 on.
  [[nodiscard]] Duration utc_now() const noexcept override {
    return now() + std::chrono::seconds(946'684'800);
  }
  [[nodiscard]] bool is_virtual() const noexcept override { return true; }
  void set(std::int64_t now_ns) noexcept { now_ns_ = now_ns; }

 private:
  std::int64_t now_ns_ = 0;
};

class Driver {
 public:
  Driver(Options const& options, Choices choices);
  ~Driver();
  Driver(Driver const&) = delete;
  Driver& operator=(Driver const&) = delete;

  [[nodiscard]] Report run(Program const& program);
  /// A hash for each step so far, if asked for.
  std::vector<std::uint64_t>* hashes = nullptr;

 private:
  enum class Step : std::uint8_t { done, quiet, limit };

  Step step();
  void collect();
  void run_unit(detail::Runnable& unit, std::size_t choice, std::size_t of);
  void move_time(std::int64_t to_ns);
  void note(std::string text);
  void mix(std::uint64_t value) noexcept;
  void end(Report& report);
  [[nodiscard]] std::string who_lives() const;
  [[nodiscard]] std::uint64_t ordinal(std::uint64_t id);

  Options options_;
  Choices choices_;
  std::shared_ptr<SimulatedClock> clock_;
  RealWorldPolicy real_world_;
  std::unique_ptr<Runtime> runtime_;
  detail::Scheduler& scheduler_;
  detail::Worker& worker_;
  std::vector<detail::Runnable*> ready_;
  std::size_t ready_begin_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t hash_ = 0xcbf29ce484222325U;
  std::unordered_map<std::uint64_t, std::uint64_t> ordinals_;
  std::vector<std::string> story_;
};

}  // namespace spawned::simulation
