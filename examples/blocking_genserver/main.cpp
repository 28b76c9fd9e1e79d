// A badly behaved actor blocks its worker, and a well-behaved one goes on beside it.
//
// Run    build/release/examples/blocking_genserver
// Prints how far the well-behaved actor has counted after a second, with one worker and with two.
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

/// Blocks the thread it runs on. Such an actor belongs on Backend::Thread or Backend::Blocking;
/// here it has neither.
class BadlyBehaved : public sp::Actor<BadlyBehaved> {
 public:
  struct Block {
    std::chrono::milliseconds duration;
  };
  void handle_message(Block message) {
    sp::log::info("blocking_genserver", "bad: blocks its worker");
    std::this_thread::sleep_for(message.duration);  // waiver G23: what it is about
  }
};

/// Counts its messages.
class WellBehaved : public sp::Actor<WellBehaved> {
 public:
  struct Tick {};
  struct GetCount {};
  void handle_message(Tick /*message*/) { ++count_; }
  int handle_request(GetCount /*request*/) const { return count_; }

 private:
  int count_ = 0;
};

// Ten ticks in a second.
sp::Task<void> tick(sp::ActorRef<WellBehaved> counter) {
  auto interval = sp::interval(100ms);
  co_await interval.tick();  // the first is due at once
  for (int i = 0; i < 10; ++i) {
    co_await interval.tick();
    counter.send<WellBehaved::Tick>();
  }
}

sp::Task<int> demo() {
  auto bad = BadlyBehaved{}.start_with_backend(sp::Backend::Async);
  auto good = WellBehaved{}.start();
  auto ticking = sp::spawn(tick(good));
  bad.send<BadlyBehaved::Block>(1500ms);

  co_await sp::sleep(1050ms);
  auto count = co_await good.request<WellBehaved::GetCount>();
  co_return count.value();
}

int run_with(unsigned workers) {
  sp::RuntimeOptions options;
  options.workers = workers;
  options.slow_turn_warning = 0ms;  // busy_genserver_warning shows the warning
  int const count = sp::run(demo(), std::move(options));
  sp::log::info("blocking_genserver", std::to_string(workers) + " workers: good counted to " +
                                          std::to_string(count) + " in its second");
  return count;
}

int main() {
  bool const all = run_with(1) == 10 && run_with(2) == 10;
  return all ? 0 : 1;
}
