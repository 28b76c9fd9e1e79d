#include <doctest/doctest.h>

#include <spawned/registry/registry.hpp>
#include <spawned/tasks.hpp>

#include "support/actors.hpp"

namespace sp = spawned::tasks;
using Kind = sp::registry::RegistryError::Kind;

namespace {
struct Ping {};
class Counter : public sp::Actor<Counter> {
 public:
  int handle_request(Ping) { return ++count_; }
 private:
  int count_ = 0;
};
}  // namespace

TEST_SUITE("registry/names") {
  TEST_CASE("smoke") {
    auto body = []() -> sp::Task<void> {
      auto counter = Counter{}.start();
      CHECK(sp::registry::register_name("counter", counter).has_value());
      auto found = sp::registry::whereis<Counter>("counter");
      REQUIRE(found);
      CHECK(*found == counter);
      auto const again = sp::registry::register_name("counter", counter);
      CHECK(again.error() == Kind::name_taken);
      auto exit = co_await counter.stop_and_wait();
      CHECK(exit.has_value());
      CHECK(sp::registry::whereis<Counter>("counter").error() == Kind::not_registered);
    };
    sp::run(body());
  }
}
