// What the stress programs share: a seed to replay, a time budget, and a watchdog that turns a hang
// into a report.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include <spawned/runtime/runtime.hpp>

namespace stress {

/// xorshift64*: one per thread or task, made from the seed of the run.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(mix(seed)) {}
  std::uint64_t next() noexcept {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 2685821657736338717ULL;
  }
  /// 0 to bound - 1.
  std::uint64_t below(std::uint64_t bound) noexcept { return (next() >> 32) % bound; }
  bool one_in(std::uint64_t n) noexcept { return below(n) == 0; }

 private:
  static std::uint64_t mix(std::uint64_t x) noexcept {  // splitmix64: near seeds, far streams
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return (x ^ (x >> 31)) | 1;
  }
  std::uint64_t state_;
};

/// Ends the program with a message. Other threads may be anywhere, so no destructor runs.
[[noreturn]] inline void fail(std::string const& what) {
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  std::fflush(nullptr);
  std::_Exit(1);
}

inline void check(bool condition, char const* what) {
  if (!condition) fail(what);
}
/// `seen` must be `wanted`.
inline void check_equal(std::uint64_t seen, std::uint64_t wanted, char const* what) {
  if (seen != wanted) {
    fail(std::string(what) + ": " + std::to_string(seen) + " instead of " + std::to_string(wanted));
  }
}

/// How long a run takes: an environment variable, and what holds without it.
struct Budget {
  char const* variable = "SPAWNED_STRESS_SECONDS";
  double seconds = 2.0;
};

/// One run of a stress program. Make it first in main().
class Run {
 public:
  explicit Run(char const* name, Budget budget = {})
      : name_(name), seed_(read_seed()), seconds_(read_seconds(budget)), begin_(Clock::now()) {
    std::printf("%s: seed %llu, %.1f s\n", name, static_cast<unsigned long long>(seed_), seconds_);
    std::fflush(stdout);
    watchdog_ = std::thread([this] { watch(); });
  }
  Run(Run const&) = delete;
  Run& operator=(Run const&) = delete;
  ~Run() {
    {
      std::scoped_lock const lock(mutex_);
      done_ = true;
    }
    wake_.notify_all();
    watchdog_.join();
    std::printf("%s: passed, %llu beats\n", name_,
                static_cast<unsigned long long>(beats_.load(std::memory_order_relaxed)));
  }

  /// A generator of its own for each thread or task.
  [[nodiscard]] Random random(std::uint64_t stream) const noexcept {
    return Random(seed_ + stream * 0x9e3779b97f4a7c15ULL);
  }
  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }

  /// False when the time is over. `share`: the part of the time after which to stop, for programs
  /// with phases.
  [[nodiscard]] bool time_left(double share = 1.0) const {
    return std::chrono::duration<double>(Clock::now() - begin_).count() < seconds_ * share;
  }

  /// Something has been achieved: the watchdog starts counting anew. Any thread.
  void beat() noexcept { beats_.fetch_add(1, std::memory_order_relaxed); }

  /// What the watchdog prints about a hang, until the next call.
  void on_hang(std::function<std::string()> describe) {
    std::scoped_lock const lock(mutex_);
    describe_ = std::move(describe);
  }

 private:
  using Clock = std::chrono::steady_clock;  // waiver G23: the budget is of real time
  static constexpr auto patience = std::chrono::seconds(20);

  static std::uint64_t read_seed() {
    char const* const text = std::getenv("SPAWNED_SEED");
    if (text != nullptr) return std::strtoull(text, nullptr, 0);
    return std::random_device()();  // waiver G23: printed; SPAWNED_SEED repeats it
  }
  static double read_seconds(Budget const& budget) {
    char const* const text = std::getenv(budget.variable);
    return text != nullptr ? std::strtod(text, nullptr) : budget.seconds;
  }

  void watch() {
    std::unique_lock lock(mutex_);
    std::uint64_t seen = 0;
    auto since = Clock::now();
    while (!wake_.wait_for(lock, std::chrono::seconds(1), [this] { return done_; })) {
      std::uint64_t const beats = beats_.load(std::memory_order_relaxed);
      if (beats != seen) {
        seen = beats;
        since = Clock::now();
      } else if (Clock::now() - since > patience) {
        std::fprintf(stderr, "%s: HANG, seed %llu, after %llu beats\n", name_,
                     static_cast<unsigned long long>(seed_),
                     static_cast<unsigned long long>(beats));
        if (describe_) std::fprintf(stderr, "%s\n", describe_().c_str());
        fail("nothing happened for 20 s");
      }
    }
  }

  char const* name_;
  std::uint64_t seed_;
  double seconds_;
  Clock::time_point begin_;
  std::atomic<std::uint64_t> beats_{0};
  std::mutex mutex_;  // guards done_ and describe_
  std::condition_variable wake_;
  bool done_ = false;
  std::function<std::string()> describe_;
  std::thread watchdog_;
};

/// The counters of a runtime, for Run::on_hang.
inline std::string describe(spawned::Runtime const& runtime) {
  spawned::RuntimeCounters const all = runtime.counters();
  std::string text = "runtime: live " + std::to_string(all.live) + ", injected and waiting " +
                     std::to_string(all.injection_depth) + ", blocking threads " +
                     std::to_string(all.blocking_threads) + " (idle " +
                     std::to_string(all.blocking_idle) + "), blocking jobs queued " +
                     std::to_string(all.blocking_queued);
  for (std::size_t i = 0; i < all.workers.size(); ++i) {
    spawned::WorkerCounters const& worker = all.workers[i];
    text += "\n  worker " + std::to_string(i) + ": turns " + std::to_string(worker.turns) +
            ", injected " + std::to_string(worker.injected) + ", steals " +
            std::to_string(worker.steals) + ", parks " + std::to_string(worker.parks) +
            ", wakes sent " + std::to_string(worker.wakes_sent) + ", timers fired " +
            std::to_string(worker.timers_fired) + ", queue depth " +
            std::to_string(worker.queue_depth);
  }
  return text;
}

}  // namespace stress
