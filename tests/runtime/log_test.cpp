#include <spawned/runtime/log.hpp>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/runtime/runtime.hpp>
#include <spawned/runtime/time.hpp>

#include "support/runtime.hpp"

using namespace std::chrono_literals;
using spawned::log::Level;
using spawned::log::Record;

namespace {

std::string line(std::chrono::nanoseconds utc, Level level) {
  return spawned::log::format(
      Record{.utc = utc, .level = level, .target = "name_server", .text = "text"});
}

}  // namespace

TEST_SUITE("runtime/log") {
  TEST_CASE("a line is stamp in UTC with microseconds, level, target and text") {
    CHECK(line(1'760'740'421'004'784'999ns, Level::info) ==
          "2025-10-17T22:33:41.004784Z INFO name_server: text");
    CHECK(line(0ns, Level::error) == "1970-01-01T00:00:00.000000Z ERROR name_server: text");
    CHECK(line(1'709'208'000s, Level::warn) ==
          "2024-02-29T12:00:00.000000Z WARN name_server: text");
    CHECK(line(999'999'999ns, Level::debug) ==
          "1970-01-01T00:00:00.999999Z DEBUG name_server: text");
    CHECK(line(1us, Level::trace) == "1970-01-01T00:00:00.000001Z TRACE name_server: text");
  }

  TEST_CASE("a moment before 1970 is a moment of 1969") {
    CHECK(line(-1us, Level::info) == "1969-12-31T23:59:59.999999Z INFO name_server: text");
  }

  TEST_CASE("empty and long texts are kept whole") {
    std::string const text(100'000, 'x');
    CHECK(spawned::log::format(
              Record{.utc = 0ns, .level = Level::info, .target = "", .text = text}) ==
          "1970-01-01T00:00:00.000000Z INFO : " + text);
  }

  TEST_CASE("records below the level are dropped, info and above pass by default") {
    test::LogCapture const log;
    CHECK(spawned::log::enabled(Level::info));
    CHECK_FALSE(spawned::log::enabled(Level::debug));
    spawned::log::debug("target", "hidden");
    spawned::log::info("target", "shown");
    spawned::log::set_level(Level::error);
    spawned::log::warn("target", "hidden");
    spawned::log::error("target", "shown too");
    spawned::log::set_level(Level::debug);
    spawned::log::debug("target", "now shown");
    spawned::log::set_level(Level::info);
    auto const lines = log.lines();
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].ends_with("Z INFO target: shown"));
    CHECK(lines[1].ends_with("Z ERROR target: shown too"));
    CHECK(lines[2].ends_with("Z DEBUG target: now shown"));
  }

  TEST_CASE("the stamp is the time of the runtime that the caller works for") {
    test::LogCapture const log;
    auto body = []() -> spawned::Task<> {
      co_await spawned::sleep(90s);
      spawned::log::info("target", "text");
    };
    spawned::run(body(), test::virtual_time());
    CHECK(log.lines() == std::vector<std::string>{"1970-01-01T00:01:30.000000Z INFO target: text"});
  }

  TEST_CASE("set_sink returns the sink before, and null means the default one") {
    auto* const standard = spawned::log::set_sink(nullptr);
    CHECK(standard != nullptr);
    CHECK(spawned::log::set_sink(standard) == standard);
    {
      test::LogCapture log;
      CHECK(spawned::log::set_sink(nullptr) == &log);
    }
    CHECK(spawned::log::set_sink(nullptr) == standard);
  }

  TEST_CASE("lines of several threads all arrive") {
    test::LogCapture const log;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([] {
        for (int k = 0; k < 250; ++k) spawned::log::info("target", "text");
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(log.lines().size() == 1'000);
  }

  TEST_CASE("fields follow the text, in quotes where they are not one word") {
    auto const formatted = [](std::initializer_list<spawned::log::Field> fields) {
      return spawned::log::format(Record{
          .utc = 0ns, .level = Level::info, .target = "t", .text = "text", .fields = fields});
    };
    std::string const head = "1970-01-01T00:00:00.000000Z INFO t: text";
    CHECK(formatted({}) == head);
    CHECK(formatted({{"actor", "Bank#7"}, {"unread", "3"}}) == head + " actor=Bank#7 unread=3");
    CHECK(formatted({{"what", "two words"}}) == head + " what=\"two words\"");
    CHECK(formatted({{"what", ""}}) == head + " what=\"\"");
    CHECK(formatted({{"what", "a\"b\nc"}}) == head + " what=\"a\\\"b\\nc\"");
  }

  TEST_CASE("a target has the level of the longest directive that fits, else that of all") {
    using spawned::log::enabled;
    spawned::log::set_filter("warn,bank=debug,bank::vault=off,shop=error");
    CHECK(enabled(Level::debug));  // for some target
    CHECK_FALSE(enabled(Level::info, "other"));
    CHECK(enabled(Level::warn, "other"));
    CHECK(enabled(Level::debug, "bank"));
    CHECK(enabled(Level::debug, "bank::till"));
    CHECK_FALSE(enabled(Level::trace, "bank"));
    CHECK_FALSE(enabled(Level::error, "bank::vault"));
    CHECK_FALSE(enabled(Level::error, "bank::vault::door"));
    CHECK_FALSE(enabled(Level::info, "bankers"));  // not below bank
    CHECK_FALSE(enabled(Level::warn, "shop"));
    test::LogCapture const log;
    spawned::log::info("other", "hidden");
    spawned::log::info("bank", "shown");
    CHECK(log.lines().size() == 1);
    spawned::log::set_level(Level::info);  // for all targets
    CHECK(enabled(Level::info, "shop"));
    CHECK_FALSE(enabled(Level::debug, "bank"));
  }

  TEST_CASE("spaces around directives do not count, and the last for a target holds") {
    using spawned::log::enabled;
    spawned::log::set_filter(" warn , bank = debug,shop=trace,\tshop=error\n,,");
    CHECK(enabled(Level::debug, "bank"));
    CHECK_FALSE(enabled(Level::info, "other"));
    CHECK(enabled(Level::error, "shop"));
    CHECK_FALSE(enabled(Level::warn, "shop"));
    spawned::log::set_filter("");
    CHECK(enabled(Level::info, "other"));
    CHECK_FALSE(enabled(Level::debug, "bank"));
  }

  TEST_CASE("a directive that is none is refused by name, and nothing changes") {
    for (char const* wrong :
         {"loud", "bank=loud", "=debug", "info,bank=", "info;debug", "warn info", "bank==debug",
          "my bank=debug", " =debug", "bank=debug=info"}) {
      CAPTURE(wrong);
      CHECK_THROWS_AS(spawned::log::set_filter(wrong), spawned::log::InvalidFilter);
    }
    CHECK(spawned::log::enabled(Level::info, "bank"));
    CHECK_FALSE(spawned::log::enabled(Level::debug, "bank"));
    try {
      spawned::log::set_filter("info,bank=loud");
    } catch (spawned::log::InvalidFilter const& error) {
      CHECK(std::string(error.what()).find("bank=loud") != std::string::npos);
    }
    spawned::log::set_filter("");
    CHECK(spawned::log::enabled(Level::info, "bank"));
  }

  TEST_CASE("a rate limit lets so many pass in an interval and counts the others") {
    auto body = []() -> spawned::Task<void> {
      spawned::log::RateLimit limit(2, 1s);
      CHECK(limit.ask().pass);
      CHECK(limit.ask().pass);
      for (int i = 0; i < 5; ++i) CHECK_FALSE(limit.ask().pass);
      co_await spawned::sleep(1s);
      auto const next = limit.ask();
      CHECK(next.pass);
      CHECK(next.suppressed == 5);
      CHECK(limit.ask().suppressed == 0);
      CHECK_FALSE(limit.ask().pass);
    };
    spawned::run(body(), test::virtual_time());
  }
}
