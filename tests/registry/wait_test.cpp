#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "registry/support.hpp"
#include "support/actors.hpp"

using namespace names;
using namespace std::chrono_literals;

namespace {

sp::Task<bool> waits_for(std::string name, std::chrono::nanoseconds timeout) {
  auto found = co_await registry::wait_until_registered<Holder>(name, timeout);
  co_return found.has_value();
}

}  // namespace

TEST_SUITE("registry/wait") {
  TEST_CASE("who waits for a name goes on when somebody takes it, and all who wait do") {
    auto body = []() -> sp::Task<void> {
      std::vector<sp::JoinHandle<bool>> waiting;
      for (int i = 0; i < 5; ++i) waiting.push_back(sp::spawn(waits_for("late", sp::no_timeout)));
      auto other = sp::spawn(waits_for("later", 2s));
      co_await sp::sleep(1s);
      auto holder = Holder().start();
      CHECK(registry::register_name("late", holder).has_value());
      for (auto& each : waiting) {
        auto joined = co_await each;
        CHECK(joined.value());
      }
      auto joined = co_await other;
      CHECK_FALSE(joined.value());
      CHECK(sp::now().time_since_epoch() >= 2s);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a name that is there is found without waiting, of the wrong type too") {
    auto body = []() -> sp::Task<void> {
      auto holder = Holder().start();
      CHECK(registry::register_name("name", holder).has_value());
      auto found = co_await registry::wait_until_registered<Holder>("name", 0s);
      CHECK(found.value() == holder);
      auto wrong = co_await registry::wait_until_registered<Other>("name");
      CHECK(kind_of(wrong) == Kind::wrong_type);
      auto empty = co_await registry::wait_until_registered<Other>("");
      CHECK(kind_of(empty) == Kind::empty_name);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a wait ends with its time, never early") {
    auto body = []() -> sp::Task<void> {
      auto const begin = sp::now();
      auto found = co_await registry::wait_until_registered<Holder>("never", 3s);
      CHECK(kind_of(found) == Kind::timeout);
      CHECK(sp::now() - begin >= 3s);
      auto at_once = co_await registry::wait_until_registered<Holder>("never", 0s);
      CHECK(kind_of(at_once) == Kind::timeout);
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a cancelled wait says so, and leaves nothing behind") {
    auto body = []() -> sp::Task<void> {
      auto waits = []() -> sp::Task<bool> {
        auto found = co_await registry::wait_until_registered<Holder>("never");
        co_return kind_of(found) == Kind::cancelled;
      };
      auto waiting = sp::spawn(waits());
      co_await sp::sleep(1s);
      waiting.cancel();
      auto joined = co_await waiting;
      CHECK(joined.value());
      auto holder = Holder().start();
      CHECK(registry::register_name("never", holder).has_value());
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("an actor that waits for a name can be killed") {
    class Waits : public sp::Actor<Waits> {
     public:
      sp::Task<void> handle_message(Ping) {
        (void)co_await registry::wait_until_registered<Holder>("never");
      }
    };
    auto body = []() -> sp::Task<void> {
      auto waits = Waits().start();
      waits.send<Ping>();
      co_await sp::sleep(1s);
      waits.kill();
      auto ended = co_await waits.wait_exit();
      CHECK(ended.value() == sp::ExitReason::Kind::killed);
      auto holder = Holder().start();
      CHECK(registry::register_name("never", holder).has_value());
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a typed key can be waited for, in a registry of one's own") {
    static constexpr registry::Key<Holder> key("key");
    auto body = []() -> sp::Task<void> {
      Registry own;
      auto waits = [](Registry names) -> sp::Task<bool> {
        auto found = co_await names.wait_until_registered(key, 10s);
        co_return found.has_value();
      };
      auto waiting = sp::spawn(waits(own));
      auto holder = Holder().start();
      CHECK(own.register_name("key", holder).has_value());
      co_await sp::sleep(1s);
      CHECK(own.register_name(key, holder).has_value());
      auto joined = co_await waiting;
      CHECK(joined.value());
    };
    sp::run(body(), test::virtual_time());
  }
  TEST_CASE("a thread outside can wait for a name, blocking; a worker may not") {
    sp::Runtime runtime;
    auto names = Registry::of(runtime);
    std::thread starts([&] {
      auto holder = Holder().start_on(runtime);
      (void)names.register_name("name", holder);
    });
    auto found = names.wait_until_registered_blocking<Holder>("name");
    CHECK(found.has_value());
    starts.join();
    CHECK(kind_of(names.wait_until_registered_blocking<Holder>("never", 1ms)) == Kind::timeout);
    auto body = [](Registry all) -> sp::Task<void> {
      CHECK_THROWS_AS((void)all.wait_until_registered_blocking<Holder>("name"),
                      sp::BlockingInWorker);
      co_return;
    };
    runtime.block_on(body(names));
  }
}
