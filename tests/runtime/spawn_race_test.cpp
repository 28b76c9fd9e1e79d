#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include <spawned/runtime/runtime.hpp>

namespace {

spawned::Task<int> answer() { co_return 42; }

}  // namespace

TEST_SUITE("runtime/spawn_race") {
  TEST_CASE("a spawn that races the end of its runtime runs, is cancelled, or is refused") {
    for (int round = 0; round < 300; ++round) {
      spawned::RuntimeOptions options;
      options.workers = 2;
      spawned::Runtime runtime(options);
      std::atomic<bool> begun{false};
      int answered = 0;
      int cancelled = 0;
      std::thread outside([&] {
        for (;;) {
          try {
            auto handle = runtime.spawn(answer());
            begun.store(true);
            auto const result = handle.join_blocking();
            result.has_value() ? ++answered : ++cancelled;
          } catch (spawned::RuntimeEnded const&) {
            return;
          }
        }
      });
      while (!begun.load()) std::this_thread::yield();
      CHECK(runtime.shutdown());
      outside.join();  // every join came back
      CHECK(answered + cancelled > 0);
    }
  }
}
