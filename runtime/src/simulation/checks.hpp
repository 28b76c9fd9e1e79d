// Checks: those of one run, and its coverage marks. In a simulation one thread at a time uses it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/simulation/checks.hpp>
#include <spawned/runtime/simulation/report.hpp>

namespace spawned::simulation {

enum class CheckKind : std::uint8_t { always, never, eventually, monitor };

struct Check::Entry {
  Entry(CheckKind what, std::string called, Predicate holds) noexcept
      : kind(what), name(std::move(called)), predicate(std::move(holds)) {}

  CheckKind kind;
  std::string name;
  Predicate predicate;
  std::chrono::nanoseconds limit = std::chrono::nanoseconds::max();
  std::int64_t deadline_ns = no_deadline;  // of `eventually`, and of a monitor while it is hot
  bool done = false;                       // `eventually` has held, or a violation was told
  detail::atomic<bool> hot{false};         // of a monitor
  Checks* run = nullptr;                   // whose; null on a real runtime

  static constexpr std::int64_t no_deadline = INT64_MAX;

  /// What does not hold, at this moment of a run that goes on or, `last`, is over for this check.
  [[nodiscard]] std::string problem(std::int64_t now_ns, bool last);
};

class Checks {
 public:
  Checks() = default;
  Checks(Checks const&) = delete;
  Checks& operator=(Checks const&) = delete;
  ~Checks() { close(); }

  [[nodiscard]] bool any() const noexcept { return !entries_.empty() || !problem_.empty(); }
  void add(std::shared_ptr<Check::Entry> entry);
  /// The object of the check has gone.
  void remove(Check::Entry& entry) noexcept;
  /// Looks at all; what does not hold, or nothing.
  [[nodiscard]] std::string after_step(std::int64_t now_ns, bool last = false);
  /// Something does not hold: after_step() tells.
  void tell(std::string problem);
  /// The run is over: from now on nothing is looked at.
  void close() noexcept;
  [[nodiscard]] bool is_closed() const noexcept { return closed_; }

  void mark(bool condition, std::string_view name);
  [[nodiscard]] std::vector<Mark> const& marks() const noexcept { return marks_; }

  /// Equal in equal runs, another one at each call: what random numbers are spread by.
  [[nodiscard]] std::uint64_t next_number() noexcept { return ++numbers_; }

 private:
  std::vector<std::shared_ptr<Check::Entry>> entries_;
  std::vector<Mark> marks_;
  std::string problem_;
  std::uint64_t numbers_ = 0;
  bool closed_ = false;
};

/// Where checks and marks of real runtimes go while test() runs one. Any thread.
class RealRun {
 public:
  RealRun();
  ~RealRun();
  RealRun(RealRun const&) = delete;
  RealRun& operator=(RealRun const&) = delete;
  [[nodiscard]] std::string problem() const;
  [[nodiscard]] std::vector<Mark> marks() const;
};

}  // namespace spawned::simulation
