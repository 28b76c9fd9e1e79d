#include "simulation/corpus/corpus.hpp"

#include <algorithm>
#include <random>
#include <thread>

namespace corpus {

namespace {

std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

spawned::Task<bool> ends_within(std::chrono::milliseconds limit, spawned::Task<void> program) {
  auto const ended = co_await spawned::timeout(limit, std::move(program));
  co_return ended.has_value();
}

}  // namespace

bool sleeps_at_random = false;

std::vector<Entry> const& table() { return entries(); }

Registration::Registration(Entry entry) {
  std::vector<Entry>& all = entries();
  auto const place = std::find_if(
      all.begin(), all.end(), [&entry](Entry const& other) { return other.number > entry.number; });
  all.insert(place, std::move(entry));
}

void maybe_sleep() {
  if (!sleeps_at_random) return;
  // waiver G23: on real threads only, where chance is the point
  thread_local std::minstd_rand random(std::random_device{}());
  if (random() % 2 == 0) return;
  // waiver G23: the same
  std::this_thread::sleep_for(std::chrono::microseconds(random() % 1000));
}

sim::Findings explore(sim::Program const& program, std::uint64_t seeds, std::uint64_t first_seed) {
  sim::ExploreOptions options;
  options.crash_is_failure = false;  // some crash on purpose
  options.seeds = seeds;
  options.first_seed = first_seed;
  return sim::explore(options, program);
}

bool passes_for_real(sim::Program const& program, std::chrono::milliseconds limit) {
  spawned::RuntimeOptions options;
  options.workers = 2;
  spawned::Runtime runtime(options);
  try {
    return runtime.block_on(ends_within(limit, program()));
  } catch (std::exception const&) {
    return false;
  }
}

}  // namespace corpus
