// Runtimes that end with tasks and actors in every state. Nothing is leaked, nothing hangs.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <spawned/tasks.hpp>

#include "support/stress.hpp"

namespace sp = spawned::tasks;
using std::chrono::hours;
using std::chrono::milliseconds;

namespace {

using Count = std::atomic<std::int64_t>;

/// Lives in frames, messages and actors; all must be gone when the runtime is.
class Witness {
 public:
  explicit Witness(Count& alive) noexcept : alive_(&alive) { alive_->fetch_add(1); }
  Witness(Witness const& other) noexcept : Witness(*other.alive_) {}
  Witness& operator=(Witness const&) = delete;
  ~Witness() { alive_->fetch_sub(1); }
  [[nodiscard]] Count& alive() const noexcept { return *alive_; }

 private:
  Count* alive_;
};

/// What outlives the runtime: the other ends of channels, tokens, refs, handles.
struct Outside {
  std::vector<sp::OneshotSender<int>> senders;
  std::vector<sp::OneshotReceiver<int>> receivers;
  std::vector<sp::JoinHandle<void>> handles;
  sp::CancellationToken token;
};

// --- tasks, each in a state of its own ---

sp::Task<void> sleeps(Count& alive) {
  Witness const here(alive);
  co_await sp::sleep(hours(1));
  stress::fail("an hour went by");
}

sp::Task<void> waits(Count& alive, sp::OneshotReceiver<int> receiver) {
  Witness const here(alive);
  auto value = co_await receiver;
  if (!value) co_await sp::sleep(hours(1));  // asked to end: this throws
}

sp::Task<void> waits_for_token(Count& alive, sp::CancellationToken token) {
  Witness const here(alive);
  co_await token.cancelled();
}

sp::Task<void> yields(Count& alive) {
  Witness const here(alive);
  for (;;) co_await sp::yield_now();
}

sp::Task<void> joins(Count& alive) {
  Witness const here(alive);
  auto child = sp::spawn(sleeps(alive));
  auto ended = co_await child;
  stress::check(!ended.has_value(), "the sleeping child returned");
}

sp::Task<void> within_limit(Count& alive) {
  Witness const here(alive);
  auto ended = co_await sp::timeout(hours(1), sleeps(alive));
  stress::check(!ended.has_value(), "the sleeping child returned");
}

sp::Task<void> blocks(Count& alive) {
  Witness const here(alive);
  auto work = [witness = here] { std::this_thread::yield(); };
  auto job = sp::spawn_blocking(sp::moved(work));
  auto ended = co_await job;
  stress::check(ended.has_value() || ended.error().is_cancelled(), "a blocking job failed");
}

// A task that starts others for as long as it may.
sp::Task<void> breeds(Count& alive, unsigned depth) {
  Witness const here(alive);
  while (alive.load() > 0) {
    if (depth != 0) (void)sp::spawn(breeds(alive, depth - 1));
    co_await sp::sleep(milliseconds(1));
  }
}

// Refuses to end at once: has work to do when it is cancelled.
sp::Task<void> cleans_up(Count& alive) {
  Witness const here(alive);
  try {
    co_await sp::sleep(hours(1));
  } catch (sp::Cancelled const&) {
    (void)sp::spawn(sleeps(alive));  // too late: cancelled as it is born
  }
}

sp::Task<void> cancelled_child(Count& alive) {
  Witness const here(alive);
  auto child = sp::spawn(sleeps(alive));
  child.cancel();
  auto ended = co_await child;
  stress::check(!ended.has_value(), "a cancelled child returned");
  co_await sp::sleep(hours(1));
}

// --- actors ---

struct Quick {
  Witness witness;
};
struct Stuck {
  Witness witness;
};
struct Forward {
  Witness witness;
};

class Actor : public sp::Actor<Actor> {
 public:
  explicit Actor(Count& alive) noexcept : witness_(alive) {}

  int handle_request(Quick const& /*request*/) { return 1; }
  void handle_message(Quick const& /*message*/) {}
  sp::Task<int> handle_request(Stuck /*request*/) {
    co_await sp::sleep(hours(1));
    co_return 1;
  }
  sp::Task<void> handle_message(Stuck /*message*/) { co_await sp::sleep(hours(1)); }
  /// Asks another actor, which may never answer.
  sp::Task<void> handle_message(Forward message) {
    if (!friend_) friend_ = sp::start<Actor>(witness_.alive());
    auto answer = co_await friend_->request<Stuck>(message.witness);
    stress::check(!answer.has_value(), "a stuck actor answered");
  }
  sp::Task<void> teardown() {
    co_await sp::yield_now();
    witness_.alive().fetch_add(1);
    witness_.alive().fetch_sub(1);
  }

 private:
  Witness witness_;
  std::optional<sp::ActorRef<Actor>> friend_;
};

class SlowStart : public sp::Actor<SlowStart> {
 public:
  explicit SlowStart(Count& alive) noexcept : witness_(alive) {}
  sp::Task<void> init() { co_await sp::sleep(hours(1)); }
  void handle_message(Quick const& /*message*/) {}

 private:
  Witness witness_;
};

sp::Task<void> asks(Count& alive, sp::ActorRef<Actor> actor, bool stuck) {
  Witness const here(alive);
  for (;;) {
    if (stuck) {
      auto answer = co_await actor.request_with_timeout<Stuck>(sp::no_timeout, here);
      if (!answer) break;
    } else {
      auto answer = co_await actor.request<Quick>(here);
      if (!answer) break;
    }
  }
}

// --- one life of one runtime ---

class Life {
 public:
  Life(stress::Run& run, std::uint64_t stream) : run_(&run), random_(run.random(stream)) {}

  void live() {
    Outside outside;
    {
      sp::RuntimeOptions options;
      options.workers = static_cast<unsigned>(1 + random_.below(3));
      options.spin = std::chrono::microseconds(random_.one_in(2) ? 0 : 30);
      options.shutdown_timeout = std::chrono::seconds(60);  // the watchdog is faster
      sp::Runtime runtime(std::move(options));
      run_->on_hang([&] {
        return "witnesses " + std::to_string(alive_.load()) + "\n" + stress::describe(runtime);
      });
      for (std::uint64_t n = random_.below(60); n != 0; --n) add(runtime, outside);
      if (random_.one_in(3)) {
        for (std::uint64_t spins = random_.below(100'000); spins != 0; --spins) {
          spawned::detail::cpu_pause();
        }
      }
      std::vector<std::thread> threads = meddle(outside);
      bool const explicitly = random_.one_in(3);
      if (explicitly) stress::check(runtime.shutdown(), "the shutdown took too long");
      if (explicitly) stress::check_equal(runtime.counters().live, 0, "alive after shutdown");
      // The runtime is destroyed while the meddlers may still wake its tasks.
      threads_ = std::move(threads);
    }
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    refs_.clear();
    for (auto& handle : outside.handles) {
      if (random_.one_in(2)) (void)handle.join_blocking();
    }
    outside.senders.clear();
    outside.receivers.clear();
    outside.handles.clear();
    check_gone();
    run_->on_hang({});
    run_->beat();
  }

 private:
  void check_gone() const {
    std::int64_t const left = alive_.load();
    if (left != 0) stress::fail("objects alive after their runtime: " + std::to_string(left));
  }

  void add(sp::Runtime& runtime, Outside& outside) {
    auto keep = [&](sp::JoinHandle<void> handle) {
      if (random_.one_in(2)) outside.handles.push_back(std::move(handle));
    };
    switch (random_.below(14)) {
      case 0:
        keep(runtime.spawn(sleeps(alive_)));
        break;
      case 1: {
        auto [sender, receiver] = sp::oneshot<int>();
        keep(runtime.spawn(waits(alive_, std::move(receiver))));
        outside.senders.push_back(std::move(sender));
        break;
      }
      case 2:
        keep(runtime.spawn(waits_for_token(alive_, outside.token)));
        break;
      case 3:
        keep(runtime.spawn(yields(alive_)));
        break;
      case 4:
        keep(runtime.spawn(joins(alive_)));
        break;
      case 5:
        keep(runtime.spawn(within_limit(alive_)));
        break;
      case 6:
        keep(runtime.spawn(blocks(alive_)));
        break;
      case 7:
        keep(runtime.spawn(breeds(alive_, 2)));
        break;
      case 8:
        keep(runtime.spawn(cleans_up(alive_)));
        break;
      case 9:
        keep(runtime.spawn(cancelled_child(alive_)));
        break;
      case 10: {
        auto actor = sp::start_on<SlowStart>(runtime, alive_);
        actor.send<Quick>(Witness(alive_));
        break;
      }
      default:
        add_actor(runtime, keep);
        break;
    }
  }

  template <typename Keep>
  void add_actor(sp::Runtime& runtime, Keep const& keep) {
    auto actor = sp::start_on<Actor>(runtime, alive_);
    switch (random_.below(5)) {
      case 0:
        for (std::uint64_t n = random_.below(50); n != 0; --n) actor.send<Quick>(Witness(alive_));
        break;
      case 1:
        actor.send<Stuck>(Witness(alive_));
        for (int i = 0; i < 3; ++i) actor.send<Quick>(Witness(alive_));
        break;
      case 2:
        actor.send<Forward>(Witness(alive_));
        break;
      case 3:
        keep(runtime.spawn(asks(alive_, actor, random_.one_in(2))));
        keep(runtime.spawn(asks(alive_, actor, false)));
        break;
      default:
        break;  // idle
    }
    if (random_.one_in(4)) actor.stop();
    if (random_.one_in(2)) refs_.push_back(actor);
  }

  // Threads that wake, cancel and ask while the runtime ends.
  std::vector<std::thread> meddle(Outside& outside) {
    std::vector<std::thread> threads;
    if (random_.one_in(2)) {
      threads.emplace_back([&senders = outside.senders, token = outside.token]() mutable {
        for (auto& sender : senders) (void)sender.send(1);
        token.cancel();
      });
    }
    if (random_.one_in(2)) {
      threads.emplace_back([&handles = outside.handles] {
        for (auto& handle : handles) handle.cancel();
      });
    }
    if (random_.one_in(2)) {
      threads.emplace_back([refs = refs_, &alive = alive_] {
        for (auto const& actor : refs) {
          actor.send<Quick>(Witness(alive));
          auto answer = actor.request_blocking_with_timeout<Quick>(milliseconds(5), Witness(alive));
          stress::check(answer.has_value() || answer.error().kind() != sp::ActorError::Kind::unused,
                        "a request at the end");
          actor.stop();
        }
      });
    }
    return threads;
  }

  stress::Run* run_;
  stress::Random random_;
  Count alive_{0};
  std::vector<sp::ActorRef<Actor>> refs_;
  std::vector<std::thread> threads_;
};

// The last thing a runtime does is to be woken by a thread that is still inside the waking call
// when the runtime goes.
sp::Task<int> wait_for(sp::OneshotReceiver<int> receiver) {
  auto value = co_await receiver;
  co_return value ? *value : 0;
}

void woken_to_end(stress::Run& run, double share) {
  while (run.time_left(share)) {
    auto [sender, receiver] = sp::oneshot<int>();
    std::thread waker([&sender] { stress::check(sender.send(7), "a oneshot was refused"); });
    {
      sp::RuntimeOptions options;
      options.workers = 1;
      sp::Runtime runtime(std::move(options));
      run.on_hang([&runtime] { return stress::describe(runtime); });
      stress::check(runtime.block_on(wait_for(std::move(receiver))) == 7, "a oneshot's value");
    }
    run.on_hang({});
    waker.join();
    run.beat();
  }
}

// What a blocking job starts while its runtime ends must end, too.
class LateActor : public sp::Actor<LateActor> {
 public:
  explicit LateActor(Count& alive) noexcept : witness_(alive) {}
  void handle_message(Quick const& /*message*/) {}
  sp::Task<void> teardown() { co_await sp::sleep(milliseconds(2)); }

 private:
  Witness witness_;
};

// A family that moves from worker to worker while it dies: at no moment is nobody left.
sp::Task<void> family(Count& alive, int generations) {
  Witness const here(alive);
  if (generations != 0) {
    (void)sp::spawn(family(alive, generations - 1));
    (void)sp::spawn(cleans_up(alive));
  }
  co_return;
}

sp::Task<void> late_job(sp::Runtime& runtime, Count& alive, std::atomic<bool>& go) {
  auto work = [&runtime, &alive, &go] {
    while (!go.load()) std::this_thread::yield();
    sp::start_on<LateActor>(runtime, alive).send<Quick>(Witness(alive));
  };
  (void)sp::spawn_blocking(sp::moved(work));
  co_return;
}

void late_births(stress::Run& run, double share) {
  while (run.time_left(share)) {
    Count alive{0};
    std::atomic<bool> go{false};
    {
      sp::RuntimeOptions options;
      options.workers = 3;
      options.shutdown_timeout = std::chrono::seconds(60);
      sp::Runtime runtime(std::move(options));
      run.on_hang([&] { return stress::describe(runtime); });
      stress::check(runtime.spawn(late_job(runtime, alive, go)).join_blocking().has_value(), "job");
      (void)runtime.spawn(family(alive, 200));
      std::thread starter([&go] { go.store(true); });
      stress::check(runtime.shutdown(), "the shutdown says it took 60 s");
      stress::check_equal(runtime.counters().live, 0, "alive after shutdown");
      starter.join();
    }
    run.on_hang({});
    stress::check_equal(static_cast<std::uint64_t>(alive.load()), 0, "alive after their runtime");
    run.beat();
  }
}

}  // namespace

int main() {
  stress::Run run("shutdown");
  woken_to_end(run, 0.2);
  late_births(run, 0.4);
  for (std::uint64_t life = 1; run.time_left(); ++life) Life(run, life).live();
  return 0;
}
