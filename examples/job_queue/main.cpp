// A queue of jobs, some of which crash whoever does them: a pool of workers under a supervisor,
// with a pause before a worker that crashes again and again is restarted, and a place for jobs that
// have crashed three workers. The whole is an application: it ends when the queue has.
//
// Run    build/release/examples/job_queue
// Prints how the jobs went, the restarts, and how the application ended.
#include <chrono>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <spawned/supervision/application.hpp>
#include <spawned/supervision/describe.hpp>
#include <spawned/supervision/pool.hpp>
#include <spawned/tasks.hpp>

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

constexpr int jobs = 40;
constexpr int worker_count = 3;
constexpr int attempts_most = 3;

struct Job {
  int number;
  int attempts = 0;
};

class Worker : public sp::Actor<Worker> {
 public:
  sp::Task<int> handle_request(Job job) {
    co_await sp::sleep(1ms);  // the work
    if (job.number % 17 == 0) throw std::runtime_error("poison");
    int const square = job.number * job.number;
    co_return square;
  }
};

/// Hands the jobs out, until each is done or set aside.
class Queue : public sp::Actor<Queue> {
 public:
  struct Take {};
  struct Done {
    Job job;
  };
  struct Failed {
    Job job;
  };

  explicit Queue(sp::Pool<Worker> pool) : pool_(std::move(pool)) {
    for (int number = 1; number <= jobs; ++number) waiting_.push_back(Job{number});
  }

  void init(sp::Context<Queue>& context) {
    for (int i = 0; i < worker_count; ++i) (void)sp::spawn(feed(context.self(), pool_));
  }
  std::optional<Job> handle_request(Take /*take*/) {
    if (waiting_.empty()) return std::nullopt;
    Job const job = waiting_.front();
    waiting_.pop_front();
    return job;
  }
  void handle_request(Done /*done*/, sp::Context<Queue>& context) {
    ++done_;
    end_if_through(context);
  }
  void handle_request(Failed failed, sp::Context<Queue>& context) {
    if (++failed.job.attempts < attempts_most) {
      waiting_.push_back(failed.job);
    } else {
      set_aside_.push_back(failed.job);
    }
    end_if_through(context);
  }
  void teardown() {
    sp::log::info("jobs", std::to_string(done_) + " jobs are done");
    for (Job const& job : set_aside_) {
      sp::log::info("jobs", "a job has crashed " + std::to_string(job.attempts) +
                                " workers and is set aside");
    }
  }

 private:
  // One of these for each worker: gives it a job, and the next when that is done.
  static sp::Task<void> feed(sp::ActorRef<Queue> queue, sp::Pool<Worker> pool) {
    for (;;) {
      auto job = co_await queue.request<Take>();
      if (!job || !*job) co_return;
      auto result = co_await pool.request<Job>(**job);
      if (result) {
        (void)co_await queue.request<Done>(**job);
      } else {
        (void)co_await queue.request<Failed>(**job);
      }
    }
  }
  void end_if_through(sp::Context<Queue>& context) {
    if (done_ + static_cast<int>(set_aside_.size()) == jobs) context.stop();
  }

  sp::Pool<Worker> pool_;
  std::deque<Job> waiting_;
  std::vector<Job> set_aside_;
  int done_ = 0;
};

/// Starts last and stops first: it sees the workers as they are at the end.
class Reporter : public sp::Actor<Reporter> {
 public:
  struct Nothing {};
  explicit Reporter(sp::Pool<Worker> pool) : pool_(std::move(pool)) {}
  void handle_message(Nothing /*nothing*/) {}
  sp::Task<void> teardown() {
    auto router = pool_.router();
    auto tree = co_await spawned::supervision::describe(*router);
    unsigned restarts = 0;
    for (auto const& worker : tree.children) restarts += worker.restarts;
    sp::log::info("jobs", std::to_string(tree.children.size()) + " workers, restarted " +
                              std::to_string(restarts) + " times");
  }

 private:
  sp::Pool<Worker> pool_;
};

int main() {
  sp::PoolOptions options;
  options.size = worker_count;
  options.backoff.first = 5ms;
  options.backoff.most = 50ms;
  sp::Pool<Worker> pool(options, [] { return Worker{}; });

  sp::ApplicationOptions application;
  application.name = "jobs";
  application.root.auto_shutdown = spawned::AutoShutdown::any_significant;
  auto queue = sp::child("queue", [pool] { return Queue(pool); });
  queue.restart(spawned::Restart::transient).significant();
  return sp::run_application(application, pool.child("workers"), queue,
                             sp::child("reporter", [pool] { return Reporter(pool); }));
}
