#include "scheduler/thread_stack.hpp"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <pthread.h>
#include <sched.h>

#include "support/runtime.hpp"

using spawned::detail::ThreadStack;

// What the threads that are asked are in. Global, so that the loader knows the names.
extern "C" [[gnu::noinline]] void spawned_test_first_place(std::atomic<bool> const& over) {
  while (!over.load()) sched_yield();
  asm volatile("# first" ::: "memory");  // not a tail call, and no twin of the other one
}
extern "C" [[gnu::noinline]] void spawned_test_second_place(std::atomic<bool> const& over) {
  while (!over.load()) sched_yield();
  asm volatile("# second" ::: "memory");
}

namespace {

constexpr std::int64_t second = 1'000'000'000;

bool shows(ThreadStack::Answer const& answer, char const* name) {
  return answer.taken && answer.text.find(name) != std::string::npos;
}

/// A thread in one of the places, until it goes.
class Target {
 public:
  using Place = void (*)(std::atomic<bool> const&);
  explicit Target(Place place)
      : thread([this, place] {
          running_.store(true);
          place(over_);
        }) {
    test::wait_until([this] { return running_.load(); });
  }
  Target(Target const&) = delete;
  Target& operator=(Target const&) = delete;
  ~Target() {
    over_.store(true);
    thread.join();
  }

 private:
  std::atomic<bool> running_{false};
  std::atomic<bool> over_{false};

 public:
  std::thread thread;
};

}  // namespace

TEST_SUITE("runtime/detail/thread_stack") {
  TEST_CASE("a late answer does not become that of the next question") {
    int const signal = SIGRTMIN + 4;
    ThreadStack stack;
    stack.acquire(signal);
    std::atomic<int> step{0};
    std::thread deaf([&] {
      sigset_t only;
      sigemptyset(&only);
      sigaddset(&only, signal);
      pthread_sigmask(SIG_BLOCK, &only, nullptr);
      step.store(1);
      test::wait_until([&] { return step.load() == 2; });
      pthread_sigmask(SIG_UNBLOCK, &only, nullptr);  // handles what was queued
      step.store(3);
    });
    test::wait_until([&] { return step.load() == 1; });
    for (int i = 0; i < 5; ++i) {
      ThreadStack::Answer const none = stack.take(deaf, 1'000'000);
      CHECK_FALSE(none.taken);
      CHECK(none.text == "the thread did not answer");
    }
    Target target(spawned_test_first_place);
    CHECK(shows(stack.take(target.thread, 60 * second), "spawned_test_first_place"));
    step.store(2);
    test::wait_until([&] { return step.load() == 3; });
    CHECK(shows(stack.take(target.thread, 60 * second), "spawned_test_first_place"));
    deaf.join();
  }

  TEST_CASE("a signal from elsewhere is no answer and does no harm") {
    int const signal = SIGRTMIN + 4;
    ThreadStack stack;
    stack.acquire(signal);
    pthread_kill(pthread_self(), signal);
    sigval value{};
    for (value.sival_int = 0; value.sival_int < 64; ++value.sival_int) {
      pthread_sigqueue(pthread_self(), signal, value);
    }
    Target target(spawned_test_first_place);
    CHECK(shows(stack.take(target.thread, 60 * second), "spawned_test_first_place"));
  }

  TEST_CASE("who asks gets the stack of whom he asked, with time limits met in every state") {
    int const signal = SIGRTMIN + 4;
    Target first(spawned_test_first_place);
    Target other(spawned_test_second_place);
    std::atomic<int> taken{0};
    std::atomic<int> wrong{0};
    auto const ask = [&](Target& target, char const* name, char const* not_name) {
      ThreadStack stack;
      stack.acquire(signal);
      for (int i = 0; i < 1000; ++i) {
        ThreadStack::Answer const answer = stack.take(target.thread, i % 50 * 1000);
        if (!answer.taken) continue;
        taken.fetch_add(1);
        if (!shows(answer, name) || shows(answer, not_name)) wrong.fetch_add(1);
      }
      test::wait_until([&] { return stack.take(target.thread, second).taken; });
    };
    std::thread one([&] { ask(first, "spawned_test_first_place", "spawned_test_second_place"); });
    ask(other, "spawned_test_second_place", "spawned_test_first_place");
    one.join();
    MESSAGE(taken.load(), " stacks within the time");
    CHECK(wrong.load() == 0);
  }
}
