// SPAWNED_SIMULATION_TEST: a test case that is simulated, in the test framework at hand.
//
//   #include <doctest/doctest.h>
//   #include <spawned/runtime/simulation/test_case.hpp>
//
//   SPAWNED_SIMULATION_TEST("no money is lost", .seeds = 2000) {
//     co_await transfer();
//   }
//
// The arguments behind the name initialise an ExploreOptions. The body is a coroutine that returns
// Task<void>; it fails as Program does, by what leaves it and by simulation checks. Assertions of
// the framework belong outside of it: the body runs many times, and what the last one failed with
// is not what the search is looking for.
//
// It works with doctest and Catch2, if their header is included first. For any other framework
// define, before including this one,
//   SPAWNED_SIMULATION_TEST_CASE(name)  that opens a test case, like TEST_CASE(name)
//   SPAWNED_SIMULATION_FAIL(text)       that fails it with a std::string
#pragma once

#include <string>

#include <spawned/runtime/simulation/checks.hpp>
#include <spawned/runtime/simulation/test.hpp>

#if !defined(SPAWNED_SIMULATION_TEST_CASE)
#if defined(DOCTEST_VERSION) || defined(CATCH_VERSION_MAJOR)
#define SPAWNED_SIMULATION_TEST_CASE(name) TEST_CASE(name)
#define SPAWNED_SIMULATION_FAIL(text) FAIL(text)
#else
#error "include doctest or Catch2 first, or define SPAWNED_SIMULATION_TEST_CASE and _FAIL"
#endif
#endif

#define SPAWNED_SIMULATION_JOIN_2(a, b) a##b
#define SPAWNED_SIMULATION_JOIN(a, b) SPAWNED_SIMULATION_JOIN_2(a, b)
#define SPAWNED_SIMULATION_TEST_2(function, name, ...)                            \
  static ::spawned::Task<void> function();                                        \
  SPAWNED_SIMULATION_TEST_CASE(name) {                                            \
    ::spawned::simulation::Findings const findings = ::spawned::simulation::test( \
        name, ::spawned::simulation::ExploreOptions{__VA_ARGS__}, function);      \
    if (!findings.passed())                                                       \
      SPAWNED_SIMULATION_FAIL(std::string(name) + ": " + findings.to_string());   \
  }                                                                               \
  static ::spawned::Task<void> function()

#define SPAWNED_SIMULATION_TEST(name, ...)                                                     \
  SPAWNED_SIMULATION_TEST_2(SPAWNED_SIMULATION_JOIN(spawned_simulation_test_, __LINE__), name, \
                            __VA_ARGS__)
