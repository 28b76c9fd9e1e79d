#include "scheduler/injector.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using spawned::detail::Injector;
using spawned::detail::Runnable;

namespace {

struct Work final : Runnable {
  Work() : Runnable(nullptr, nullptr) {}
  int producer = 0;
  int number = 0;
};

}  // namespace

TEST_SUITE("runtime/detail/injector") {
  TEST_CASE("an empty queue has no work and gives none") {
    Injector injector;
    std::array<Runnable*, 4> out{};
    CHECK_FALSE(injector.has_work());
    CHECK(injector.size() == 0);
    CHECK(injector.take(out.data(), out.size()) == 0);
    CHECK_FALSE(injector.has_work());
  }

  TEST_CASE("take gives at most what is asked, in the order of pushing") {
    Injector injector;
    std::array<Work, 5> work;
    for (auto& each : work) injector.push(each);
    CHECK(injector.has_work());
    CHECK(injector.size() == 5);
    std::array<Runnable*, 5> out{};
    CHECK(injector.take(out.data(), 2) == 2);
    CHECK(out[0] == &work[0]);
    CHECK(out[1] == &work[1]);
    CHECK(injector.size() == 3);
    CHECK(injector.take(out.data(), 5) == 3);
    CHECK(out[0] == &work[2]);
    CHECK(out[2] == &work[4]);
    CHECK_FALSE(injector.has_work());
  }

  TEST_CASE("work that was seen can be taken") {
    Injector injector;
    std::vector<std::unique_ptr<Work>> work;
    for (int i = 0; i < 20'000; ++i) work.push_back(std::make_unique<Work>());
    int vain = 0;
    std::size_t taken = 0;
    std::thread consumer([&] {
      std::array<Runnable*, 8> out{};
      while (taken < work.size()) {
        if (!injector.has_work()) continue;
        std::size_t const count = injector.take(out.data(), out.size());
        taken += count;
        vain += count == 0 ? 1 : 0;
      }
    });
    for (auto& each : work) injector.push(*each);
    consumer.join();
    CHECK(vain == 0);
    CHECK_FALSE(injector.has_work());
  }

  TEST_CASE("several producers and consumers lose and double nothing, each producer in order") {
    constexpr int per_producer = 5'000;
    Injector injector;
    std::vector<std::unique_ptr<Work>> work;
    for (int i = 0; i < 2 * per_producer; ++i) {
      work.push_back(std::make_unique<Work>());
      work.back()->producer = i % 2;
      work.back()->number = i / 2;
    }
    std::vector<std::atomic<int>> seen(work.size());
    std::atomic<int> left{2 * per_producer};
    std::atomic<int> disorder{0};
    std::vector<std::thread> threads;
    for (int self = 0; self < 2; ++self) {
      threads.emplace_back([&, self] {
        for (auto& each : work) {
          if (each->producer == self) injector.push(*each);
        }
      });
      threads.emplace_back([&] {
        std::array<Runnable*, 16> out{};
        int last[2] = {-1, -1};
        while (left.load() > 0) {
          std::size_t const count = injector.take(out.data(), out.size());
          for (std::size_t i = 0; i < count; ++i) {
            auto const& item = static_cast<Work const&>(*out[i]);
            if (item.number <= last[item.producer]) disorder.fetch_add(1);
            last[item.producer] = item.number;
            seen[static_cast<std::size_t>(item.number * 2 + item.producer)].fetch_add(1);
          }
          left.fetch_sub(static_cast<int>(count));
        }
      });
    }
    for (auto& thread : threads) thread.join();
    int wrong = 0;
    for (auto const& times : seen) wrong += times.load() == 1 ? 0 : 1;
    CHECK(wrong == 0);
    CHECK(disorder.load() == 0);
    CHECK(injector.size() == 0);
  }
}
