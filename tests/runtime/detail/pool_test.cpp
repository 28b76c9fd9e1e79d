#include <spawned/runtime/detail/pool.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace pool = spawned::detail;

namespace {

// Under the address sanitizer the pools are off, and every block is the system allocator's.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool pools_on = false;
#else
constexpr bool pools_on = true;
#endif

bool aligned(void* block, std::size_t to) {
  return reinterpret_cast<std::uintptr_t>(block) % to == 0;
}

struct alignas(64) Line {
  explicit Line(bool fail) {
    if (fail) throw std::runtime_error("no");
  }
  char text[80] = {};
};

}  // namespace

TEST_SUITE("runtime/detail/pool") {
  TEST_CASE("blocks of every size are aligned to 16, and to 64 where the size is a multiple") {
    for (std::size_t bytes = 1; bytes <= 2'500; ++bytes) {
      void* const first = pool::pool_allocate(bytes);
      void* const second = pool::pool_allocate(bytes);
      bool const good = aligned(first, 16) && aligned(second, 16) &&
                        (bytes % 64 != 0 || (aligned(first, 64) && aligned(second, 64)));
      if (!good) CAPTURE(bytes);
      if (!good) CHECK(good);
      std::memset(first, 1, bytes);
      std::memset(second, 2, bytes);
      if (*static_cast<unsigned char*>(first) != 1) CHECK(false);
      pool::pool_free(first, bytes);
      pool::pool_free(second, bytes);
    }
  }

  TEST_CASE("blocks that live at the same time do not overlap") {
    std::vector<std::pair<unsigned char*, std::size_t>> blocks;
    for (std::size_t i = 0; i < 5'000; ++i) {
      std::size_t const bytes = 1 + i * 37 % 1'500;
      auto* const block = static_cast<unsigned char*>(pool::pool_allocate(bytes));
      std::memset(block, static_cast<int>(i % 251), bytes);
      blocks.emplace_back(block, bytes);
    }
    std::size_t damaged = 0;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      auto const [block, bytes] = blocks[i];
      for (std::size_t k = 0; k < bytes; ++k) damaged += block[k] == i % 251 ? 0 : 1;
      pool::pool_free(block, bytes);
    }
    CHECK(damaged == 0);
  }

  TEST_CASE("in steady state the system allocator is not asked") {
    if (!pools_on) return;
    auto const round = [] {
      std::vector<void*> blocks;
      for (int i = 0; i < 1'000; ++i) blocks.push_back(pool::pool_allocate(200));
      for (void* const block : blocks) pool::pool_free(block, 200);
    };
    round();
    std::size_t const before = pool::pool_system_allocations();
    for (int i = 0; i < 100; ++i) round();
    CHECK(pool::pool_system_allocations() == before);
  }

  TEST_CASE("blocks that another thread frees come home") {
    if (!pools_on) return;
    // Phase 1: this thread allocates. Phase 2: another one frees all of it and ends.
    // Asserted: after the first rounds the pool asks for no more memory.
    std::size_t reserved = 0;
    for (int round = 0; round < 20; ++round) {
      std::vector<void*> blocks;
      for (int i = 0; i < 2'000; ++i) blocks.push_back(pool::pool_allocate(96));
      std::thread([&blocks] {
        for (void* const block : blocks) pool::pool_free(block, 96);
      }).join();
      if (round == 3) reserved = pool::pool_bytes_reserved();
    }
    CHECK(pool::pool_bytes_reserved() == reserved);
  }

  TEST_CASE("pool_flush sends the last blocks home while the thread goes on") {
    if (!pools_on) return;
    void* const mine = pool::pool_allocate(1'000);
    std::latch freed(1);
    std::latch done(1);
    std::thread other([&] {
      pool::pool_free(mine, 1'000);
      pool::pool_flush();
      freed.count_down();
      done.wait();
    });
    freed.wait();
    bool again = false;
    std::vector<void*> blocks;  // one slab holds 63 of them, so it turns up soon
    for (int i = 0; i < 200 && !again; ++i) {
      blocks.push_back(pool::pool_allocate(1'000));
      again = blocks.back() == mine;
    }
    CHECK(again);
    done.count_down();
    other.join();
    for (void* const block : blocks) pool::pool_free(block, 1'000);
  }

  TEST_CASE("the memory of a thread that ended is used by the next one") {
    if (!pools_on) return;
    auto const use = [] {
      std::thread([] {
        std::vector<void*> blocks;
        for (int i = 0; i < 3'000; ++i) blocks.push_back(pool::pool_allocate(64));
        for (void* const block : blocks) pool::pool_free(block, 64);
      }).join();
    };
    use();
    std::size_t const before = pool::pool_bytes_reserved();
    for (int i = 0; i < 20; ++i) use();
    CHECK(pool::pool_bytes_reserved() == before);
  }

  TEST_CASE("a block may outlive the thread that allocated it") {
    std::vector<void*> blocks;
    std::thread([&blocks] {
      for (int i = 0; i < 100; ++i) blocks.push_back(pool::pool_allocate(128));
    }).join();
    for (void* const block : blocks) {
      std::memset(block, 7, 128);
      pool::pool_free(block, 128);
    }
    CHECK(blocks.size() == 100);
  }

  TEST_CASE("pool_new aligns, and gives the memory back when the constructor throws") {
    auto* const line = pool::pool_new<Line>(false);
    CHECK(aligned(line, 64));
    pool::pool_delete(line);
    std::size_t const before = pool::pool_bytes_reserved();
    for (int i = 0; i < 10'000; ++i) {
      try {
        (void)pool::pool_new<Line>(true);
      } catch (std::runtime_error const&) {
      }
    }
    CHECK(pool::pool_bytes_reserved() == before);
  }

  TEST_CASE("four threads that free each other's blocks lose and damage nothing") {
    constexpr int rounds = 200;
    constexpr std::size_t per_round = 100;
    std::vector<std::vector<std::uint64_t*>> baskets(4);
    std::vector<int> damaged(4);
    std::vector<std::thread> threads;
    std::vector<std::unique_ptr<std::latch>> latches;
    for (int i = 0; i < 2 * rounds; ++i) latches.push_back(std::make_unique<std::latch>(4));
    for (std::size_t self = 0; self < 4; ++self) {
      threads.emplace_back([&, self] {
        for (int round = 0; round < rounds; ++round) {
          for (std::size_t i = 0; i < per_round; ++i) {
            auto* const block = static_cast<std::uint64_t*>(pool::pool_allocate(32 + self * 160));
            *block = self * 1'000'000 + i;
            baskets[self].push_back(block);
          }
          latches[static_cast<std::size_t>(2 * round)]->arrive_and_wait();
          std::size_t const other = (self + 1 + static_cast<std::size_t>(round) % 3) % 4;
          for (std::size_t i = 0; i < per_round; ++i) {
            damaged[self] += *baskets[other][i] == other * 1'000'000 + i ? 0 : 1;
            pool::pool_free(baskets[other][i], 32 + other * 160);
          }
          latches[static_cast<std::size_t>(2 * round + 1)]->arrive_and_wait();
          baskets[self].clear();
        }
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(damaged == std::vector<int>(4, 0));
  }
}
