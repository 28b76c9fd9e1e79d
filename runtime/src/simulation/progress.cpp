#include "simulation/progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <unistd.h>

namespace spawned::simulation {

namespace {

bool is_shown(Progress progress) {
  if (progress == Progress::on_a_terminal) return isatty(STDERR_FILENO) == 1;
  return progress == Progress::always;
}

}  // namespace

std::string progress_text(std::uint64_t runs, std::uint64_t seeds, std::uint64_t distinct,
                          std::chrono::nanoseconds elapsed, std::chrono::nanoseconds budget) {
  double const seconds = std::max(1e-9, std::chrono::duration<double>(elapsed).count());
  double const rate = static_cast<double>(runs) / seconds;
  double left = runs == 0 ? INFINITY : static_cast<double>(seeds - std::min(seeds, runs)) / rate;
  if (budget.count() != 0) {
    left = std::min(left, std::max(0.0, std::chrono::duration<double>(budget).count() - seconds));
  }
  std::string text = std::to_string(runs) + " of " + std::to_string(seeds) + " runs, " +
                     std::to_string(std::llround(rate)) + "/s, " + std::to_string(distinct) +
                     " interleavings";
  if (left < 1e9) text += ", " + std::to_string(std::llround(std::ceil(left))) + " s left";
  return text;
}

ProgressLine::ProgressLine(ExploreOptions const& options)
    : shown_(is_shown(options.progress)), seeds_(options.seeds), budget_(options.time_budget) {}

ProgressLine::~ProgressLine() {
  if (written_) std::fputs("\r\x1b[K", stderr);
}

void ProgressLine::update(std::uint64_t runs, std::uint64_t distinct,
                          std::chrono::nanoseconds elapsed) {
  if (!shown_ || elapsed < next_) return;
  next_ = elapsed + std::chrono::seconds(1);
  written_ = true;
  std::string const text = progress_text(runs, seeds_, distinct, elapsed, budget_);
  std::fprintf(stderr, "\r%s\x1b[K", text.c_str());
  std::fflush(stderr);
}

}  // namespace spawned::simulation
