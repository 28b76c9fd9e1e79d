// Mixed traffic for as long as one likes: afterwards every message is accounted for, and the memory
// is where it was.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <unistd.h>

#include <spawned/tasks.hpp>

#include "traffic.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SOAK_MEASURES_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SOAK_MEASURES_MEMORY 0
#endif
#endif
#ifndef SOAK_MEASURES_MEMORY
#define SOAK_MEASURES_MEMORY 1
#endif

namespace {

namespace sp = spawned::tasks;

long resident_kib() {
  long total = 0;
  long resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/// Failures are what the workload asks for, thousands of them; but not what is late at the end.
class Silence final : public sp::log::Sink {
 public:
  void write(sp::log::Record const& record) noexcept override {
    if (record.text.find("still run") == std::string_view::npos) return;
    std::string const line = sp::log::format(record);
    std::fprintf(stderr, "%s\n", line.c_str());
  }
};

// The threads go on until the runtime has ended: what they send then comes to dead actors.
void shut_down(sp::Runtime& runtime, soak::World& world) {
  auto const report =
      runtime.shutdown({.deadline = std::chrono::seconds(5), .mail = spawned::UnreadMail::drain});
  if (!report.in_time) {
    std::string late = "the shutdown was late:";
    for (std::string const& one : report.late) late += "\n  " + one;
    stress::fail(late);
  }
  stress::check_equal(runtime.counters().live, 0, "alive after the shutdown");
  world.run->beat();
}

void period(stress::Run& run, std::uint64_t number, double until) {
  soak::World world(run, number);
  soak::Undertaker const undertaker(world.books);
  std::vector<std::thread> threads;
  {
    sp::RuntimeOptions options;
    options.workers = 2;
    sp::Runtime runtime(options);
    run.on_hang([&] { return soak::describe(world.books) + "\n" + stress::describe(runtime); });
    std::uint64_t stream = number * 1000;
    for (std::size_t place = 0; place < soak::World::places; ++place) {
      world.put(place, sp::start_on<soak::Server>(runtime, world, false, run.seed()));
      auto task = runtime.spawn(soak::owner(world, runtime, place, run.random(++stream)));
    }
    for (int i = 0; i < 3; ++i) {
      auto task = runtime.spawn(soak::boss(world, run.random(++stream)));
    }
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back(
          [&world, random = run.random(++stream)] { soak::outsider(world, random); });
    }
    while (run.time_left(until)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));  // waiver G23: it is the budget
    }
    world.leaving = true;
    shut_down(runtime, world);
    run.on_hang({});
  }
  world.closing = true;
  for (std::thread& thread : threads) thread.join();
  std::printf(" period %llu\n%s\n", static_cast<unsigned long long>(number),
              soak::describe(world.books).c_str());
  std::fflush(stdout);
  soak::check(world.books);
  undertaker.check();
  run.beat();
}

}  // namespace

int main() {
  // The first period warms up: threads, pools and tables have their size then.
  constexpr std::uint64_t periods = 3;
  constexpr long allowed_kib = 4 * 1024;
  Silence silence;
  sp::log::set_sink(&silence);
  stress::Run run("mixed", {"SPAWNED_SOAK_SECONDS", 60});
  long before = 0;
  for (std::uint64_t number = 1; number <= periods; ++number) {
    period(run, number, static_cast<double>(number) / periods);
    long const after = resident_kib();
    std::printf("  resident %ld KiB\n", after);
    if (SOAK_MEASURES_MEMORY && number == periods && after > before + allowed_kib) {
      stress::fail("the last period has left " + std::to_string(after - before) + " KiB behind");
    }
    before = after;
  }
  sp::log::set_sink(nullptr);
  return 0;
}
