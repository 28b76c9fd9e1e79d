// The floor of the threads flavour: two threads that wake each other by futex, and nothing else.
#include <atomic>
#include <cstdint>
#include <thread>

#include <benchmark/benchmark.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "micro/measure.hpp"
#include "micro/pin.hpp"

namespace {

constexpr std::uint32_t leave = UINT32_MAX;

std::uint32_t wait_for_change(std::atomic<std::uint32_t>& word, std::uint32_t seen) {
  std::uint32_t now = 0;
  while ((now = word.load(std::memory_order_acquire)) == seen) {
    syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT_PRIVATE, seen, nullptr,
            nullptr, 0);
  }
  return now;
}

void post(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  word.store(value, std::memory_order_release);
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE_PRIVATE, 1, nullptr,
          nullptr, 0);
}

void thread_request(benchmark::State& state) {
  constexpr std::uint32_t batch = 5'000;
  bench::PinScope const pinned(0);
  std::atomic<std::uint32_t> question{0};
  std::atomic<std::uint32_t> answer{0};
  std::thread server([&] {
    bench::PinScope const other(1);
    for (std::uint32_t seen = 0; (seen = wait_for_change(question, seen)) != leave;) {
      post(answer, seen);
    }
  });
  std::uint32_t round = 0;
  bench::measure(state, batch, [&] {
    for (std::uint32_t i = 0; i < batch; ++i) {
      post(question, round + 1);
      round = wait_for_change(answer, round);
    }
  });
  post(question, leave);
  server.join();
}
BENCHMARK(thread_request)->Name("floor::thread_request")->UseManualTime();

}  // namespace
