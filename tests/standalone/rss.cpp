// nosanitize: it measures memory, and the pools are off under the address sanitizer.
// A million requests with the default time limit leave the resident size where it was: neither
// envelopes nor timers stay behind.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <utility>

#include <unistd.h>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;

namespace {

constexpr int warm_up = 100'000;
constexpr int many = 1'000'000;
constexpr long allowed_kib = 2048;

long resident_kib() {
  long total = 0;
  long resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

struct Next {};

class Counter : public sp::Actor<Counter> {
 public:
  std::uint64_t handle_request(Next /*request*/) { return ++count_; }

 private:
  std::uint64_t count_ = 0;
};

sp::Task<std::uint64_t> ask(sp::ActorRef<Counter> counter, int count) {
  std::uint64_t last = 0;
  for (int i = 0; i < count; ++i) {
    auto answer = co_await counter.request<Next>();
    last = answer.value();
  }
  co_return last;
}

sp::Task<int> measure() {
  auto counter = Counter().start();
  co_await ask(counter, warm_up);
  long const before = resident_kib();
  std::uint64_t const last = co_await ask(counter, many);
  long const after = resident_kib();
  std::printf("resident before %ld KiB, after %ld KiB\n", before, after);
  if (last != warm_up + many) {
    std::printf("FAILED: %llu requests answered\n", static_cast<unsigned long long>(last));
    co_return 1;
  }
  if (after - before > allowed_kib) {
    std::printf("FAILED: more than %ld KiB more\n", allowed_kib);
    co_return 1;
  }
  co_return 0;
}

}  // namespace

int main() {
  sp::RuntimeOptions options;
  options.workers = 2;
  return sp::run(measure(), std::move(options));
}
