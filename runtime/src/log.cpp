#include <spawned/runtime/log.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <spawned/runtime/clock.hpp>
#include <spawned/runtime/detail/atomic.hpp>
#include <spawned/runtime/detail/real_world.hpp>
#include <spawned/runtime/detail/simulated.hpp>

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

// A level, or off, which is above all of them.
using Threshold = std::uint8_t;
constexpr Threshold off = static_cast<Threshold>(Level::error) + 1;

struct Filter {
  Threshold base = static_cast<Threshold>(Level::info);
  Threshold lowest = base;                                 // of all
  std::vector<std::pair<std::string, Threshold>> targets;  // the longest first

  [[nodiscard]] Threshold of(std::string_view target) const noexcept {
    for (auto const& [name, level] : targets) {
      if (!target.starts_with(name)) continue;
      std::string_view const rest = target.substr(name.size());
      if (rest.empty() || rest.starts_with("::") || rest.starts_with('.')) return level;
    }
    return base;
  }
};

// Orderings.
//   sink      set_sink() exchanges (acq_rel)  ->  write() loads (acquire).
//             A writer sees the sink constructed.
//   filter    install() stores (release)  ->  filter() loads (acquire).
//             A reader sees the filter complete. Old filters are kept: somebody may be reading one,
//             and a program makes few.
detail::atomic<Sink*> current_sink{&default_sink};
detail::atomic<Filter const*> current_filter{nullptr};

std::mutex filters_mutex;

void install(Filter filter) {
  // Under filters_mutex. Never destroyed: threads may log while the process ends.
  static auto& kept = *new std::vector<std::unique_ptr<Filter const>>();
  filter.lowest = filter.base;
  for (auto const& target : filter.targets) filter.lowest = std::min(filter.lowest, target.second);
  std::sort(filter.targets.begin(), filter.targets.end(),
            [](auto const& a, auto const& b) { return a.first.size() > b.first.size(); });
  kept.push_back(std::make_unique<Filter const>(std::move(filter)));
  current_filter.store(kept.back().get(), detail::memory_order_release);  // filter
}

std::optional<Threshold> level_named(std::string_view name) {
  constexpr std::string_view names[] = {"trace", "debug", "info", "warn", "error", "off"};
  for (Threshold i = 0; i <= off; ++i) {
    if (name == names[i]) return i;
  }
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  std::size_t const first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) + 1 - first);
}

// Reads one directive into `filter`. False: it is none.
bool read_directive(std::string_view directive, Filter& filter) {
  std::size_t const equals = directive.find('=');
  if (equals == std::string_view::npos) {
    auto const level = level_named(directive);
    if (level) filter.base = *level;
    return level.has_value();
  }
  auto const level = level_named(trimmed(directive.substr(equals + 1)));
  std::string_view const target = trimmed(directive.substr(0, equals));
  if (!level || target.empty() || target.find_first_of(" \t\r\n") != std::string_view::npos) {
    return false;
  }
  std::erase_if(filter.targets, [target](auto const& each) { return each.first == target; });
  filter.targets.emplace_back(target, *level);
  return true;
}

// Reads directives into `filter`; returns those it does not understand.
std::vector<std::string> parse(std::string_view text, Filter& filter) {
  std::vector<std::string> wrong;
  while (!text.empty()) {
    std::size_t const comma = std::min(text.find(','), text.size());
    std::string_view const directive = trimmed(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (!directive.empty() && !read_directive(directive, filter)) wrong.emplace_back(directive);
  }
  return wrong;
}

Filter const& filter() noexcept {
  Filter const* found = current_filter.load(detail::memory_order_acquire);  // filter
  if (found != nullptr) return *found;
  static Filter const fallback;
  std::vector<std::string> wrong;
  try {
    std::scoped_lock const lock(filters_mutex);
    if (current_filter.load(detail::memory_order_relaxed) == nullptr) {  // under the lock
      Filter first;
      char const* const variable = std::getenv("SPAWNED_LOG");
      if (variable != nullptr) wrong = parse(variable, first);
      install(std::move(first));
    }
    found = current_filter.load(detail::memory_order_relaxed);  // under the lock
  } catch (...) {
    return fallback;  // no memory: the defaults
  }
  for (std::string const& directive : wrong) {
    warn("spawned", "SPAWNED_LOG: \"" + directive +
                        "\" is neither a level nor target=level; levels are trace, debug, info, "
                        "warn, error and off");
  }
  return *found;
}

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

// ` key=value`, the value in quotes where it would not be one word.
void append_field(std::string& line, Field const& field) {
  line.append(" ").append(field.key).append("=");
  if (!field.value.empty() && field.value.find_first_of(" \t\r\n\"=") == std::string_view::npos) {
    line.append(field.value);
    return;
  }
  line += '"';
  for (char const c : field.value) {
    if (c == '"' || c == '\\') line += '\\';
    if (c == '\n') {
      line += "\\n";
    } else {
      line += c;
    }
  }
  line += '"';
}

}  // namespace

Sink* set_sink(Sink* sink) noexcept {
  return current_sink.exchange(sink != nullptr ? sink : &default_sink,
                               detail::memory_order_acq_rel);  // sink
}

void set_level(Level level) noexcept {
  try {
    std::scoped_lock const lock(filters_mutex);
    Filter everything;
    everything.base = static_cast<Threshold>(level);
    install(std::move(everything));
  } catch (...) {
    std::fputs("spawned: the log level could not be set, out of memory\n", stderr);
  }
}

void set_filter(std::string_view directives) {
  Filter wanted;
  std::vector<std::string> const wrong = parse(directives, wanted);
  if (!wrong.empty()) {
    throw InvalidFilter("set_filter: \"" + wrong.front() +
                        "\" is neither a level nor target=level; levels are trace, debug, info, "
                        "warn, error and off");
  }
  std::scoped_lock const lock(filters_mutex);
  install(std::move(wanted));
}

bool enabled(Level level) noexcept { return static_cast<Threshold>(level) >= filter().lowest; }

bool enabled(Level level, std::string_view target) noexcept {
  Filter const& now = filter();
  auto const wanted = static_cast<Threshold>(level);
  if (wanted < now.lowest) return false;
  return wanted >= (now.targets.empty() ? now.base : now.of(target));
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
  for (Field const& field : record.fields) append_field(line, field);
  return line;
}

void write(Level level, std::string_view target, std::string_view text,
           std::initializer_list<Field> fields) noexcept {
  if (!enabled(level, target)) return;
  detail::Exempt const exempt;  // what a sink does with a line changes nothing in the program
  detail::Scheduler* const scheduler = detail::current_scheduler();
  Clock const& clock = scheduler != nullptr ? scheduler->clock() : *real_clock();
  Sink* const sink = current_sink.load(detail::memory_order_acquire);  // sink
  if (detail::simulated != nullptr) {
    // Part of the story. Thousands of runs are not to fill a terminal.
    detail::simulated->remark(text);
    if (sink == &default_sink) return;
  }
  sink->write(Record{
      .utc = clock.utc_now(), .level = level, .target = target, .text = text, .fields = fields});
}

RateLimit::Verdict RateLimit::ask() noexcept {
  if (detail::simulated != nullptr) return {true, 0};  // what ran before must not matter
  detail::Scheduler* const scheduler = detail::current_scheduler();
  std::int64_t const now =
      (scheduler != nullptr ? scheduler->clock() : *real_clock()).now().count();
  std::int64_t end = interval_end_.load(detail::memory_order_relaxed);  // stands alone
  // Also when time has gone back: the clock of another runtime.
  if ((now >= end || end - now > interval_ns_) &&
      interval_end_.compare_exchange_strong(end, now + interval_ns_, detail::memory_order_relaxed,
                                            detail::memory_order_relaxed)) {  // stands alone
    passed_.store(0, detail::memory_order_relaxed);                           // stands alone
  }
  if (passed_.fetch_add(1, detail::memory_order_relaxed) < most_) {        // stands alone
    return {true, suppressed_.exchange(0, detail::memory_order_relaxed)};  // stands alone
  }
  suppressed_.fetch_add(1, detail::memory_order_relaxed);  // stands alone
  return {false, 0};
}

}  // namespace spawned::log
