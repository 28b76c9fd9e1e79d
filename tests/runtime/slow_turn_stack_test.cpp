#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <pthread.h>
#include <unistd.h>

#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/signal.hpp>
#include <spawned/runtime/spawn.hpp>

#include "support/blocked.hpp"
#include "support/runtime.hpp"
#include "support/signal_handler.hpp"

namespace sp = spawned;
using namespace std::chrono_literals;
using test::Bolt;
using test::wait_until;
using test::WithHandler;

// The name a stack is to show. Not in the anonymous namespace, which would hide it from the loader.
extern "C" [[gnu::noinline]] void spawned_test_blocks_here(test::Bolt& bolt) {
  bolt.pass();
  asm volatile("" ::: "memory");  // or the call would be a jump, and leave no frame
}

extern "C" [[gnu::noinline]] void spawned_test_waits_for_a_signal(int& error) {
  error = pause() == -1 ? errno : 0;
}

namespace {

sp::Task<void> wait_for_a_signal(int& error) {
  spawned_test_waits_for_a_signal(error);
  co_return;
}

sp::Task<void> block(Bolt& bolt) {
  spawned_test_blocks_here(bolt);
  co_return;
}

// The same, deaf to the signal.
sp::Task<void> block_with_mask(Bolt& bolt, int signal) {
  sigset_t only;
  sigset_t before;
  sigemptyset(&only);
  sigaddset(&only, signal);
  pthread_sigmask(SIG_BLOCK, &only, &before);
  spawned_test_blocks_here(bolt);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  co_return;
}

sp::RuntimeOptions with_stacks(int signal) {
  auto options = test::with_workers(1);
  options.slow_turn_stack_signal = signal;
  return options;
}

std::vector<std::string> lines_with(test::LogCapture const& log, std::string const& words) {
  std::vector<std::string> found;
  for (std::string const& line : log.lines()) {
    if (line.find(words) != std::string::npos) found.push_back(line);
  }
  return found;
}

bool is_default(int signal) {
  struct sigaction now = {};
  sigaction(signal, nullptr, &now);
  return (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL;
}

void other_handler(int /*signal*/) {}

std::string refused_field(sp::RuntimeOptions const& options) {
  try {
    sp::Runtime const runtime(options);
  } catch (sp::InvalidOptions const& error) {
    return error.field();
  }
  return "nothing";
}

// Blocks a worker, or a spare, until the monitor has said what it has of its stack. A busy machine
// may keep the thread from its answer: again then.
std::string stack_of_blocked(sp::Runtime& runtime, test::LogCapture const& log) {
  for (int round = 0; round < 50; ++round) {
    auto const before = lines_with(log, "stack of worker ").size();
    Bolt bolt;
    auto blocked = runtime.spawn(block(bolt));
    wait_until([&] { return lines_with(log, "stack of worker ").size() > before; });
    bolt.open();
    (void)blocked.join_blocking();
    auto const found = lines_with(log, ": the stack of worker ");
    if (!found.empty()) return found.back();
  }
  return "the thread never answered";
}

}  // namespace

TEST_SUITE("runtime/slow_turn_stack") {
  TEST_CASE("the stack of a blocked worker names the function that blocks it") {
    test::LogCapture const log;
    sp::Runtime runtime(with_stacks(SIGRTMIN + 5));
    std::string const stack = stack_of_blocked(runtime, log);
    CAPTURE(stack);
    CHECK(stack.find("WARN spawned: task spawned at ") != std::string::npos);
    CHECK(stack.find("slow_turn_stack_test.cpp:") != std::string::npos);
    CHECK(stack.find(" spawned_test_blocks_here +0x") != std::string::npos);
    CHECK(stack.find("runtime_tests +0x") != std::string::npos);  // module and offset
    CHECK(stack.find("spawned_on_stack_signal") == std::string::npos);
    CHECK(stack.find("\n  #1 ") != std::string::npos);
  }

  TEST_CASE("a system call that the signal interrupts fails with EINTR, and is in the stack") {
    test::LogCapture const log;
    sp::Runtime runtime(with_stacks(SIGRTMIN + 5));
    std::vector<std::string> stacks;
    for (std::size_t round = 0; round < 50 && stacks.empty(); ++round) {  // as stack_of_blocked()
      int error = 0;
      CHECK(runtime.spawn(wait_for_a_signal(error)).join_blocking().has_value());
      CHECK(error == EINTR);
      wait_until([&] { return lines_with(log, " ran for ").size() > round; });
      stacks = lines_with(log, ": the stack of worker ");
    }
    REQUIRE(stacks.size() == 1);
    CHECK(stacks[0].find(" spawned_test_waits_for_a_signal +0x") != std::string::npos);
  }

  TEST_CASE("only the first warning of a step comes with a stack") {
    test::LogCapture const log;
    Bolt bolt;
    sp::Runtime runtime(with_stacks(SIGRTMIN + 5));
    auto blocked = runtime.spawn(block(bolt));
    wait_until([&] { return lines_with(log, "has been running for").size() == 2; });
    bolt.open();
    wait_until([&] { return lines_with(log, " ran for ").size() == 1; });
    CHECK(lines_with(log, "stack of worker").size() == 1);
  }

  TEST_CASE("without the option there is no stack, and no handler is installed") {
    test::LogCapture const log;
    Bolt bolt;
    sp::Runtime runtime(test::with_workers(1));
    auto blocked = runtime.spawn(block(bolt));
    wait_until([&] { return lines_with(log, "has been running for").size() == 2; });
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) CHECK(is_default(signal));
    bolt.open();
    CHECK(blocked.join_blocking().has_value());
    CHECK(lines_with(log, "stack of worker").empty());
  }

  TEST_CASE("several runtimes take stacks at once, with one signal or with two") {
    int const second = SIGRTMIN + 5;
    int first = 0;
    SUBCASE("one signal") { first = second; }
    SUBCASE("two signals") { first = SIGRTMIN + 6; }
    {
      test::LogCapture const log;
      sp::Runtime one(with_stacks(first));
      {
        sp::Runtime two(with_stacks(second));
        Bolt bolt;
        auto in_one = one.spawn(block(bolt));
        auto in_two = two.spawn(block(bolt));
        wait_until([&] { return lines_with(log, "stack of worker ").size() == 2; });
        bolt.open();
        CHECK(in_one.join_blocking().has_value());
        CHECK(in_two.join_blocking().has_value());
      }
      CHECK_FALSE(is_default(first));
      CHECK(is_default(second) == (first != second));
      CHECK(stack_of_blocked(one, log).find("spawned_test_blocks_here") != std::string::npos);
    }
    CHECK(is_default(first));
    CHECK(is_default(second));
  }

  TEST_CASE("a signal that the program uses is refused by name, and stays as it was") {
    int const signal = SIGRTMIN + 5;
    {
      WithHandler const taken(signal, other_handler);
      CHECK(refused_field(with_stacks(signal)) == "slow_turn_stack_signal");
      struct sigaction now = {};
      sigaction(signal, nullptr, &now);
      bool const kept = now.sa_handler == other_handler;
      CHECK(kept);
    }
    {
      WithHandler const ignored(signal, SIG_IGN);
      CHECK(refused_field(with_stacks(signal)) == "slow_turn_stack_signal");
    }
    {
      sp::Signals const subscribed(signal);
      CHECK(refused_field(with_stacks(signal)) == "slow_turn_stack_signal");
    }
    sp::Runtime const runtime(with_stacks(signal));
    CHECK_THROWS_AS(sp::Signals{signal}, sp::InvalidSignal);
  }

  TEST_CASE("only real-time signals are taken") {
    for (int const signal : {-1, 1, SIGUSR1, SIGRTMIN - 1, SIGRTMAX + 1}) {
      CHECK(refused_field(with_stacks(signal)) == "slow_turn_stack_signal");
    }
    CHECK(refused_field(with_stacks(SIGRTMIN)) == "nothing");
    CHECK(refused_field(with_stacks(SIGRTMAX)) == "nothing");
  }

  TEST_CASE("a worker that does not answer is named, and its late answer harms nothing") {
    int const signal = SIGRTMIN + 5;
    test::LogCapture const log;
    sp::Runtime runtime(with_stacks(signal));
    Bolt bolt;
    auto blocked = runtime.spawn(block_with_mask(bolt, signal));
    wait_until([&] { return lines_with(log, "no stack of worker ").size() == 1; });
    CHECK(lines_with(log, "the thread did not answer").size() == 1);
    bolt.open();
    CHECK(blocked.join_blocking().has_value());
    CHECK(stack_of_blocked(runtime, log).find("spawned_test_blocks_here") != std::string::npos);
  }

  TEST_CASE("no signal is sent once the program has replaced the handler") {
    int const signal = SIGRTMIN + 5;
    {
      test::LogCapture const log;
      sp::Runtime runtime(with_stacks(signal));
      std::signal(signal, SIG_DFL);  // which would end the process
      Bolt bolt;
      auto blocked = runtime.spawn(block(bolt));
      wait_until([&] { return lines_with(log, "the handler of its signal was replaced").size(); });
      bolt.open();
      CHECK(blocked.join_blocking().has_value());
    }
    CHECK(is_default(signal));
  }

  TEST_CASE("without slow_turn_warning the signal is left alone") {
    auto options = with_stacks(SIGRTMIN + 5);
    options.slow_turn_warning = 0ns;
    sp::Runtime const runtime(std::move(options));
    CHECK(is_default(SIGRTMIN + 5));
  }

  TEST_CASE("workers of a thread that blocks all signals answer all the same") {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    test::LogCapture const log;
    sp::Runtime runtime(with_stacks(SIGRTMIN + 5));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    CHECK(stack_of_blocked(runtime, log).find("spawned_test_blocks_here") != std::string::npos);
  }
}
