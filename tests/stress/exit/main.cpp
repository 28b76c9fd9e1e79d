// Exit signals against replies, time limits, stops and the end of the runtime.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
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
std::atomic<std::int64_t> alive{0};  // messages and locals of handlers
std::atomic<std::uint64_t> asked{0};
std::atomic<std::uint64_t> outcomes{0};
std::atomic<std::uint64_t> ends{0};

/// Counts itself.
class Counted {
 public:
  Counted() noexcept { alive.fetch_add(1); }
  Counted(Counted const&) noexcept : Counted() {}
  Counted& operator=(Counted const&) = default;
  ~Counted() { alive.fetch_sub(1); }
};

struct Work {
  Work(std::uint64_t what, std::optional<sp::ActorRef<class Victim>> other)
      : how(what), peer(std::move(other)) {}
  std::uint64_t how;
  std::optional<sp::ActorRef<class Victim>> peer;
  Counted counted = {};
};

class Victim : public sp::Actor<Victim> {
 public:
  sp::Task<int> handle_request(Work const& work) {
    Counted const here;
    co_return co_await nested(3, work);
  }
  sp::Task<void> teardown() {
    Counted const here;
    try {
      co_await sp::sleep(microseconds(50));
    } catch (sp::Cancelled const&) {
    }
  }

 private:
  sp::Task<int> nested(int depth, Work const& work) {
    Counted const here;
    if (depth > 0) co_return co_await nested(depth - 1, work);
    switch (work.how % 8) {
      case 0:
        co_await sp::sleep(milliseconds(1));
        break;
      case 1:
        for (int i = 0; i < 20; ++i) co_await sp::yield_now();
        break;
      case 2: {
        auto task = sp::spawn(sleeps());
        auto result = co_await task;
        (void)result;
        break;
      }
      case 3: {
        auto result = co_await sp::timeout(milliseconds(1 + work.how % 3), own(work));
        (void)result;
        break;
      }
      case 4:
        if (work.peer) {
          auto reply = co_await work.peer->request_with_timeout<Work>(
              milliseconds(1), std::uint64_t(1), std::nullopt);
          (void)reply;
        }
        break;
      case 5:
        if (work.peer) {
          auto reason = co_await work.peer->wait_exit(milliseconds(1));
          (void)reason;
        }
        break;
      case 6:
        for (int i = 0; i < 20; ++i) {
          try {
            co_await sp::sleep(microseconds(200));
          } catch (sp::Cancelled const&) {
          }
        }
        break;
      default:
        if (work.peer) {
          auto pending = work.peer->start_request<Work>(std::uint64_t(1), std::nullopt);
          auto reply = co_await pending.wait_for(milliseconds(1));
          (void)reply;
        }
        break;
    }
    co_return 1;
  }
  static sp::Task<void> sleeps() {
    Counted const here;
    co_await sp::sleep(milliseconds(1));
  }
  // Uses the message, which lives as long as the handler's frame.
  static sp::Task<std::uint64_t> own(Work const& work) {
    Counted const here;
    try {
      co_await sp::sleep(milliseconds(2));
    } catch (sp::Cancelled const&) {
      if (work.how == UINT64_MAX) co_return 1;
      throw;
    }
    co_return work.how;
  }
};

constexpr std::size_t places = 4;

/// The actors under attack; each is replaced when it has ended.
class Board {
 public:
  explicit Board(sp::Runtime& runtime) {
    for (auto& place : refs_) place.emplace(Victim().start_on(runtime));
  }
  sp::ActorRef<Victim> get(std::size_t i) {
    std::scoped_lock const lock(mutex_);
    return *refs_[i % places];
  }
  void set(std::size_t i, sp::ActorRef<Victim> ref) {
    std::scoped_lock const lock(mutex_);
    refs_[i % places].emplace(std::move(ref));
  }

 private:
  std::mutex mutex_;
  std::array<std::optional<sp::ActorRef<Victim>>, places> refs_;
};

void attack(sp::ActorRef<Victim> const& victim, stress::Random& random) {
  switch (random.below(4)) {
    case 0:
      victim.kill();
      break;
    case 1:
      victim.exit(sp::ExitReason::custom("signal"));
      break;
    case 2:
      victim.stop(sp::ExitReason::custom("stop"));
      victim.kill();
      break;
    default:
      victim.exit(sp::ExitReason::normal());
      victim.stop();
      break;
  }
}

void check_reason(sp::ExitReason const& reason) {
  using Reason = sp::ExitReason::Kind;
  stress::check(reason.kind() == Reason::killed || reason.kind() == Reason::normal ||
                    reason.kind() == Reason::shutdown || reason.text() == "signal" ||
                    reason.text() == "stop",
                "an actor ended with a reason that nobody gave it");
  ends.fetch_add(1);
}

sp::Task<void> client(stress::Run& run, Board& board, std::uint64_t stream, double share) {
  stress::Random random = run.random(stream);
  while (run.time_left(share)) {
    auto victim = board.get(random.next());
    auto other = board.get(random.next());
    asked.fetch_add(1);
    auto reply = co_await victim.request_with_timeout<Work>(microseconds(random.below(3000)),
                                                            random.next(), std::move(other));
    outcomes.fetch_add(1);
    stress::check(reply || reply.error() == Kind::timeout || reply.error() == Kind::stopped ||
                      reply.error() == Kind::no_such_actor || reply.error() == Kind::deadlock,
                  "an outcome that cannot be");
    run.beat();
  }
}

void attacker(stress::Run& run, sp::Runtime& runtime, Board& board, std::uint64_t stream,
              double share) {
  stress::Random random = run.random(stream);
  while (run.time_left(share)) {
    std::size_t const place = random.next();
    auto victim = board.get(place);
    attack(victim, random);
    if (random.one_in(2)) std::this_thread::yield();
    check_reason(victim.wait_exit_blocking());
    board.set(place, Victim().start_on(runtime));
    run.beat();
  }
}

sp::Task<void> clients(stress::Run& run, Board& board, double share) {
  std::vector<sp::JoinHandle<void>> handles;
  for (std::uint64_t i = 0; i < 6; ++i) handles.push_back(sp::spawn(client(run, board, i, share)));
  for (auto& handle : handles) {
    auto done = co_await handle;
    stress::check(done.has_value(), "a client failed");
  }
}

void signals(stress::Run& run, bool detect_cycles, double share) {
  sp::RuntimeOptions options;
  options.workers = 2;
  options.detect_cycles = detect_cycles;
  {
    sp::Runtime runtime(options);
    Board board(runtime);
    std::thread first([&] { attacker(run, runtime, board, 100, share); });
    std::thread second([&] { attacker(run, runtime, board, 101, share); });
    runtime.block_on(clients(run, board, share));
    first.join();
    second.join();
  }
  stress::check_equal(outcomes, asked, "outcomes of requests");
  stress::check(alive == 0, "a message or a frame is alive");
}

void runtime_ends(stress::Run& run) {
  stress::Random random = run.random(500);
  while (run.time_left()) {
    std::vector<sp::ActorRef<Victim>> refs;
    std::thread killer;
    std::atomic<bool> go{false};
    {
      sp::Runtime runtime;
      for (std::size_t i = 0; i < places; ++i) refs.push_back(Victim().start_on(runtime));
      for (auto& ref : refs) {
        auto pending = ref.start_request<Work>(random.next(), refs[random.below(places)]);
        (void)pending;
      }
      killer = std::thread([&go, refs] {
        while (!go) std::this_thread::yield();
        for (auto const& ref : refs) ref.kill();
      });
      go = true;
    }
    killer.join();
    for (auto& ref : refs) check_reason(*ref.exit_reason());
    refs.clear();
    stress::check(alive == 0, "a message or a frame outlived its runtime");
    run.beat();
  }
}

}  // namespace

int main() {
  stress::Run run("exit");
  signals(run, false, 0.35);
  signals(run, true, 0.7);
  runtime_ends(run);
  std::printf("  %llu requests, %llu ends\n", static_cast<unsigned long long>(asked),
              static_cast<unsigned long long>(ends));
  return 0;
}
