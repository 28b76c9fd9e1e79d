#include <spawned/runtime/errors.hpp>

#include <stdexcept>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>

using spawned::JoinError;

namespace {

struct Strange {};

}  // namespace

TEST_SUITE("runtime/errors") {
  TEST_CASE("Cancelled is no std::exception, so that a handler of errors does not swallow it") {
    static_assert(!std::is_base_of_v<std::exception, spawned::Cancelled>);
    bool swallowed = false;
    bool seen = false;
    try {
      try {
        throw spawned::Cancelled();
      } catch (std::exception const&) {
        swallowed = true;
      }
    } catch (spawned::Cancelled const& cancelled) {
      seen = std::string(cancelled.what()) == "the task was cancelled";
    }
    CHECK(seen);
    CHECK_FALSE(swallowed);
  }

  TEST_CASE("what was thrown is described, whatever it is") {
    using spawned::detail::describe_exception;
    CHECK(describe_exception(nullptr) == "nothing");
    CHECK(describe_exception(std::make_exception_ptr(std::out_of_range("far"))) ==
          "std::out_of_range: far");
    CHECK(describe_exception(std::make_exception_ptr(1)) == "int 1");
    CHECK(describe_exception(std::make_exception_ptr("text")) == "\"text\"");
    CHECK(describe_exception(std::make_exception_ptr(Strange())).find("Strange") !=
          std::string::npos);
  }

  TEST_CASE("a join error tells cancellation from exception and raises what it holds") {
    JoinError const cancelled;
    CHECK(cancelled.is_cancelled());
    CHECK(cancelled.what() == "the task was cancelled");
    CHECK_THROWS_AS(cancelled.raise(), spawned::Cancelled);
    JoinError const thrown(std::make_exception_ptr(5));
    CHECK_FALSE(thrown.is_cancelled());
    CHECK(thrown.what() == "the task threw int 5");
    CHECK_THROWS_AS(thrown.raise(), int);
  }

  TEST_CASE("wait errors have names") {
    CHECK(std::string(to_string(spawned::WaitError::timeout)) == "timeout");
    CHECK(std::string(to_string(spawned::WaitError::cancelled)) == "cancelled");
    CHECK(std::string(to_string(spawned::WaitError::closed)) == "closed");
  }

  TEST_CASE("misuse names the operation and the remedy") {
    std::string const no_runtime = spawned::NoRuntime("spawn").what();
    CHECK(no_runtime.find("spawn: ") == 0);
    CHECK(no_runtime.find("block_on") != std::string::npos);
    std::string const blocking = spawned::BlockingInWorker("Runtime::block_on").what();
    CHECK(blocking.find("Runtime::block_on: ") == 0);
    CHECK(blocking.find("co_await") != std::string::npos);
    std::string const ended = spawned::RuntimeEnded("Runtime::spawn").what();
    CHECK(ended.find("Runtime::spawn: ") == 0);
  }
}
