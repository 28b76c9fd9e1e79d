#include <spawned/runtime/task.hpp>

#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include <spawned/runtime/runtime.hpp>

using spawned::Task;

TEST_SUITE("runtime/task") {
  TEST_CASE("run gives back the value of the task") {
    auto body = []() -> Task<std::string> { co_return "done"; };
    CHECK(spawned::run(body()) == "done");
  }
}
