// Simulated: what a driven runtime asks and tells whoever drives it. Null on a real runtime.
//
// Everything that is decided or noticed only in a simulation goes through here. On a real runtime
// the hot paths do not look at it: they get here by Executor::stepwise(), which is in a branch that
// they have anyway.
#pragma once

#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>

#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/scheduling.hpp>

namespace spawned::simulation {

class Checks;
struct Faults;

/// What a decision is about.
enum class Choice : std::uint8_t {
  schedule,  ///< which unit runs next, or that time moves
  random,    ///< a number the program asked for
  fault,     ///< whether and where something goes wrong
  network,   ///< what the simulated network does
  disk,      ///< what the simulated disk does
  program,   ///< simulation::choose()
};

}  // namespace spawned::simulation

namespace spawned::detail {

class Simulated {
 public:
  using Choice = simulation::Choice;

  // --- decisions ---

  /// 0 to n - 1; 0 is the boring one. n > 0.
  virtual std::uint32_t choose(std::uint32_t n, Choice kind) noexcept = 0;
  /// True with the given probability; false is the boring one.
  virtual bool chance(double probability, Choice kind) noexcept = 0;
  /// Ids of a run begin at 1, whatever ran before it in the process.
  virtual std::uint64_t next_actor_id() noexcept = 0;

  // --- what happens ---

  virtual void lives(ExecutionContext& context) noexcept = 0;
  virtual void ended(ExecutionContext& context) noexcept = 0;
  /// A message is on its way to an actor. `message` is its address, which identifies it until
  /// taken().
  virtual void sent(ExecutionContext& receiver, void const* message) noexcept = 0;
  virtual void taken(ExecutionContext& receiver, void const* message) noexcept = 0;
  /// Who sent it: a number of the run, 0 for nobody.
  [[nodiscard]] virtual std::uint32_t sender(void const* message) noexcept = 0;
  /// A context is about to wait, until it runs again: for the answer of the one whose address
  /// `target` is to a message of this type, or for its end, if that is empty. `where` it does so is
  /// empty for a blocking call, whose arguments are the message's.
  virtual void waits(ExecutionContext& waiter, void const* target, std::string_view message,
                     std::source_location where) noexcept = 0;
  /// It does not, after all.
  virtual void waits_not(ExecutionContext& waiter) noexcept = 0;
  /// An actor has crashed. `unheard`: nobody is told.
  virtual void crashed(std::string_view who, bool unheard) noexcept = 0;
  /// An actor that nobody asked to end has left this message unread.
  virtual void unread(std::string_view who, std::string_view message) noexcept = 0;
  [[nodiscard]] virtual simulation::Faults& faults() noexcept = 0;
  /// SPAWNED_BUGGIFY: the site is active in this run.
  [[nodiscard]] virtual bool is_active(std::uint64_t site) noexcept = 0;
  virtual void pass_time(std::int64_t ns) noexcept = 0;
  virtual void jump_wall_clock(std::int64_t ns) noexcept = 0;
  /// A line for the story.
  virtual void remark(std::string_view text) noexcept = 0;
  /// The checks and marks that the program has set up.
  [[nodiscard]] virtual simulation::Checks& checks() noexcept = 0;
  [[nodiscard]] virtual std::int64_t now_ns() noexcept = 0;
  /// Something is wrong: the run ends after the present step.
  virtual void fail(std::string problem) noexcept = 0;
  /// The running step does what others can notice though it neither sends to them nor wakes them;
  /// `from_now_on`: every step may, for something shared has come to life.
  virtual void touches_all(bool from_now_on) noexcept = 0;

  // --- the runtime that is driven ---

  [[nodiscard]] virtual Scheduler& scheduler() noexcept = 0;
  [[nodiscard]] virtual std::shared_ptr<Clock> clock() noexcept = 0;
  virtual void attach(Scheduler& scheduler) = 0;
  /// It is gone.
  virtual void runtime_ended() noexcept = 0;

  // --- threads ---

  /// Queues what has no worker queue: work posted from a thread that is no worker.
  virtual void post(Runnable& work) noexcept = 0;
  /// The calling thread waits until `word` is not 0: others run meanwhile. wake() is called by
  /// whoever has set it.
  virtual void block(atomic<std::uint32_t>& word) noexcept = 0;
  virtual void wake(atomic<std::uint32_t>& word) noexcept = 0;
  /// Queues work that may block: a blocking job, or the turn of an actor on the blocking pool. It
  /// runs on a thread of its own, one thread at a time.
  virtual void run_blocking(Runnable& work) noexcept = 0;
  /// A thread for one context, kept to the end.
  [[nodiscard]] virtual Executor& dedicated() = 0;
  /// Runs on until nothing lives (`roots_only`: no root). False: `timeout_ns` of virtual time have
  /// gone by, or nothing can run any more. Negative: no limit.
  [[nodiscard]] virtual bool run_until_ended(bool roots_only, std::int64_t timeout_ns) noexcept = 0;

  /// The simulated network and disks, once somebody has asked for them.
  std::shared_ptr<void> world;

 protected:
  Simulated() = default;
  ~Simulated() = default;
};

/// Of the runtime that the calling thread works for or drives, or nullptr: it is real.
extern constinit thread_local Simulated* simulated;

/// Who is to drive the runtime that the calling thread is about to make (simulation::Everywhere),
/// or nullptr: it is real.
[[nodiscard]] Simulated* simulate_next_runtime();

}  // namespace spawned::detail
