// A task that ignores its cancellation past the shutdown timeout is named in the log, and the end
// still comes.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

namespace {

/// Keeps the log, and tells the stubborn task once it has been reported.
class Report final : public sp::log::Sink {
 public:
  void write(sp::log::Record const& record) noexcept override {
    std::scoped_lock const lock(mutex_);
    lines_.emplace_back(record.text);
    if (lines_.back().find("cannot end") != std::string::npos) reported_.store(true);
  }
  [[nodiscard]] bool reported() const { return reported_.load(); }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::scoped_lock const lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::atomic<bool> reported_{false};
};

// Swallows every cancellation until the log has named it.
sp::Task<void> stubborn(Report const& report, std::atomic<bool>& ended) {
  while (!report.reported()) {
    try {
      co_await sp::yield_now();
    } catch (sp::Cancelled const&) {
      continue;
    }
  }
  ended.store(true);
}

struct Go {};

class StubbornActor : public sp::Actor<StubbornActor> {
 public:
  explicit StubbornActor(Report const& report) noexcept : report_(&report) {}
  sp::Task<void> handle_message(Go /*message*/) {
    while (!report_->reported()) {
      try {
        co_await sp::yield_now();
      } catch (sp::Cancelled const&) {
        continue;
      }
    }
  }

 private:
  Report const* report_;
};

bool mentions(std::vector<std::string> const& lines, char const* word) {
  for (std::string const& line : lines) {
    if (line.find(word) != std::string::npos) return true;
  }
  std::printf("FAILED: the log does not mention \"%s\"\n", word);
  return false;
}

}  // namespace

int main() {
  Report report;
  sp::log::set_sink(&report);
  std::atomic<bool> ended{false};
  bool in_time = true;
  {
    sp::RuntimeOptions options;
    options.workers = 2;
    options.name = "grave";
    options.shutdown_timeout = std::chrono::milliseconds(50);
    sp::Runtime runtime(std::move(options));
    (void)runtime.spawn(stubborn(report, ended));
    auto actor = sp::start_on<StubbornActor>(runtime, report);
    actor.send<Go>();
    in_time = runtime.shutdown();
  }
  sp::log::set_sink(nullptr);
  auto const lines = report.lines();
  for (std::string const& line : lines) std::printf("logged: %s\n", line.c_str());
  if (in_time) std::printf("FAILED: shutdown() says it was in time\n");
  if (!ended.load()) std::printf("FAILED: the task did not reach its end\n");
  bool const named = mentions(lines, "grave") && mentions(lines, "shutdown_report.cpp") &&
                     mentions(lines, "StubbornActor");
  return !in_time && ended.load() && named ? 0 : 1;
}
