// The work-stealing deque against real thieves: every item is taken exactly once.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <spawned/runtime/lockfree/work_stealing_deque.hpp>

#include "support/stress.hpp"

namespace {

struct Item {
  std::atomic<std::uint32_t> taken{0};
};
using Deque = spawned::runtime::lockfree::WorkStealingDeque<Item*>;

class Round {
 public:
  Round(stress::Run& run, std::size_t items, std::size_t capacity, unsigned thieves)
      : run_(&run), items_(items), deque_(capacity), thieves_(thieves) {}

  void play(std::uint64_t stream) {
    std::vector<std::thread> threads;
    threads.reserve(thieves_);
    for (unsigned i = 0; i < thieves_; ++i) {
      threads.emplace_back([this, i, stream] { steal(run_->random(stream + 1 + i)); });
    }
    own(run_->random(stream));
    for (std::thread& thread : threads) thread.join();
    for (Item const& item : items_) {
      check_taken_once(item);
    }
    stress::check(deque_.empty(), "the deque is not empty after all items were taken");
    stress::check_equal(taken_.load(), items_.size(), "items taken");
  }

 private:
  static void check_taken_once(Item const& item) {
    stress::check_equal(item.taken.load(std::memory_order_relaxed), 1, "times an item was taken");
  }
  void take(Item* item) {
    item->taken.fetch_add(1, std::memory_order_relaxed);
    taken_.fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] bool all_taken() const {
    return taken_.load(std::memory_order_relaxed) >= items_.size();
  }

  // The owner: bursts of pushes between bursts of both ways to take.
  void own(stress::Random random) {
    std::size_t next = 0;
    while (next < items_.size()) {
      for (std::uint64_t n = random.below(random.one_in(50) ? 1500 : 12);
           n != 0 && next < items_.size(); --n) {
        deque_.push(&items_[next++]);
      }
      for (std::uint64_t n = random.below(10); n != 0; --n) {
        if (Item* const item = random.one_in(2) ? deque_.pop() : deque_.take_oldest()) take(item);
      }
    }
    while (!all_taken()) {
      if (Item* const item = deque_.pop()) {
        take(item);
      } else {
        std::this_thread::yield();  // a thief holds the rest
      }
    }
  }

  // A thief: single items, and raids into a deque of its own that it then empties.
  void steal(stress::Random random) {
    Deque loot(2);
    while (!all_taken()) {
      if (random.one_in(3)) {
        std::size_t moved = 0;
        if (Item* const item = deque_.steal_half_into(loot, 1 + random.below(64), &moved)) {
          take(item);
          stress::check_equal(loot.size(), moved - 1, "items a raid says it moved");
        }
        while (Item* const item = loot.take_oldest()) take(item);
      } else if (Item* const item = deque_.steal()) {
        take(item);
      } else {
        std::this_thread::yield();
      }
    }
  }

  stress::Run* run_;
  std::vector<Item> items_;
  Deque deque_;
  unsigned thieves_;
  std::atomic<std::size_t> taken_{0};
};

}  // namespace

int main() {
  stress::Run run("deque");
  stress::Random random = run.random(0);
  for (std::uint64_t round = 1; run.time_left(); ++round) {
    auto const thieves = static_cast<unsigned>(1 + random.below(3));
    // One item at a time fights over the last item; a small capacity grows under the thieves.
    bool const tiny = random.one_in(3);
    Round(run, tiny ? 1 + random.below(8) : 20'000, std::size_t{2} << random.below(6), thieves)
        .play(round * 16);
    run.beat();
  }
  return 0;
}
