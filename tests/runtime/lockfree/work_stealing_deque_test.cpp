#include <spawned/runtime/lockfree/work_stealing_deque.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

namespace {

using Deque = spawned::runtime::lockfree::WorkStealingDeque<int*>;

}  // namespace

TEST_SUITE("runtime/lockfree/work_stealing_deque") {
  TEST_CASE("an empty deque gives nothing to anybody") {
    Deque deque;
    Deque thief;
    std::size_t moved = 0;
    CHECK(deque.pop() == nullptr);
    CHECK(deque.steal() == nullptr);
    CHECK(deque.take_oldest() == nullptr);
    CHECK(deque.steal_half_into(thief, 10, &moved) == nullptr);
    CHECK(moved == 0);
    CHECK(deque.empty());
  }

  TEST_CASE("pop takes the newest item, steal and take_oldest the oldest") {
    int items[4] = {};
    Deque deque;
    for (int& item : items) deque.push(&item);
    CHECK(deque.size() == 4);
    CHECK(deque.pop() == &items[3]);
    CHECK(deque.steal() == &items[0]);
    CHECK(deque.take_oldest() == &items[1]);
    CHECK(deque.pop() == &items[2]);
    CHECK(deque.empty());
  }

  TEST_CASE("a full deque grows and keeps every item and the order") {
    std::vector<int> items(1'000);
    for (std::size_t const taken_first : {0U, 1U, 2U, 3U}) {
      Deque deque(4);
      for (std::size_t i = 0; i < taken_first; ++i) {  // so that the ring is wrapped round
        deque.push(&items[0]);
        CHECK(deque.steal() == &items[0]);
      }
      for (int& item : items) deque.push(&item);
      CHECK(deque.size() == items.size());
      bool in_order = true;
      for (int& item : items) in_order = in_order && deque.steal() == &item;
      CHECK(in_order);
      CHECK(deque.empty());
    }
  }

  TEST_CASE("steal_half_into takes half, rounded up, the oldest first, and never more than asked") {
    for (std::size_t size = 1; size <= 9; ++size) {
      for (std::size_t most = 1; most <= 6; ++most) {
        CAPTURE(size);
        CAPTURE(most);
        std::vector<int> items(size);
        Deque victim(4);
        Deque thief(2);
        for (int& item : items) victim.push(&item);
        std::size_t moved = 0;
        CHECK(victim.steal_half_into(thief, most, &moved) == &items[0]);
        std::size_t const expected = std::min((size + 1) / 2, most);
        CHECK(moved == expected);
        CHECK(thief.size() == expected - 1);
        CHECK(victim.size() == size - expected);
        for (std::size_t i = 1; i < expected; ++i) CHECK(thief.steal() == &items[i]);
      }
    }
  }

  TEST_CASE("random use by the owner does what a std::deque does") {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      CAPTURE(seed);
      std::mt19937_64 random(seed);
      std::vector<int> items(64);
      Deque deque(2);
      std::deque<int*> model;
      bool same = true;
      for (int step = 0; step < 2'000 && same; ++step) {
        int* expected = nullptr;
        switch (random() % 4) {
          case 0:
          case 1: {
            int* const item = &items[random() % items.size()];
            deque.push(item);
            model.push_back(item);
            break;
          }
          case 2:
            if (!model.empty()) {
              expected = model.back();
              model.pop_back();
            }
            same = deque.pop() == expected;
            break;
          default:
            if (!model.empty()) {
              expected = model.front();
              model.pop_front();
            }
            same = deque.steal() == expected;
        }
        same = same && deque.size() == model.size();
      }
      CHECK(same);
    }
  }

  TEST_CASE("the last item goes to the owner or to one thief, never to both or to neither") {
    // Phase 1: the owner pushes one item. Phase 2: owner and two thieves take at once.
    // Asserted: over all rounds every item was taken exactly once.
    constexpr int rounds = 20'000;
    Deque deque(2);
    std::vector<std::atomic<int>> taken(rounds);
    std::vector<int> items(rounds);
    std::atomic<bool> done{false};
    auto const count = [&](int* item) {
      if (item != nullptr) taken[static_cast<std::size_t>(item - items.data())].fetch_add(1);
    };
    std::vector<std::thread> thieves;
    for (int i = 0; i < 2; ++i) {
      thieves.emplace_back([&] {
        while (!done.load()) count(deque.steal());
      });
    }
    for (int& item : items) {
      deque.push(&item);
      count(deque.pop());
    }
    while (!deque.empty()) std::this_thread::yield();
    done = true;
    for (auto& thief : thieves) thief.join();
    int wrong = 0;
    for (auto const& times : taken) wrong += times.load() == 1 ? 0 : 1;
    CHECK(wrong == 0);
  }

  TEST_CASE("thieves at work while the ring grows lose and double nothing") {
    constexpr int rounds = 50'000;
    Deque deque(2);
    std::vector<int> items(rounds);
    std::vector<std::atomic<int>> taken(rounds);
    std::atomic<bool> done{false};
    auto const count = [&](int* item) {
      if (item != nullptr) taken[static_cast<std::size_t>(item - items.data())].fetch_add(1);
    };
    std::thread thief([&] {
      Deque own(2);
      while (!done.load()) {
        std::size_t moved = 0;
        count(deque.steal_half_into(own, 8, &moved));
        while (int* const item = own.pop()) count(item);
      }
    });
    for (int& item : items) deque.push(&item);
    while (int* const item = deque.take_oldest()) count(item);
    done = true;
    thief.join();
    int wrong = 0;
    for (auto const& times : taken) wrong += times.load() == 1 ? 0 : 1;
    CHECK(wrong == 0);
  }
}
