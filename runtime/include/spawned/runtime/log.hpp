// The log: one sink for the process, records with fields, levels by target, lines as the original's
// tracing prints them.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

#include <spawned/runtime/detail/atomic.hpp>

namespace spawned::log {

enum class Level : std::uint8_t { trace, debug, info, warn, error };

/// A named value beside the text, for sinks that keep them apart.
struct Field {
  std::string_view key;
  std::string_view value;
};

struct Record {
  std::chrono::nanoseconds utc;  ///< since 1970-01-01 UTC, from the clock of the caller's runtime
  Level level;
  std::string_view target;  ///< the program or module that speaks
  std::string_view text;
  std::initializer_list<Field> fields = {};  ///< valid during the call, like the text
};

/// Where records go. write() is called from any thread, also several at once, and must not block
/// for long. The default sink prints format(record) and a line feed to standard output.
class Sink {
 public:
  Sink() = default;
  Sink(Sink const&) = delete;
  Sink& operator=(Sink const&) = delete;
  virtual ~Sink() = default;
  virtual void write(Record const& record) noexcept = 0;
};

/// Installs `sink` for the whole process and returns the one before; null: the default sink. The
/// sink must live until another is installed and no runtime uses it any more.
Sink* set_sink(Sink* sink) noexcept;

/// Records below this level are dropped before they are formatted, whatever their target. Default:
/// what the environment variable SPAWNED_LOG says, else info.
void set_level(Level level) noexcept;

/// A directive that set_filter() does not understand.
class InvalidFilter : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Levels by target: "warn,bank=debug,spawned=off". A directive is a level for everything, or
/// `target=level`, which holds for that target and those below it (`bank::vault`); the longest one
/// that fits wins, of equal ones the last. Spaces around the words do not count. Levels: trace,
/// debug, info, warn, error, off.
/// The environment variable SPAWNED_LOG is read so on first use; there, what is not understood is
/// reported in a warning and left out.
/// Errors  InvalidFilter, which names the directive; nothing is changed then.
void set_filter(std::string_view directives);

/// Cost    two loads where no target has a level of its own.
[[nodiscard]] bool enabled(Level level) noexcept;  ///< for some target
[[nodiscard]] bool enabled(Level level, std::string_view target) noexcept;

/// "2025-10-17T22:33:41.004784Z INFO name_server: text key=value other=\"two words\""
[[nodiscard]] std::string format(Record const& record);

void write(Level level, std::string_view target, std::string_view text,
           std::initializer_list<Field> fields = {}) noexcept;

inline void debug(std::string_view target, std::string_view text) noexcept {
  write(Level::debug, target, text);
}
inline void info(std::string_view target, std::string_view text) noexcept {
  write(Level::info, target, text);
}
inline void warn(std::string_view target, std::string_view text) noexcept {
  write(Level::warn, target, text);
}
inline void error(std::string_view target, std::string_view text) noexcept {
  write(Level::error, target, text);
}

/// Lets `most` reports pass in each interval, and counts the others.
///
/// Threads  any. Which of several at once pass is not said; how many is exact but for reports that
///          arrive as an interval ends.
/// Cost     a look at the clock and one or two atomic accesses.
class RateLimit {
 public:
  constexpr RateLimit(std::uint32_t most, std::chrono::nanoseconds interval) noexcept
      : most_(most), interval_ns_(interval.count()) {}
  RateLimit(RateLimit const&) = delete;
  RateLimit& operator=(RateLimit const&) = delete;

  struct Verdict {
    bool pass;
    std::uint64_t suppressed;  ///< how many did not pass since the last that did
  };
  [[nodiscard]] Verdict ask() noexcept;

 private:
  std::uint32_t most_;
  std::int64_t interval_ns_;
  // Counters and a point in time: each access stands alone, so all are relaxed.
  detail::atomic<std::int64_t> interval_end_{INT64_MIN};
  detail::atomic<std::uint32_t> passed_{0};
  detail::atomic<std::uint64_t> suppressed_{0};
};

}  // namespace spawned::log
