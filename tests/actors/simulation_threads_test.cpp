#include <chrono>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <doctest/doctest.h>

#include <spawned/runtime/simulation.hpp>
#include <spawned/tasks.hpp>
#include <spawned/threads.hpp>

namespace sp = spawned::tasks;
namespace sim = spawned::simulation;
using namespace std::chrono_literals;

namespace {

class Counter : public sp::Actor<Counter> {
 public:
  struct Get {};
  struct Set {
    int value;
  };
  int handle_request(Get /*request*/) const { return value_; }
  void handle_request(Set set) { value_ = set.value; }

 private:
  int value_ = 0;
};

// Reads, then writes: not one step. Blocks its thread meanwhile.
class Adder : public sp::Actor<Adder> {
 public:
  struct Add {};
  explicit Adder(sp::ActorRef<Counter> counter) : counter_(std::move(counter)) {}
  void handle_request(Add /*request*/) {
    auto const before = counter_.request_blocking<Counter::Get>();
    spawned::threads::sleep(1ms);
    (void)counter_.request_blocking<Counter::Set>(before.value() + 1);
  }

 private:
  sp::ActorRef<Counter> counter_;
};

template <sp::Backend backend>
sp::Task<void> lose_an_update() {
  auto counter = Counter{}.start();
  auto one = Adder(counter).start_with_backend(backend);
  auto other = Adder(counter).start_with_backend(backend);
  auto first = one.start_request<Adder::Add>();
  auto second = other.start_request<Adder::Add>();
  (void)co_await first;
  (void)co_await second;
  auto const value = co_await counter.request<Counter::Get>();
  if (value.value() != 2) throw std::runtime_error("value " + std::to_string(value.value()));
}

sp::Task<void> block_in_jobs(std::string& order) {
  auto counter = Counter{}.start();
  auto job = [&order, counter](char name) {
    order += name;
    (void)counter.request_blocking<Counter::Get>();
    order += name;
  };
  auto first_job = [job] { job('a'); };
  auto second_job = [job] { job('b'); };
  auto first = spawned::spawn_blocking(spawned::moved(first_job));
  auto second = spawned::spawn_blocking(spawned::moved(second_job));
  (void)co_await first;
  (void)co_await second;
}

sp::Task<void> wait_in_a_job_for_ever() {
  auto [sender, receiver] = spawned::oneshot<int>();
  auto wait = [&receiver] { (void)receiver.receive_blocking(); };
  auto job = spawned::spawn_blocking(spawned::moved(wait));
  (void)co_await job;
  (void)sender;
}

}  // namespace

TEST_SUITE("actors/simulation_threads") {
  TEST_CASE_TEMPLATE_DEFINE("actors that block take part: seeds decide, and find the lost update",
                            Backend, backends) {
    auto const program = lose_an_update<Backend::value>;
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
      CHECK_NOTHROW(sim::check_determinism(seed, program));
    }
    sim::ExploreOptions options;
    options.clock = sim::ClockMode::idle;
    auto const findings = sim::explore(options, program);
    CHECK(findings.report.problem == "value 1");
    CHECK(sim::replay(findings.shrunk.choices, options, program).problem == "value 1");
  }
  TEST_CASE_TEMPLATE_INVOKE(backends, std::integral_constant<sp::Backend, sp::Backend::Blocking>,
                            std::integral_constant<sp::Backend, sp::Backend::Thread>);

  TEST_CASE("blocking jobs interleave where they wait for the runtime, and only there") {
    std::set<std::string> seen;
    std::string order;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      order.clear();
      CHECK(sim::run(seed, [&order] { return block_in_jobs(order); }).passed());
      seen.insert(order);
    }
    CHECK(seen == std::set<std::string>{"aabb", "abab", "abba", "baab", "baba", "bbaa"});
  }

  TEST_CASE("one thread runs at a time") {
    std::set<std::thread::id> threads;
    int running = 0;  // without a lock: the thread sanitizer looks on
    auto const program = [&]() -> sp::Task<void> {
      auto count = [&] {
        CHECK(++running == 1);
        threads.insert(std::this_thread::get_id());
        --running;
        spawned::threads::sleep(1ms);
        CHECK(++running == 1);
        --running;
      };
      auto other_count = count;
      auto one = spawned::threads::spawn(spawned::moved(count));
      auto other = spawned::threads::spawn(spawned::moved(other_count));
      auto wait = [&] {
        (void)one.join();
        (void)other.join();
      };
      auto waiting = spawned::spawn_blocking(spawned::moved(wait));
      (void)co_await waiting;
    };
    CHECK(sim::run(3, program).passed());
    CHECK(threads.size() == 2);
  }

  TEST_CASE("a blocked thread that nobody wakes is a deadlock") {
    auto const report = sim::run(1, wait_in_a_job_for_ever);
    CHECK(report.outcome == sim::Outcome::deadlock);
  }
}
