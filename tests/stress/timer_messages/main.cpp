// Timers and listeners of actors against cancellation, expiry and the end of their actor.
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

struct Counts {
  std::atomic<std::int64_t> tokens{0};  // messages that exist
  std::atomic<std::uint64_t> set{0}, cancelled{0}, too_late{0}, dead{0}, handled{0};

  [[nodiscard]] std::string describe() const {
    return "tokens " + std::to_string(tokens.load()) + ", set " + std::to_string(set.load()) +
           ", cancelled " + std::to_string(cancelled.load()) + ", too late " +
           std::to_string(too_late.load()) + ", actor ended " + std::to_string(dead.load()) +
           ", handled " + std::to_string(handled.load());
  }
};

/// Counts the messages that exist, and knows whether its timer was cancelled.
class Token {
 public:
  explicit Token(Counts& counts, std::atomic<bool>* cancelled = nullptr)
      : counts_(&counts), cancelled_(cancelled) {
    counts_->tokens.fetch_add(1);
  }
  Token(Token const& other) : Token(*other.counts_, other.cancelled_) {}
  Token& operator=(Token const&) = delete;
  ~Token() { counts_->tokens.fetch_sub(1); }
  void handled() const {
    counts_->handled.fetch_add(1);
    if (cancelled_ != nullptr) {
      stress::check(!cancelled_->load(), "a cancelled message was handled");
    }
  }

 private:
  Counts* counts_;
  std::atomic<bool>* cancelled_;
};

class Target : public sp::Actor<Target> {
 public:
  struct Message {
    Token token;
  };
  struct Quit {};
  void handle_message(Message const& message) { message.token.handled(); }
  void handle_message(Quit /*order*/, sp::Context<Target>& context) { context.stop(); }
};

// --- timers ---

struct Pending {
  sp::TimerHandle timer;
  std::atomic<bool> cancelled{false};
};

void end_timer(Pending& pending, Counts& counts, bool cancel) {
  if (!cancel) return;
  if (pending.timer.cancel() == sp::CancelResult::cancelled) {
    // Before the flag is set the message must be gone already: handled() looks at the flag.
    pending.cancelled.store(true);
    counts.cancelled.fetch_add(1);
    stress::check(pending.timer.state() == sp::TimerState::cancelled, "state after cancel");
  } else {
    counts.too_late.fetch_add(1);
    auto const state = pending.timer.state();
    stress::check(state == sp::TimerState::sent || state == sp::TimerState::actor_ended,
                  "state after a cancel that was too late");
    if (state == sp::TimerState::actor_ended) {
      counts.dead.fetch_add(1);
      (void)pending.timer.error();
    }
  }
}

// The flags outlive the actors: a message that was cancelled and is handled all the same is seen.
void set_and_cancel(sp::ActorRef<Target> const& target, stress::Random& random, Counts& counts,
                    std::vector<std::unique_ptr<Pending>>& all) {
  auto pending = std::make_unique<Pending>();
  auto const delay = microseconds(random.below(3000));
  counts.set.fetch_add(1);
  pending->timer = sp::send_after<Target::Message>(random.one_in(16) ? microseconds(0) : delay,
                                                   target, Token(counts, &pending->cancelled));
  if (random.one_in(8)) (void)pending->timer.time_left();
  all.push_back(std::move(pending));
  if (random.one_in(2)) {
    Pending& one = *all[random.below(all.size())];
    if (!one.cancelled.load()) end_timer(one, counts, true);
  }
}

sp::Task<void> timers_on_worker(stress::Run& run, stress::Random random, Counts& counts,
                                double share) {
  while (run.time_left(share)) {
    std::vector<std::unique_ptr<Pending>> all;
    std::vector<sp::ActorRef<Target>> targets;
    for (int i = 0; i < 4; ++i) {
      sp::ActorOptions options;
      if (random.one_in(16)) options.backend = sp::Backend::Blocking;
      targets.push_back(sp::start_with<Target>(options));
    }
    for (int i = 0; i < 400; ++i) {
      set_and_cancel(targets[random.below(targets.size())], random, counts, all);
      if (random.one_in(100)) targets[random.below(targets.size())].send<Target::Quit>();
      if (random.one_in(50)) co_await sp::sleep(milliseconds(1));
    }
    for (auto& target : targets) {
      target.stop();
      (void)co_await target.wait_exit();
    }
    for (auto const& one : all) {
      stress::check(one->timer.state() != sp::TimerState::waiting, "a timer outlived its actor");
    }
    run.beat();
  }
}

void timers_outside(stress::Run& run, sp::Runtime& runtime, stress::Random random, Counts& counts,
                    double share) {
  while (run.time_left(share)) {
    std::vector<std::unique_ptr<Pending>> all;
    auto target = sp::start_on<Target>(runtime);
    std::thread other([&, seed = random.next()] {
      stress::Random mine(seed);
      std::vector<std::unique_ptr<Pending>> own;
      for (int i = 0; i < 200; ++i) set_and_cancel(target, mine, counts, own);
      target.wait_exit_blocking();
    });
    for (int i = 0; i < 200; ++i) set_and_cancel(target, random, counts, all);
    if (random.one_in(2)) target.stop();
    for (auto const& one : all) {
      if (!one->cancelled.load()) end_timer(*one, counts, random.one_in(2));
    }
    target.stop();
    other.join();
    for (auto const& one : all) {
      stress::check(one->timer.state() != sp::TimerState::waiting, "a timer outlived its actor");
    }
    run.beat();
  }
}

// --- intervals ---

class Ticked : public sp::Actor<Ticked> {
 public:
  struct Tick {
    Token token;
  };
  struct Own {
    sp::TimerHandle* handle;
    std::uint64_t after;
  };
  struct Count {};
  void handle_message(Tick const& tick) {
    tick.token.handled();
    ++count_;
    if (own_ != nullptr && count_ == after_) {
      stress::check(own_->cancel() == sp::CancelResult::cancelled, "an actor cancels its interval");
      own_ = nullptr;
    }
  }
  void handle_message(Own own) {
    own_ = own.handle;
    after_ = count_ + own.after;
  }
  std::uint64_t handle_request(Count /*question*/) const { return count_; }

 private:
  std::uint64_t count_ = 0;
  sp::TimerHandle* own_ = nullptr;
  std::uint64_t after_ = 0;
};

sp::Task<void> intervals(stress::Run& run, stress::Random random, Counts& counts, double share) {
  while (run.time_left(share)) {
    auto actor = sp::start<Ticked>();
    bool const burst = random.one_in(2);
    counts.set.fetch_add(1);
    auto ticks = sp::send_interval<Ticked::Tick>(
        milliseconds(1), burst ? sp::MissedTicks::burst : sp::MissedTicks::skip, actor,
        Token(counts));
    if (random.one_in(3)) {
      actor.send<Ticked::Own>(&ticks, 1 + random.below(3));
      while (ticks.state() == sp::TimerState::waiting) co_await sp::sleep(milliseconds(1));
    } else {
      co_await sp::sleep(microseconds(random.below(5000)));
      stress::check(ticks.cancel() == sp::CancelResult::cancelled, "an interval lives on");
    }
    counts.cancelled.fetch_add(1);
    // Behind what was in the mailbox: nothing more may come afterwards.
    auto before = co_await actor.request<Ticked::Count>();
    if (random.one_in(4)) co_await sp::sleep(milliseconds(3));
    auto after = co_await actor.request<Ticked::Count>();
    stress::check_equal(*after, *before, "ticks after cancel");
    actor.stop();
    run.beat();
  }
}

void intervals_outside(stress::Run& run, sp::Runtime& runtime, stress::Random random,
                       Counts& counts, double share) {
  while (run.time_left(share)) {
    auto actor = sp::start_on<Ticked>(runtime);
    counts.set.fetch_add(1);
    auto ticks = sp::send_interval<Ticked::Tick>(milliseconds(1), actor, Token(counts));
    std::uint64_t const wanted = random.below(3);
    while (*actor.request_blocking<Ticked::Count>() < wanted) {
    }
    if (random.one_in(3)) {
      actor.stop();
      (void)ticks.cancel();
    } else {
      stress::check(ticks.cancel() == sp::CancelResult::cancelled, "an interval lives on");
      auto before = actor.request_blocking<Ticked::Count>();
      auto after = actor.request_blocking<Ticked::Count>();
      stress::check_equal(*after, *before, "ticks after cancel");
      actor.stop();
    }
    actor.wait_exit_blocking();
    run.beat();
  }
}

// --- idle timeouts ---

class Idler : public sp::Actor<Idler> {
 public:
  struct Timeout {
    Token token;
    std::uint64_t generation;
  };
  struct Poke {
    microseconds delay;
    Counts* counts;
  };
  void handle_message(Poke poke, sp::Context<Idler>& context) {
    ++generation_;
    context.set_idle_timeout<Timeout>(poke.delay, Token(*poke.counts), generation_);
    poke.counts->set.fetch_add(1);
  }
  void handle_message(Timeout const& timeout) {
    timeout.token.handled();
    stress::check_equal(timeout.generation, generation_, "the newest timeout's generation");
    stress::check(last_ != generation_, "a timeout came twice");
    last_ = generation_;
  }

 private:
  std::uint64_t generation_ = 0;
  std::uint64_t last_ = 0;
};

sp::Task<void> idlers(stress::Run& run, stress::Random random, Counts& counts, double share) {
  while (run.time_left(share)) {
    auto actor = sp::start<Idler>();
    for (int i = 0; i < 50; ++i) {
      actor.send<Idler::Poke>(microseconds(random.below(2) * random.below(2500)), &counts);
      if (random.one_in(3)) co_await sp::sleep(microseconds(random.below(3000)));
    }
    actor.stop();
    run.beat();
  }
}

// --- listeners ---

class Numbers {
 public:
  Numbers(Counts& counts, std::uint64_t pause) : counts_(&counts), pause_(pause) {}
  sp::Task<std::optional<Target::Message>> next() {
    if (pause_ != 0 && ++count_ % pause_ == 0) co_await sp::sleep(microseconds(500));
    co_return Target::Message{Token(*counts_)};
  }

 private:
  Counts* counts_;
  std::uint64_t pause_;
  std::uint64_t count_ = 0;
};

sp::Task<void> listeners(stress::Run& run, stress::Random random, Counts& counts, double share) {
  while (run.time_left(share)) {
    auto actor = sp::start<Target>();
    sp::CancellationToken token;
    std::vector<sp::ListenerHandle> handles;
    handles.push_back(sp::spawn_listener(actor, Numbers(counts, 1 + random.below(100))));
    for (int i = 0; i < 4; ++i) {
      handles.push_back(sp::send_message_on<Target::Message>(actor, token, Token(counts)));
    }
    counts.set.fetch_add(handles.size());
    if (random.one_in(2)) co_await sp::sleep(microseconds(random.below(2000)));
    if (random.one_in(2)) token.cancel();
    if (random.one_in(2)) actor.stop();
    for (auto& handle : handles) {
      if (random.one_in(2) && handle.cancel() == sp::CancelResult::cancelled) {
        counts.cancelled.fetch_add(1);
      }
    }
    actor.stop();
    (void)co_await actor.wait_exit();
    for (auto& handle : handles) {
      stress::check(handle.state() != sp::ListenerState::listening,
                    "a listener outlived its actor");
    }
    run.beat();
  }
}

template <typename Body>
void phase(stress::Run& run, unsigned workers, char const* name, bool each_once, Body body) {
  std::printf("  phase \"%s\"\n", name);
  Counts counts;
  {
    sp::RuntimeOptions options;
    options.workers = workers;
    sp::Runtime runtime(std::move(options));
    run.on_hang([&] { return counts.describe() + "\n" + stress::describe(runtime); });
    body(runtime, counts);
  }
  run.on_hang({});
  std::printf("  %s\n", counts.describe().c_str());
  stress::check_equal(static_cast<std::uint64_t>(counts.tokens.load()), 0, "messages left");
  stress::check(!each_once || counts.handled.load() + counts.cancelled.load() <= counts.set.load(),
                "more timers were handled or cancelled than set");
}

template <typename Start>
void spawn_all(sp::Runtime& runtime, int count, Start start) {
  std::vector<sp::JoinHandle<void>> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back(runtime.spawn(start(i)));
  for (auto& task : tasks) stress::check(task.join_blocking().has_value(), "a task of the phase");
}

}  // namespace

int main() {
  stress::Run run("timer_messages");
  for (unsigned const workers : {1U, 2U}) {
    double const share = workers == 1 ? 0.15 : 0.3;
    phase(run, workers, "timers, on workers", true, [&](sp::Runtime& runtime, Counts& counts) {
      spawn_all(runtime, 8, [&](int i) {
        return timers_on_worker(run, run.random(static_cast<std::uint64_t>(10 + i)), counts, share);
      });
    });
  }
  phase(run, 2, "timers, outside", true, [&](sp::Runtime& runtime, Counts& counts) {
    timers_outside(run, runtime, run.random(20), counts, 0.45);
  });
  phase(run, 2, "intervals", false, [&](sp::Runtime& runtime, Counts& counts) {
    std::thread outside([&] { intervals_outside(run, runtime, run.random(30), counts, 0.65); });
    spawn_all(runtime, 16, [&](int i) {
      return intervals(run, run.random(static_cast<std::uint64_t>(40 + i)), counts, 0.65);
    });
    outside.join();
  });
  phase(run, 2, "idle timeouts", true, [&](sp::Runtime& runtime, Counts& counts) {
    spawn_all(runtime, 16, [&](int i) {
      return idlers(run, run.random(static_cast<std::uint64_t>(60 + i)), counts, 0.8);
    });
  });
  phase(run, 2, "listeners", false, [&](sp::Runtime& runtime, Counts& counts) {
    spawn_all(runtime, 16, [&](int i) {
      return listeners(run, run.random(static_cast<std::uint64_t>(80 + i)), counts, 1.0);
    });
  });
  return 0;
}
