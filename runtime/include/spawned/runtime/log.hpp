// A minimal log: one sink for the process, lines as the original's tracing prints them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace spawned::log {

enum class Level : std::uint8_t { trace, debug, info, warn, error };

struct Record {
  std::chrono::nanoseconds utc;  ///< since 1970-01-01 UTC, from the clock of the caller's runtime
  Level level;
  std::string_view target;  ///< the program or module that speaks
  std::string_view text;
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

/// Records below this level are dropped before they are formatted. Default: info.
void set_level(Level level) noexcept;
[[nodiscard]] bool enabled(Level level) noexcept;

/// "2025-10-17T22:33:41.004784Z INFO name_server: text"
[[nodiscard]] std::string format(Record const& record);

void write(Level level, std::string_view target, std::string_view text) noexcept;

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

}  // namespace spawned::log
