#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using namespace std::chrono_literals;

namespace {

class Crasher : public sp::Actor<Crasher> {
 public:
  struct Crash {};
  struct Start {
    int depth;
  };
  void handle_message(Crash /*order*/) { throw std::runtime_error("out of stock"); }
  void handle_message(Start start) {
    auto child = Crasher{}.start();
    if (start.depth > 0) {
      child.send<Start>(start.depth - 1);
    } else {
      child.send<Crash>();
    }
    last_ = true;
  }
  bool last_ = false;
};

/// Keeps the fields of the records, not only their texts.
class Fields final : public sp::log::Sink {
 public:
  Fields() : before_(sp::log::set_sink(this)) {}
  ~Fields() override { sp::log::set_sink(before_); }
  void write(sp::log::Record const& record) noexcept override {
    for (auto const& field : record.fields) {
      events_.add(std::string(field.key) + "=" + std::string(field.value));
    }
  }
  [[nodiscard]] bool has(std::string const& wanted) const {
    for (auto const& field : events_.all()) {
      if (field == wanted) return true;
    }
    return false;
  }

 private:
  test::Events events_;
  sp::log::Sink* before_;
};

}  // namespace

TEST_SUITE("actors/crash_report") {
  TEST_CASE("a crash report has type, id, name, callback, reason and unread mail as fields") {
    Fields const fields;
    auto body = []() -> sp::Task<std::uint64_t> {
      auto actor = Crasher{}.start({.name = "till 3"});
      actor.send<Crasher::Crash>();
      (void)co_await actor.wait_exit();
      co_return actor.id().value;
    };
    auto const id = sp::run(body());
    CHECK(fields.has("id=" + std::to_string(id)));
    CHECK(fields.has("name=till 3"));
    CHECK(fields.has("reason=error: std::runtime_error: out of stock"));
    CHECK(fields.has("unread=0"));
    CHECK(fields.has("ancestors="));
  }

  TEST_CASE("a crash report names the actors that started the crashed one, the nearest first") {
    test::LogCapture const log;
    auto body = []() -> sp::Task<std::uint64_t> {
      auto root = Crasher{}.start();
      root.send<Crasher::Start>(1);  // root -> child -> grandchild, which crashes
      while (sp::now().time_since_epoch() < 1s) co_await sp::sleep(1s);
      co_return root.id().value;
    };
    auto const id = sp::run(body(), test::virtual_time());
    CHECK(log.count("crashed in", "started by ", "Crasher#" + std::to_string(id)) == 1);
    for (std::string const& line : log.lines()) {
      std::size_t const first = line.find("started by ");
      if (first == std::string::npos) continue;
      CHECK(line.find(", ", first) != std::string::npos);
      CHECK(line.ends_with("Crasher#" + std::to_string(id)));
    }
  }

  TEST_CASE(
      "a storm of crashes fills the log no further than the limit, and says how many it left out") {
    test::LogCapture const log;
    auto body = []() -> sp::Task<void> {
      for (int i = 0; i < 500; ++i) {
        auto actor = Crasher{}.start();
        actor.send<Crasher::Crash>();
        (void)co_await actor.wait_exit();
      }
      co_await sp::sleep(2s);
      auto actor = Crasher{}.start();
      actor.send<Crasher::Crash>();
      (void)co_await actor.wait_exit();
    };
    sp::run(body(), test::virtual_time());
    CHECK(log.count("crashed in") <= 102);
    CHECK(log.count("crash reports before it were left out") >= 1);
  }
}
