// Handlers that hold their worker for too long show up in the log, with actor and message.
//
// Run    build/release/examples/busy_genserver_warning
// Prints the warnings for a handler that sleeps and for one that computes, and that each is over.
#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <thread>
#include <utility>

#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

class BusyWorker : public sp::Actor<BusyWorker> {
 public:
  struct SlowSleep {
    std::chrono::milliseconds duration;
  };
  struct SlowCompute {
    std::chrono::milliseconds duration;
  };
  struct Quick {};

  int handle_request(SlowSleep request) {
    std::this_thread::sleep_for(request.duration);  // waiver G23: what it is about
    return ++handled_;
  }
  int handle_request(SlowCompute request) {
    // In processor time, so that a busy machine does not shorten the work.
    std::clock_t const begin = std::clock();
    while (std::chrono::duration<double>(static_cast<double>(std::clock() - begin) /
                                         CLOCKS_PER_SEC) < request.duration) {
      ++rounds_;
    }
    return ++handled_;
  }
  int handle_request(Quick /*request*/) { return ++handled_; }

 private:
  int handled_ = 0;
  std::uint64_t rounds_ = 0;
};

sp::Task<int> demo() {
  auto busy = BusyWorker{}.start();
  auto answer = co_await busy.request<BusyWorker::SlowSleep>(90ms);
  co_await sp::sleep(100ms);  // the monitor sees every few milliseconds what is over
  answer = co_await busy.request<BusyWorker::SlowCompute>(70ms);
  co_await sp::sleep(100ms);
  answer = co_await busy.request<BusyWorker::Quick>();
  sp::log::info("busy_genserver", "handled " + std::to_string(answer.value()) + " requests");
  co_return 0;
}

int main() { return sp::run(demo()); }
