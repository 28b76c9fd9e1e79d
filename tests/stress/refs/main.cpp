// See README.md.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <spawned/actors/detail/handle_count.hpp>
#include <spawned/tasks.hpp>

#include "support/stress.hpp"

namespace {

namespace sp = spawned::tasks;

// --- the count alone ---

struct Cell {
  spawned::detail::HandleCount handles;
  std::uint64_t value = 0x5eed;  // plain memory: written by whoever frees it
  std::atomic<std::uint64_t>* freed;
  std::atomic<std::uint64_t>* unreferenced;
};

void drop_memory(Cell& cell) {
  if (!cell.handles.drop_memory()) return;
  cell.value = 0;
  cell.freed->fetch_add(1);
  delete &cell;
}

void drop_strong(Cell& cell) {
  if (!cell.handles.drop_strong()) return;
  cell.unreferenced->fetch_add(1);
  drop_memory(cell);
}

/// Handles on their way to another thread.
struct Exchange {
  std::mutex mutex;
  unsigned strong = 0;
  unsigned memory = 0;
};

class Player {
 public:
  Player(Cell& cell, Exchange& exchange, stress::Random random)
      : cell_(&cell), exchange_(&exchange), random_(random) {}
  void own(unsigned strong, unsigned memory) {
    strong_ += strong;
    memory_ += memory;
  }

  void play(unsigned steps) {
    for (unsigned step = 0; step != steps; ++step) {
      if (strong_ + memory_ == 0) {
        receive();
        continue;
      }
      stress::check_equal(cell_->value, 0x5eed, "the value of a cell that is kept");
      switch (random_.below(8)) {
        case 0:
        case 1:
          copy();
          break;
        case 2:
          downgrade();
          break;
        case 3:
          give();
          break;
        case 4:
          receive();
          break;
        case 5:
          if (memory_ != 0) upgrade();
          break;
        case 6:
          if (memory_ != 0) {
            --memory_;
            drop_memory(*cell_);
          }
          break;
        default:
          if (strong_ != 0) {
            --strong_;
            drop_strong(*cell_);
          }
      }
    }
    while (strong_ != 0) {
      --strong_;
      drop_strong(*cell_);
    }
    while (memory_ != 0) {
      --memory_;
      drop_memory(*cell_);
    }
  }

 private:
  void copy() {
    if (strong_ == 0) return;
    cell_->handles.add_strong();
    ++strong_;
  }
  void downgrade() {
    cell_->handles.add_memory();
    ++memory_;
  }
  void upgrade() {
    cell_->handles.add_strong_again();
    ++strong_;
  }
  void give() {
    std::scoped_lock const lock(exchange_->mutex);
    if (strong_ != 0) {
      --strong_;
      ++exchange_->strong;
    }
    if (memory_ != 0) {
      --memory_;
      ++exchange_->memory;
    }
  }
  void receive() {
    std::scoped_lock const lock(exchange_->mutex);
    own(std::exchange(exchange_->strong, 0), std::exchange(exchange_->memory, 0));
  }

  Cell* cell_;
  Exchange* exchange_;
  stress::Random random_;
  unsigned strong_ = 0;
  unsigned memory_ = 0;
};

void count_alone(stress::Run& run, double share) {
  std::printf("  phase \"count\"\n");
  std::atomic<std::uint64_t> freed{0};
  std::atomic<std::uint64_t> unreferenced{0};
  std::uint64_t rounds = 0;
  while (run.time_left(share)) {
    ++rounds;
    auto* const cell = new Cell;
    cell->freed = &freed;
    cell->unreferenced = &unreferenced;
    Exchange exchange;
    exchange.strong = 1;  // the creator's; the actor's own memory goes to a player, too
    exchange.memory = 1;
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i != 4; ++i) {
      threads.emplace_back([&, random = run.random(rounds * 8 + i)] {
        Player player(*cell, exchange, random);
        player.play(300);
      });
    }
    for (std::thread& thread : threads) thread.join();
    {
      Player last(*cell, exchange, run.random(rounds));
      last.own(std::exchange(exchange.strong, 0), std::exchange(exchange.memory, 0));
      last.play(0);
    }
    stress::check_equal(freed.load(), rounds, "freed cells");
    stress::check(unreferenced.load() >= rounds, "nobody was told that strong went to 0");
    run.beat();
  }
}

// --- actors that stop when unreferenced ---

struct Ping {};

class Transient : public sp::Actor<Transient> {
 public:
  explicit Transient(std::atomic<std::uint64_t>& alive) : alive_(&alive) { alive_->fetch_add(1); }
  Transient(Transient const&) = delete;
  Transient& operator=(Transient const&) = delete;
  ~Transient() { alive_->fetch_sub(1); }
  int handle_request(Ping /*request*/) { return 1; }
  void handle_message(Ping /*message*/, sp::Context<Transient>& context) {
    auto self = context.self();  // keeps it alive for a moment, and posts the stop anew
  }

 private:
  std::atomic<std::uint64_t>* alive_;
};

sp::Task<void> use(sp::ActorRef<Transient> first, stress::Random random) {
  auto weak = first.downgrade();
  std::optional<sp::ActorRef<Transient>> ref(std::move(first));
  for (std::uint64_t steps = random.below(20); steps != 0; --steps) {
    if (!ref) ref = weak.upgrade();
    if (!ref) break;
    if (random.one_in(3)) ref->send<Ping>();
    if (random.one_in(4)) co_await sp::yield_now();
    if (random.one_in(3)) ref.reset();
  }
}

void unreferenced_actors(stress::Run& run, double share) {
  std::printf("  phase \"stop when unreferenced\"\n");
  sp::RuntimeOptions two;
  two.workers = 2;
  sp::Runtime runtime(two);
  run.on_hang([&] { return stress::describe(runtime); });
  std::atomic<std::uint64_t> alive{0};
  sp::ActorOptions options;
  options.stop_when_unreferenced = true;
  for (std::uint64_t round = 1; run.time_left(share); ++round) {
    auto actor = sp::start_with_on<Transient>(runtime, options, alive);
    auto answer = actor.request_blocking<Ping>();
    stress::check(answer.has_value(), "an actor with a ref to it did not answer");
    std::vector<sp::JoinHandle<void>> tasks;
    for (std::uint64_t i = 0; i != 3; ++i) {
      tasks.push_back(runtime.spawn(use(actor, run.random(round * 4 + i))));
    }
    auto exit = runtime.spawn([](auto weak) -> sp::Task<void> {
      auto ref = weak.upgrade();
      if (!ref) co_return;
      auto end = ref->wait_exit();
      ref.reset();
      (void)co_await end;
    }(actor.downgrade()));
    {
      auto last = std::move(actor);
    }
    for (auto& task : tasks) stress::check(task.join_blocking().has_value(), "a client failed");
    stress::check(exit.join_blocking().has_value(), "the waiter failed");
    run.beat();
  }
  run.on_hang({});
  stress::check_equal(alive.load(), 0, "actors that live on without a ref");
}

}  // namespace

int main() {
  stress::Run run("refs");
  count_alone(run, 0.5);
  unreferenced_actors(run, 1.0);
  return 0;
}
