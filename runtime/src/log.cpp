#include <spawned/runtime/log.hpp>

#include <cstdio>
#include <ctime>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/detail/atomic.hpp>

#include "scheduler/scheduler.hpp"

namespace spawned::log {

namespace {

class StdoutSink final : public Sink {
 public:
  void write(Record const& record) noexcept override {
    try {
      std::string line = format(record);
      line += '\n';
      std::fwrite(line.data(), 1, line.size(), stdout);
      std::fflush(stdout);
    } catch (...) {
      std::fputs("spawned: a log line was lost, out of memory\n", stderr);
    }
  }
};

StdoutSink default_sink;

// Orderings.
//   sink      set_sink() exchanges (acq_rel)  ->  write() loads (acquire).
//             A writer sees the sink constructed.
detail::atomic<Sink*> current_sink{&default_sink};
detail::atomic<Level> lowest{Level::info};

char const* name_of(Level level) noexcept {
  switch (level) {
    case Level::trace:
      return "TRACE";
    case Level::debug:
      return "DEBUG";
    case Level::info:
      return "INFO";
    case Level::warn:
      return "WARN";
    case Level::error:
      return "ERROR";
  }
  return "?";
}

}  // namespace

Sink* set_sink(Sink* sink) noexcept {
  return current_sink.exchange(sink != nullptr ? sink : &default_sink,
                               detail::memory_order_acq_rel);  // sink
}

void set_level(Level level) noexcept {
  lowest.store(level, detail::memory_order_relaxed);  // a filter, orders nothing
}

bool enabled(Level level) noexcept {
  return level >= lowest.load(detail::memory_order_relaxed);  // a filter, orders nothing
}

std::string format(Record const& record) {
  auto const whole = std::chrono::floor<std::chrono::seconds>(record.utc);
  std::time_t const seconds = whole.count();
  auto const micros = static_cast<int>((record.utc - whole).count() / 1'000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char stamp[80];
  int const length = std::snprintf(stamp, sizeof(stamp), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ %s ",
                                   utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                                   utc.tm_min, utc.tm_sec, micros, name_of(record.level));
  std::string line(stamp, static_cast<std::size_t>(length));
  line.append(record.target).append(": ").append(record.text);
  return line;
}

void write(Level level, std::string_view target, std::string_view text) noexcept {
  if (!enabled(level)) return;
  detail::Scheduler* const scheduler = detail::current_scheduler();
  Clock const& clock = scheduler != nullptr ? scheduler->clock() : *real_clock();
  Sink* const sink = current_sink.load(detail::memory_order_acquire);  // sink
  sink->write(Record{.utc = clock.utc_now(), .level = level, .target = target, .text = text});
}

}  // namespace spawned::log
