// Timers against everything that races them: answers, cancellations, each other.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <spawned/tasks.hpp>

#include "support/stress.hpp"

namespace sp = spawned::tasks;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

using Kind = sp::ActorError::Kind;

/// How the waits of a phase have ended.
struct Outcomes {
  std::atomic<std::uint64_t> begun{0}, completed{0}, timed_out{0}, cancelled{0}, reply_cancelled{0};

  [[nodiscard]] std::uint64_t ended() const {
    return completed.load() + timed_out.load() + cancelled.load();
  }
  [[nodiscard]] std::string describe() const {
    return "begun " + std::to_string(begun.load()) + ", completed " +
           std::to_string(completed.load()) + ", timed out " + std::to_string(timed_out.load()) +
           ", cancelled " + std::to_string(cancelled.load());
  }
};

// --- sleeps ---

sp::Task<void> sleeper(stress::Random random, Outcomes& outcomes) {
  outcomes.begun.fetch_add(1);
  try {
    for (std::uint64_t n = 1 + random.below(4); n != 0; --n) {
      auto const time = microseconds(random.below(6000));
      auto const before = sp::now();
      if (random.one_in(3)) {
        co_await sp::sleep_until(before + time);
      } else {
        co_await sp::sleep(time);
      }
      stress::check(sp::now() - before >= time, "a sleep was too short");
    }
  } catch (sp::Cancelled const&) {
    outcomes.cancelled.fetch_add(1);
    throw;
  }
  outcomes.completed.fetch_add(1);
}

// Cancels some of its sleepers while their timers expire.
sp::Task<void> sleepers(stress::Run& run, stress::Random random, Outcomes& outcomes, double share) {
  while (run.time_left(share)) {
    std::vector<sp::JoinHandle<void>> tasks;
    for (int i = 0; i < 40; ++i) {
      tasks.push_back(sp::spawn(sleeper(stress::Random(random.next()), outcomes)));
    }
    std::vector<bool> asked(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      if (random.one_in(4)) co_await sp::sleep(milliseconds(1));
      if (random.one_in(2)) {
        tasks[i].cancel();
        asked[i] = true;
      }
    }
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      auto ended = co_await tasks[i];
      stress::check(ended.has_value() || asked[i], "a sleeper ended as cancelled, but nobody did");
    }
    run.beat();
  }
}

// --- timeout() around a task that ends at about the same time ---

sp::Task<std::uint64_t> slow_answer(milliseconds time, std::uint64_t answer) {
  co_await sp::sleep(time);
  co_return answer;
}

sp::Task<void> limited(stress::Run& run, stress::Random random, Outcomes& outcomes, double share) {
  while (run.time_left(share)) {
    auto const limit = milliseconds(random.below(4));
    std::uint64_t const wanted = random.next();
    outcomes.begun.fetch_add(1);
    auto answer = co_await sp::timeout(limit, slow_answer(milliseconds(random.below(4)), wanted));
    if (answer) {
      stress::check_equal(*answer, wanted, "the answer of a task within a time limit");
      outcomes.completed.fetch_add(1);
    } else {
      stress::check(answer.error() == sp::WaitError::timeout, "another error than timeout");
      outcomes.timed_out.fetch_add(1);
    }
    run.beat();
  }
}

// --- requests: timer, reply and canceller all race for one slot ---

struct Echo {
  std::uint64_t value;
  std::uint64_t delay_us;
};

class Server : public sp::Actor<Server> {
 public:
  sp::Task<std::uint64_t> handle_request(Echo echo) {
    if (echo.delay_us >= 1000) co_await sp::sleep(microseconds(echo.delay_us));
    co_return echo.value;
  }
};

sp::Task<void> asker(sp::ActorRef<Server> server, stress::Random random, Outcomes& outcomes) {
  for (std::uint64_t n = 1 + random.below(8); n != 0; --n) {
    std::uint64_t const wanted = random.next();
    outcomes.begun.fetch_add(1);
    auto answer = co_await server.request_with_timeout<Echo>(microseconds(random.below(3000)),
                                                             wanted, random.below(2000));
    if (answer) {
      stress::check_equal(*answer, wanted, "the answer to a request");
      outcomes.completed.fetch_add(1);
    } else if (answer.error() == Kind::timeout) {
      outcomes.timed_out.fetch_add(1);
    } else {
      stress::check(answer.error() == Kind::cancelled, "another error than timeout, cancelled");
      outcomes.cancelled.fetch_add(1);
      co_return;
    }
  }
}

// Keeps a worker busy, so that what is woken waits in a queue while timers go on.
sp::Task<void> noise(std::atomic<bool> const& over) {
  while (!over.load(std::memory_order_relaxed)) co_await sp::yield_now();
}

// An outside thread cancels the askers while their timers expire and the replies come.
void ask_and_cancel(stress::Run& run, sp::Runtime& runtime, stress::Random random,
                    Outcomes& outcomes, double share) {
  constexpr std::size_t at_once = 60;
  std::vector<sp::ActorRef<Server>> servers;
  for (std::size_t i = 0; i < at_once; ++i) servers.push_back(sp::start_on<Server>(runtime));
  std::atomic<bool> over{false};
  std::vector<sp::JoinHandle<void>> noises;
  while (run.time_left(share)) {
    if (random.one_in(4)) {
      over.store(true);
      for (auto& task : noises) stress::check(task.join_blocking().has_value(), "the noise");
      noises.clear();
      over.store(false);
      for (std::uint64_t n = random.below(100); n != 0; --n) {
        noises.push_back(runtime.spawn(noise(over)));
      }
    }
    std::vector<sp::JoinHandle<void>> askers;
    for (auto const& server : servers) {
      askers.push_back(runtime.spawn(asker(server, stress::Random(random.next()), outcomes)));
    }
    for (auto& task : askers) {
      for (std::uint64_t spins = random.below(6000); spins != 0; --spins) {
        spawned::detail::cpu_pause();
      }
      if (random.one_in(2)) task.cancel();
    }
    for (auto& task : askers) {
      auto ended = task.join_blocking();
      stress::check(ended.has_value() || ended.error().is_cancelled(), "an asker failed");
    }
    run.beat();
  }
  over.store(true);
  for (auto& task : noises) stress::check(task.join_blocking().has_value(), "the noise");
  for (auto& server : servers) server.stop();
}

// --- a pending reply that is waited for again and again until it is there ---

sp::Task<void> patient(sp::ActorRef<Server> server, stress::Run& run, stress::Random random,
                       Outcomes& outcomes, double share) {
  while (run.time_left(share)) {
    std::uint64_t const wanted = random.next();
    auto pending = server.start_request<Echo>(wanted, random.below(5000));
    outcomes.begun.fetch_add(1);
    for (;;) {
      auto answer = co_await pending.wait_for(microseconds(random.below(3000)));
      if (answer) {
        stress::check_equal(*answer, wanted, "the answer to a pending request");
        outcomes.completed.fetch_add(1);
        break;
      }
      stress::check(answer.error() == Kind::timeout, "a pending request failed");
      if (random.one_in(10)) {
        outcomes.timed_out.fetch_add(1);
        break;  // gives the reply up
      }
    }
    run.beat();
  }
}

// --- blocked threads: their waits end neither too early nor never ---

void blocked(sp::Runtime& runtime, stress::Run& run, stress::Random random, Outcomes& outcomes,
             double share) {
  auto server = sp::start_on<Server>(runtime);
  while (run.time_left(share)) {
    std::uint64_t const wanted = random.next();
    // Mostly short work with a long limit, so that a wait which ends early shows.
    auto const limit =
        random.one_in(8) ? microseconds(random.below(3000)) : microseconds(20'000'000);
    outcomes.begun.fetch_add(1);
    // waiver G23: a blocked thread waits by the machine's clock.
    auto const before = std::chrono::steady_clock::now();
    auto answer = server.request_blocking_with_timeout<Echo>(
        limit, wanted, random.one_in(50) ? random.below(3000) : 0);
    if (answer) {
      stress::check_equal(*answer, wanted, "the answer to a blocked thread");
      outcomes.completed.fetch_add(1);
    } else {
      stress::check(answer.error() == Kind::timeout, "a blocked request failed");
      // waiver G23: as above.
      stress::check(std::chrono::steady_clock::now() - before >= limit,
                    "a blocked thread's time limit was cut short");
      outcomes.timed_out.fetch_add(1);
    }
    run.beat();
  }
  server.stop();
}

void check_all_ended(Outcomes const& outcomes) {
  std::printf("  %s\n", outcomes.describe().c_str());
  stress::check_equal(outcomes.ended(), outcomes.begun.load(), "waits that have ended");
}

template <typename Body>
void phase(stress::Run& run, unsigned workers, char const* name, Body body) {
  std::printf("  phase \"%s\"\n", name);
  Outcomes outcomes;
  {
    sp::RuntimeOptions options;
    options.workers = workers;
    sp::Runtime runtime(std::move(options));
    run.on_hang([&] { return outcomes.describe() + "\n" + stress::describe(runtime); });
    body(runtime, outcomes);
  }
  run.on_hang({});
  check_all_ended(outcomes);
}

}  // namespace

int main() {
  stress::Run run("timers");
  phase(run, 2, "sleeps", [&run](sp::Runtime& runtime, Outcomes& outcomes) {
    std::vector<sp::JoinHandle<void>> tasks;
    for (std::uint64_t i = 0; i < 4; ++i) {
      tasks.push_back(runtime.spawn(sleepers(run, run.random(10 + i), outcomes, 0.2)));
    }
    for (auto& task : tasks) stress::check(task.join_blocking().has_value(), "the sleepers");
  });
  phase(run, 2, "timeout()", [&run](sp::Runtime& runtime, Outcomes& outcomes) {
    std::vector<sp::JoinHandle<void>> tasks;
    for (std::uint64_t i = 0; i < 32; ++i) {
      tasks.push_back(runtime.spawn(limited(run, run.random(20 + i), outcomes, 0.4)));
    }
    for (auto& task : tasks) stress::check(task.join_blocking().has_value(), "a limited task");
  });
  phase(run, 1, "requests, one worker", [&run](sp::Runtime& runtime, Outcomes& outcomes) {
    ask_and_cancel(run, runtime, run.random(50), outcomes, 0.55);
  });
  phase(run, 2, "requests", [&run](sp::Runtime& runtime, Outcomes& outcomes) {
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < 3; ++i) {
      threads.emplace_back(
          [&, i] { ask_and_cancel(run, runtime, run.random(60 + i), outcomes, 0.7); });
    }
    for (std::thread& thread : threads) thread.join();
  });
  phase(run, 2, "pending replies", [&run](sp::Runtime& runtime, Outcomes& outcomes) {
    std::vector<sp::JoinHandle<void>> tasks;
    for (std::uint64_t i = 0; i < 16; ++i) {
      auto server = sp::start_on<Server>(runtime);
      tasks.push_back(runtime.spawn(patient(server, run, run.random(70 + i), outcomes, 0.85)));
    }
    for (auto& task : tasks) stress::check(task.join_blocking().has_value(), "a patient task");
  });
  phase(run, 1, "blocked threads", [&run](sp::Runtime& runtime, Outcomes& outcomes) {
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < 3; ++i) {
      threads.emplace_back([&, i] { blocked(runtime, run, run.random(90 + i), outcomes, 1.0); });
    }
    for (std::thread& thread : threads) thread.join();
  });
  return 0;
}
