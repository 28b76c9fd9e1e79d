// SPAWNED_SIMULATION_TEST: a test case that is simulated, in the test framework at hand.
//
//   #include <doctest/doctest.h>
//   #include <spawned/runtime/simulation/test_case.hpp>
//
//   SPAWNED_SIMULATION_TEST("no money is lost", options.seeds = 2000) {
//     co_await transfer();
//   }
//
// What comes behind the name are assignments to `options`, an ExploreOptions. The body is a
// coroutine that returns Task<void>; it fails as Program does, by what leaves it and by simulation
// checks. Assertions of the framework belong outside of it: the body runs many times, and what the
// last one failed with is not what the search is looking for.
//
// It works with what calls its macros TEST_CASE(name) and FAIL(text), as doctest and Catch2 do. For
// any other framework define before the first use
//   SPAWNED_SIMULATION_TEST_CASE(name)  that opens a test case
//   SPAWNED_SIMULATION_FAIL(text)       that fails it with a std::string
#pragma once

#include <string>

#include <spawned/runtime/simulation/checks.hpp>
#include <spawned/runtime/simulation/test.hpp>

#if !defined(SPAWNED_SIMULATION_TEST_CASE)
#define SPAWNED_SIMULATION_TEST_CASE(name) TEST_CASE(name)
#endif
#if !defined(SPAWNED_SIMULATION_FAIL)
#define SPAWNED_SIMULATION_FAIL(text) FAIL(text)
#endif

#define SPAWNED_SIMULATION_JOIN_2(a, b) a##b
#define SPAWNED_SIMULATION_JOIN(a, b) SPAWNED_SIMULATION_JOIN_2(a, b)
#define SPAWNED_SIMULATION_TEST_2(function, name, ...)                          \
  static ::spawned::Task<void> function();                                      \
  SPAWNED_SIMULATION_TEST_CASE(name) {                                          \
    ::spawned::simulation::ExploreOptions options;                              \
    static_cast<void>(0) __VA_OPT__(, ) __VA_ARGS__;                            \
    ::spawned::simulation::Findings const findings =                            \
        ::spawned::simulation::test(name, options, function);                   \
    std::string const report = std::string(name) + ": " + findings.to_string(); \
    if (!findings.passed()) SPAWNED_SIMULATION_FAIL(report);                    \
  }                                                                             \
  static ::spawned::Task<void> function()

#define SPAWNED_SIMULATION_TEST(name, ...)                                                     \
  SPAWNED_SIMULATION_TEST_2(SPAWNED_SIMULATION_JOIN(spawned_simulation_test_, __LINE__), name, \
                            __VA_ARGS__)
