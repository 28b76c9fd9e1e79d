#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "registry/support.hpp"
#include "support/actors.hpp"

using namespace names;
using registry::BasicRegistry;
using registry::Keys;

namespace {

struct Events {};

/// Keeps what it is told of a registry.
class Listener : public sp::Actor<Listener> {
 public:
  void handle_message(registry::NameRegistered const& event) { keep("+", event.name); }
  void handle_message(registry::NameUnregistered const& event) { keep("-", event.name); }
  std::vector<std::string> handle_request(Events) { return std::exchange(events_, {}); }

 private:
  void keep(char const* sign, std::string const& name) { events_.push_back(sign + name); }
  std::vector<std::string> events_;
};

}  // namespace

TEST_SUITE("registry/duplicate") {
  TEST_CASE("EREG-01: a unique key is registered once, by the same actor too; its value stays") {
    auto body = []() -> sp::Task<void> {
      BasicRegistry<int> values;
      auto holder = Holder().start();
      CHECK(values.register_name("key", holder, 1).has_value());
      auto again = values.register_name("key", holder, 2);
      CHECK(kind_of(again) == Kind::name_taken);
      CHECK(again.error().holder() == holder.id());
      CHECK(values.value("key") == 1);
      CHECK(values.registered().size() == 1);
      co_return;
    };
    sp::run(body());
  }
  TEST_CASE("EREG-03: a duplicate key reaches all its entries, oldest first, one actor twice too") {
    auto body = []() -> sp::Task<void> {
      BasicRegistry<std::string> values({.keys = Keys::duplicate});
      auto one = Holder().start();
      auto two = Holder().start();
      CHECK(values.register_name("key", one, "first").has_value());
      CHECK(values.register_name("key", two, "second").has_value());
      CHECK(values.register_name("key", one, "third").has_value());
      CHECK(values.register_name("other", two, "none of them").has_value());
      std::vector<std::string> seen;
      auto const count = values.dispatch<Holder>("key", [&](auto const& ref, auto const& value) {
        ref.template send<Say>(value);
        seen.push_back(value);
      });
      CHECK(count == 3);
      CHECK(seen == test::Strings{"first", "second", "third"});
      auto said = co_await one.request<Said>();
      CHECK(said.value() == test::Strings{"first", "third"});
      auto const all = values.lookup<Holder>("key");
      REQUIRE(all.size() == 3);
      CHECK(all[1].ref == two);
      CHECK(all[1].value == "second");
      CHECK(values.dispatch<Other>("key", [](auto const&...) {}) == 0);
      one.kill();
      (void)co_await one.wait_exit();
      CHECK(values.lookup<Holder>("key").size() == 1);
      CHECK(values.whereis<Holder>("key").value() == two);
    };
    sp::run(body());
  }
  TEST_CASE(
      "EREG-04: taking back what one actor has under a key is no error, whether or not it has") {
    auto body = []() -> sp::Task<void> {
      Registry values({.keys = Keys::duplicate});
      auto one = Holder().start();
      auto two = Holder().start();
      CHECK(values.unregister("key", one) == 0);
      for (int i = 0; i < 3; ++i) {
        CHECK(values.register_name("key", one).has_value());
        CHECK(values.register_name("key", two).has_value());
      }
      CHECK(values.unregister("key", one) == 3);
      CHECK(values.unregister("key", one) == 0);
      CHECK(values.lookup<Holder>("key").size() == 3);
      CHECK(values.unregister("key").has_value());
      CHECK(values.lookup<Holder>("key").empty());
      co_return;
    };
    sp::run(body());
  }
  TEST_CASE("EREG-05: update_value gives the new and the old value, or nothing without an entry") {
    auto body = []() -> sp::Task<void> {
      BasicRegistry<int> values;
      auto holder = Holder().start();
      CHECK(values.register_name("key", holder, 1).has_value());
      auto const updated = values.update_value("key", [](int old) { return old + 41; });
      CHECK(updated == std::pair(42, 1));
      CHECK(values.value("key") == 42);
      CHECK_FALSE(values.update_value("none", [](int old) { return old; }).has_value());
      CHECK_FALSE(values.value("none").has_value());
      co_return;
    };
    sp::run(body());
  }
  TEST_CASE("values belong to their entries: each actor's own, updated without losing an update") {
    auto body = []() -> sp::Task<void> {
      BasicRegistry<int> values({.keys = Keys::duplicate});
      auto one = Holder().start();
      auto two = Holder().start();
      CHECK(values.register_name("key", one, 0).has_value());
      CHECK(values.register_name("key", two, 100).has_value());
      auto add = [](BasicRegistry<int> all, sp::ActorRef<Holder> ref) -> sp::Task<void> {
        for (int i = 0; i < 500; ++i) {
          (void)all.update_value("key", [](int old) { return old + 1; }, ref);
          if (i % 10 == 0) co_await sp::yield_now();
        }
      };
      std::vector<sp::JoinHandle<void>> adding;
      for (int i = 0; i < 4; ++i) adding.push_back(sp::spawn(add(values, i % 2 ? one : two)));
      for (auto& each : adding) (void)co_await each;
      CHECK(values.value("key", one) == 1000);
      CHECK(values.value("key", two) == 1100);
    };
    sp::run(body());
  }
  TEST_CASE("the value of an entry goes with it") {
    auto body = []() -> sp::Task<void> {
      BasicRegistry<std::shared_ptr<int>> values;
      auto const value = std::make_shared<int>(1);
      auto one = Holder().start();
      CHECK(values.register_name("one", one, value).has_value());
      CHECK(values.register_name("two", one, value).has_value());
      CHECK(value.use_count() == 3);
      CHECK(kind_of(values.register_name("one", one, value)) == Kind::name_taken);
      CHECK(value.use_count() == 3);
      CHECK(values.unregister("one").has_value());
      CHECK(value.use_count() == 2);
      (void)co_await one.stop_and_wait();
      CHECK(value.use_count() == 1);
    };
    sp::run(body());
  }
  TEST_CASE("EREG-07: a listener hears of each entry that comes and goes, in order") {
    auto body = []() -> sp::Task<void> {
      Registry names;
      auto listener = Listener().start();
      auto deaf = Listener().start();
      auto holder = Holder().start();
      CHECK(names.register_name("before", holder).has_value());
      CHECK(names.listen(listener).has_value());
      CHECK(names.listen(deaf).has_value());
      names.stop_listening(deaf.id());
      CHECK(names.register_name("a", holder).has_value());
      CHECK(names.unregister("a").has_value());
      CHECK(names.register_name("b", holder).has_value());
      auto first = co_await listener.request<Events>();
      CHECK(first.value() == test::Strings{"+a", "-a", "+b"});
      (void)co_await holder.stop_and_wait();
      auto second = co_await listener.request<Events>();
      CHECK(second.value() == test::Strings{"-b", "-before"});
      auto nothing = co_await deaf.request<Events>();
      CHECK(nothing.value().empty());
      (void)co_await listener.stop_and_wait();
      auto last = Holder().start();
      CHECK(names.register_name("c", last).has_value());
    };
    sp::run(body());
  }
  TEST_CASE("an actor with a name in each of many registries leaves all of them") {
    auto body = []() -> sp::Task<void> {
      std::vector<Registry> registries;
      for (int i = 0; i < 50; ++i) registries.emplace_back();
      auto holder = Holder().start();
      for (auto& each : registries) CHECK(each.register_name("name", holder).has_value());
      (void)co_await holder.stop_and_wait();
      for (auto& each : registries) CHECK(each.registered().empty());
    };
    sp::run(body());
  }
}
