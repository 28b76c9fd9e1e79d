// nosanitize: it measures memory, and the pools are off under the address sanitizer.
// 200 runtimes, started, used and stopped: neither memory nor threads grow.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include <unistd.h>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

namespace {

constexpr int warm_up = 20;
constexpr int restarts = 200;
constexpr long allowed_kib = 4096;

long resident_kib() {
  long total = 0;
  long resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

auto threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                       std::filesystem::directory_iterator());
}

struct Ping {};

class Echo : public sp::Actor<Echo> {
 public:
  int handle_request(Ping /*request*/) { return 1; }
};

sp::Task<int> child(int value) {
  co_await sp::yield_now();
  co_return value;
}

sp::Task<int> work() {
  auto echo = Echo().start();
  int sum = 0;
  for (int i = 0; i < 200; ++i) {
    auto handle = sp::spawn(child(1));
    auto answer = co_await echo.request<Ping>();
    sum += answer.value();
    auto value = co_await handle;
    sum += value.value();
  }
  auto job = [] { return 1; };
  auto blocking = sp::spawn_blocking(sp::moved(job));
  auto done = co_await blocking;
  co_return sum + done.value();  // the echo actor is left to the end of the runtime
}

bool run_once() {
  sp::RuntimeOptions options;
  options.workers = 3;
  return sp::run(work(), std::move(options)) == 401;
}

}  // namespace

int main() {
  for (int i = 0; i < warm_up; ++i) {
    if (!run_once()) return 1;
  }
  long const before = resident_kib();
  for (int i = 0; i < restarts; ++i) {
    if (!run_once()) {
      std::printf("FAILED: restart %d did not do its work\n", i);
      return 1;
    }
  }
  long const after = resident_kib();
  // A detached blocking thread has left its runtime but may not have left the process yet; the test
  // runner ends this if it never does.
  while (threads() != 1) std::this_thread::yield();
  std::printf("resident before %ld KiB, after %ld KiB\n", before, after);
  if (after - before > allowed_kib) {
    std::printf("FAILED: more than %ld KiB more\n", allowed_kib);
    return 1;
  }
  return 0;
}
